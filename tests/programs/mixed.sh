#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One nginx with a key in a TPM, a key on a token and a key in software, each in
# a server block of its own; two workers, which are reloaded and killed.
#
# Usage: mixed.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
WORKERS=2

# ask NAME VERSION: a request to the server of that name by that TLS alone.
ask() {
    OPENSSL_CONF=/dev/null curl --silent --show-error --fail --noproxy '*' \
        --max-time 20 --cacert "$CA_DIR/ca.pem" --key "$WORK/plain.key" \
        --cert "$WORK/plain.pem" "--tlsv$2" --tls-max "$2" \
        --connect-to "::127.0.0.1:$NGINX_PORT" "https://$1.localhost/"
}

# served WHAT: each is, four times by either version of TLS; its certificate
# bears its name, so that no other key has answered.
served() {
    local name version i
    for name in tpm token software; do
        for version in 1.2 1.3; do
            for ((i = 0; i < 4; i++)); do
                ask $name $version >"$WORK/answer" ||
                    fail "$1: $name does not answer"
                [[ $(<"$WORK/answer") == "TLSv$version "*"CN=plain" ]] ||
                    fail "$1: $name answers $(<"$WORK/answer")"
            done
        done
    done
    say "  ok: $1: all three serve"
}

# workers: the process ids of nginx's workers.
workers() {
    pgrep -P "$NGINX_PID" | sort | xargs
}

# all_new OLD: there are two workers, and none of them is an old one.
all_new() {
    local pid
    [[ $(workers | wc -w) == "$WORKERS" ]] || return
    for pid in $1; do
        [[ " $(workers) " != *" $pid "* ]] || return
    done
}

harness_dir
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_plain_client
start_device bare
make_identity tpm server
start_device token
make_identity token server --algorithm rsa-2048
plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$WORK/software.key" -subj /CN=software -addext \
    subjectAltName=DNS:software.localhost -out "$WORK/software.csr" 2>/dev/null
sign_csr "$WORK/software.csr" "$WORK/software.pem" server
with_devid start_nginx --workers $WORKERS --key "$WORK/software.key" \
    --cert "$WORK/software.pem" --also tpm --also token --also software
served "at first"

old=$(workers)
kill -HUP "$NGINX_PID"
await "new workers" "$NGINX_PID" all_new "$old"
served "after a reload"
KEYGEN_DEVICE=()
assert_equal "nothing was left in the TPM" "" "$(left_in_device)"
old=$(workers)
for pid in $old; do
    kill -KILL "$pid"
done
await "new workers" "$NGINX_PID" all_new "$old"
served "after both workers were killed"
for name in tpm token software; do
    ask $name 1.3 >/dev/null 2>&1 &
    request=$!
    kill -KILL "$(pgrep -P "$NGINX_PID" | head -n 1)"
    wait "$request" || true # its worker may be the one
done
await "two workers" "$NGINX_PID" all_new "$old"
served "after workers were killed under way"
stop_nginx QUIT
assert_equal "nginx logged no alert but for workers that were killed" "" \
    "$(grep -E '\[(alert|emerg)\]' "$WORK/nginx.log" |
        grep -v 'exited on signal 9' || true)"
