#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Seven days in a minute: an identity is renewed again and again, each time nginx
# is told, and no request of those that keep coming fails.
#
# Usage: storm.sh [COUNT] [--build-dir DIR] [--keep]
#
#   COUNT  renewals (50)
source "$(dirname "$0")/common.sh"
COUNT=${ARGS[0]:-50}
harness_dir
cd "$WORK" || exit
make_device tpm
make_est
start_est
openssl_conf openssl.cnf
plain_openssl req -newkey ec:<(plain_openssl genpkey -genparam -algorithm EC \
    -pkeyopt ec_paramgen_curve:P-256) -nodes -keyout client.key \
    -subj /CN=client -out client.csr 2>/dev/null
sign_csr client.csr client.pem

# Of its hour fifty minutes are over when a certificate is made: the next run
# renews it.
mode begun=3000
enroll --san DNS:localhost \
    --after "[ ! -e $WORK/nginx/pid ] || kill -HUP \$(cat $WORK/nginx/pid)" \
    >out || fail "$(<out)"
OPENSSL_CONF=$WORK/openssl.cnf start_nginx --key "$WORK/root/unit/key.pem" \
    --cert "$WORK/root/unit/chain.pem" --workers 2
echo "$NGINX_PID" >nginx/pid

# requests N: one after the other until there is a file "enough"; a line for
# each to requests.N, what went wrong to wrong.
requests() {
    while [[ ! -e enough ]]; do
        OPENSSL_CONF=/dev/null curl_mtls client.key client.pem \
            >>"requests.$1" 2>>wrong || echo "request ended with $?" >>wrong
    done
}

: >wrong
requests 1 &
FIRST=$!
requests 2 &
SECOND=$!
START=$SECONDS
serial >serials
for ((n = 0; n < COUNT; n++)); do
    renew >out 2>&1 || {
        touch enough
        fail "renewal $((n + 1)): $(<out)"
    }
    serial >>serials
done
touch enough
wait "$FIRST" "$SECOND"
say "  $COUNT renewals took $((SECONDS - START)) seconds"
assert_equal "no request failed" "" "$(<wrong)"
assert_equal "each renewal gave another certificate" $((COUNT + 1)) \
    "$(sort -u serials | wc -l)"
ANSWERED=$(cat requests.* | grep -c " SUCCESS CN=client")
((ANSWERED >= COUNT)) || fail "there were but $ANSWERED requests"
say "  ok: $ANSWERED requests were answered"
assert_equal "the log of nginx has no error" "" \
    "$(grep -E '\[(error|crit|alert|emerg)\]' nginx.log || true)"
shown() {
    echo | plain_openssl s_client -connect "localhost:$NGINX_PORT" 2>/dev/null |
        plain_openssl x509 -noout -serial
}
took() {
    [[ $(shown) == "$(serial)" ]]
}
await "nginx to show the last certificate" "$NGINX_PID" took
assert_whole "in the end"
