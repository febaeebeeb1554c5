#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx keeps to the list of devid trust, with the lines that it prints.
#
# Usage: nginx.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/servers.sh"
need nginx jq
harness_dir
cd "$WORK"
TARGET=nginx
RELOAD=HUP
make_devices
name_devices

# lines_for PART: of what was printed, those behind the comment that has PART.
lines_for() {
    awk -v part="$1" '/^#/ { comment = comment $0; if (printed) exit; next }
        index(comment, part) { print; printed = 1 }
        !index(comment, part) { comment = "" }' <<<"$LINES"
}

start_server() {
    PORT=$(free_port)
    serve_nginx "$PORT" <<END
    access_log off;
    $(lines_for "in its http block")
    server {
        listen 127.0.0.1:$PORT ssl;
        ssl_certificate $WORK/server.pem;
        ssl_certificate_key $WORK/server.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache builtin;
        $(lines_for "in a server block")
        location / {
            $(lines_for "in each location")
            try_files /none @hello;
        }
        location @hello { return 200 "hello\n"; }
        location = /open { return 200 "open\n"; }
    }
END
    SERVER_PID=$NGINX_PID
}

start_server
everybody_gets_theirs
for name in '' unnamed by-serial; do
    assert_equal "what is open is open to '$name'" 200 \
        "$(PATH_ASKED=/open status "$name")"
done

say "OpenSSL's own check in addition"
line=$(sed -n 's/^# \(ssl_crl .*\)/\1/p' <<<"$LINES")
sed -i "s|ssl_certificate_key .*|&\n$line|" nginx/nginx.conf
reload_server
gets by-serial 200 "lets in who is trusted"
gets revoked 403 "and not who is revoked"

say "What would not work"
trust add --fingerprint "$(of_cert unnamed -fingerprint -sha256)"
nothing_is_written "a device that nginx cannot know" "by their SHA-1 alone"
trust remove --fingerprint "$(of_cert unnamed -fingerprint -sha256)"
plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout sub.key -subj /CN=Sub -out sub.csr 2>/dev/null
plain_openssl x509 -req -in sub.csr -CA other/ca.pem -CAkey other/ca.key \
    -out sub.pem -extfile <(echo basicConstraints=critical,CA:TRUE) 2>/dev/null
trust add --ca sub.pem
nothing_is_written "a CA without its root" "needs the certificate of its issuer"
trust remove --ca sub.pem
plain_openssl x509 -req -in sub.csr -CA ca/ca.pem -CAkey ca/ca.key \
    -out sub.pem -extfile <(echo basicConstraints=critical,CA:TRUE) 2>/dev/null
trust add --ca sub.pem
write
say "  ok: with its root it is written"
revoke sub.pem
make_crl ca.crl
trust refresh --all
nothing_is_written "a CA that is revoked" "is revoked"
trust remove --ca sub.pem
trust remove --ca ca/ca.pem
nothing_is_written "nobody who vouches" "has no CA"
