#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid trust refresh: lists of revoked certificates by file, http and https,
# taken only where they are good; the old one stays where they are not.
#
# Usage: refresh.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
need jq nginx
harness_dir
cd "$WORK"
export no_proxy='*'
unset http_proxy https_proxy ALL_PROXY all_proxy
make_authority ca
for name in one two three; do make_device $name; done
revoke one.pem
mkdir www
make_crl www/ca.crl
trust add --ca ca/ca.pem

# refresh [OPTION...]: it must succeed.
refresh() {
    trust refresh "$@"
    [[ ! $ERRORS ]] || fail "devid trust refresh complains: $ERRORS"
}

# kept: the numbers of the lists at hand, and how many are revoked in them.
kept() {
    trust list --json
    json '.crls[] | (.revoked // "none" | tostring)' | xargs
}

say "By file"
trust add --crl "file://$WORK/www/ca.crl"
trust_fails "nothing is written before it is fetched" "was never fetched" \
    write --nginx "$WORK/nginx.d"
refresh
assert_contains "it is fetched" "ca.crl: new, valid until" "$OUTPUT"
assert_equal "with what is revoked" 1 "$(kept)"
revoke two.pem
make_crl www/ca.crl
refresh
assert_contains "not again before half of its time is over" "not due yet" "$OUTPUT"
assert_equal "so the old one is at hand" 1 "$(kept)"
refresh --all
assert_equal "but for who says --all" 2 "$(kept)"
trust remove --crl "file://$WORK/www/ca.crl"

say "By http and https"
plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout server.key -subj /CN=localhost -addext \
    subjectAltName=DNS:localhost -out server.csr 2>/dev/null
make_ca "$WORK/web"
sign_csr server.csr server.pem server
CA_DIR=$WORK/ca
port=$(free_port 2)
serve_nginx "$port" <<END
    access_log off;
    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$((port + 1)) ssl;
        ssl_certificate $WORK/server.pem;
        ssl_certificate_key $WORK/server.key;
        root $WORK/www;
        location /moved { return 302 /ca.crl; }
        location /away { return 302 file://$WORK/www/ca.crl; }
    }
END
url=http://127.0.0.1:$port
plain_openssl crl -in www/ca.crl -outform DER -out www/ca.der
for what in ca.crl ca.der moved; do
    trust add --crl "$url/$what"
    refresh
    assert_equal "$what by http" 2 "$(kept)"
    trust remove --crl "$url/$what"
done
trust add --crl "https://localhost:$((port + 1))/ca.crl"
trust_fails "https to somebody unknown" "cannot be fetched" refresh
refresh --https-ca web/ca.pem
assert_equal "https to who has a certificate" 2 "$(kept)"
trust remove --crl "https://localhost:$((port + 1))/ca.crl"

say "What is not taken"
trust add --crl "$url/ca.crl"
refresh
revoke three.pem
make_crl good.crl
make_ca "$WORK/other"
sed "s|/ca/ca|/other/ca|" ca/ca.cnf >other/ca.cnf
make_crl forged.crl
CA_DIR=$WORK/ca
# of_time FILE FROM UNTIL: years.
of_time() {
    make_crl "$1" -crl_lastupdate "${2}0101000000Z" \
        -crl_nextupdate "${3}0101000000Z"
}
of_time over.crl 2019 2020
of_time old.crl 2020 2099
of_time early.crl 2098 2099
printf '%s\n' '[delta]' '2.5.29.27=critical,DER:020101' >>ca/ca.cnf
make_crl delta.crl -crlexts delta
head -c 40000000 /dev/zero >large.crl
: >empty.crl
# not_taken WHAT FILE SENTENCE
not_taken() {
    cp "$2" www/ca.crl
    trust_fails "$1" "$3" refresh --all
    assert_contains "  and the old one stays" "that is at hand stays" "$ERRORS"
    assert_equal "  as it was" 2 "$(kept)"
}
not_taken "one of another key" forged.crl "is signed by none of the CAs"
not_taken "one that is over" over.crl "ran out at 2020-01-01T00:00:00Z"
not_taken "one that is older" old.crl "older than the one at hand"
not_taken "one of tomorrow" early.crl "is yet to come"
not_taken "one of changes" delta.crl "a whole list of its issuer is needed"
not_taken "one without end" large.crl "is larger than"
not_taken "something else" one.pem "is no list of revoked certificates"
not_taken "nothing" empty.crl "is empty"
rm www/ca.crl
trust_fails "none at all" "404" refresh --all
trust add --crl "$url/away"
trust_fails "a file that a server sends for" "cannot be fetched" refresh --all
trust remove --crl "$url/away"
cp good.crl www/ca.crl
refresh --all
assert_equal "then the good one is taken" 3 "$(kept)"

say "A server that says nothing"
silent=$(free_port)
spawn silent socat "TCP-LISTEN:$silent,bind=127.0.0.1,fork" \
    SYSTEM:'cat >/dev/null'
await_port "$SPAWNED" "$silent" || fail "socat does not start"
trust add --crl "http://127.0.0.1:$silent/ca.crl"
trust_fails "is waited for as long as was said" "cannot be fetched" \
    refresh --timeout 1
assert_contains "and there is nothing at hand" "there is no list" "$ERRORS"
assert_equal "the other one stays" "3 none" "$(kept)"
