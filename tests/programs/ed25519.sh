#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# An Ed25519 key on a token: openssl makes it, and certificates, TLS in both
# roles and messages with it; a token that has none says so. nginx and curl with
# one are in mtls.sh.
#
# Usage: ed25519.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# verifies WHAT COMMAND...: openssl without devid finds it good.
verifies() {
    local what=$1
    shift
    plain_openssl "$@" >"$WORK/out" 2>&1 || fail "$what: $(<"$WORK/out")"
    say "  ok: $what"
}

# a_page_over VERSION: s_server and s_client, both with the key.
a_page_over() {
    local port
    port=$(free_port)
    with_devid spawn s_server openssl s_server -accept "127.0.0.1:$port" \
        -key "$WORK/unit.key" -cert "$WORK/unit.pem" -Verify 1 -naccept 1 -www \
        -verify_return_error -CAfile "$WORK/authority.pem" "-$1"
    await_port "$SPAWNED" "$port"
    printf 'GET / HTTP/1.0\r\n\r\n' |
        with_devid timeout 60 openssl s_client -ign_eof -"$1" \
            -connect "127.0.0.1:$port" -CAfile "$CA_DIR/ca.pem" \
            -verify_return_error -key "$WORK/unit.key" \
            -cert "$WORK/authority.pem" >"$WORK/out" 2>&1 || fail "$1: $(<"$WORK/out")"
    halt "$SPAWNED"
    assert_contains "$1: a page for a client with the key" "HTTP/1.0 200" \
        "$(<"$WORK/out")"
    assert_contains "$1: signed with it" "peer signature type: ed25519" \
        "$(tr '[:upper:]' '[:lower:]' <"$WORK/out")"
}

# signs_message KEY CERT: as CMS; prints what openssl says where it does not.
signs_message() {
    with_devid openssl cms -sign -md sha512 -nodetach -in "$WORK/message" \
        -inkey "$1" -signer "$2" -out "$WORK/message.cms" 2>&1 |
        grep -o 'CMS routines:.*' || true
}

harness_dir
make_ca "$WORK/ca"
printf 'a message of no great length\n' >"$WORK/message"
start_token ed
start_spy
openssl_conf "$WORK/openssl.cnf"

say "openssl makes the key"
with_devid openssl genpkey -quiet -propquery provider=devid -algorithm ED25519 \
    -pkeyopt "device:$TOKEN_URI" -pkeyopt label:unit -out "$WORK/unit.key"
assert_equal "devid knows it" "ed25519" \
    "$("$DEVID" show --json "$WORK/unit.key" | jq -r '.[0].algorithm')"
with_devid openssl pkey -in "$WORK/unit.key" -pubout -out "$WORK/unit.pub"

say "Requests and certificates"
"$DEVID" csr --key "$WORK/unit.key" --subject /CN=localhost \
    --san DNS:localhost --out "$WORK/unit.csr"
verifies "a CSR by devid" req -in "$WORK/unit.csr" -verify -noout
sign_csr "$WORK/unit.csr" "$WORK/unit.pem" server
with_devid openssl req -new -key "$WORK/unit.key" -subj /CN=x \
    -out "$WORK/other.csr"
verifies "a CSR by openssl" req -in "$WORK/other.csr" -verify -noout
with_devid openssl req -x509 -new -key "$WORK/unit.key" -subj /CN=authority \
    -out "$WORK/authority.pem"
make_plain_client
with_devid openssl x509 -req -in "$WORK/plain.csr" -CA "$WORK/authority.pem" \
    -CAkey "$WORK/unit.key" -out "$WORK/leaf.pem" 2>/dev/null
verifies "it is an authority's key" verify -check_ss_sig \
    -CAfile "$WORK/authority.pem" "$WORK/leaf.pem"

say "TLS"
for version in tls1_2 tls1_3; do
    a_page_over $version
done

say "Messages"
with_devid openssl pkeyutl -sign -rawin -inkey "$WORK/unit.key" \
    -in "$WORK/message" -out "$WORK/sig"
verifies "a signature by pkeyutl" pkeyutl -verify -rawin -pubin \
    -inkey "$WORK/unit.pub" -in "$WORK/message" -sigfile "$WORK/sig"
# OpenSSL 3.0 has no CMS with Ed25519, with a key in software either.
plain_openssl req -x509 -newkey ed25519 -nodes -keyout "$WORK/soft.key" \
    -subj /CN=x -out "$WORK/soft.pem" 2>/dev/null
said=$(signs_message "$WORK/unit.key" "$WORK/authority.pem")
assert_equal "CMS is what it is with a key in software" \
    "$(signs_message "$WORK/soft.key" "$WORK/soft.pem")" "$said"
if [[ ! $said ]]; then
    signs_message "$WORK/unit.key" "$WORK/authority.pem"
    verifies "a signature of CMS" cms -verify -in "$WORK/message.cms" \
        -CAfile "$WORK/authority.pem" -purpose any
fi

say "A token that has no Ed25519"
export DEVID_SPY_LIES="CKM_EC_EDWARDS_KEY_PAIR_GEN=none CKM_EDDSA=none"
sentence="the token 'ed' does not make ed25519 keys"
assert_fails "devid keygen" "$DEVID" keygen --device "$TOKEN_URI" \
    --algorithm ed25519 --out "$WORK/none.key"
assert_contains "says so" "$sentence" "$OUTPUT"
assert_fails "openssl genpkey" with_devid openssl genpkey -quiet \
    -propquery provider=devid -algorithm ED25519 -pkeyopt "device:$TOKEN_URI" \
    -out "$WORK/none.key"
assert_contains "says so" "$sentence" "$OUTPUT"
assert_fails "a signature with a key that it has all the same" \
    with_devid openssl pkeyutl -sign -rawin -inkey "$WORK/unit.key" \
    -in "$WORK/message" -out "$WORK/sig"
assert_contains "says so" \
    "the token 'ed' did not begin to sign: the token lacks this mechanism" \
    "$OUTPUT"
