#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What programs cost in calls to a PKCS#11 module: the design's counts, exactly,
# on a token with few objects and on one with many.
#
# Usage: token_budget.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

FIRST="Initialize GetSlotList GetTokenInfo OpenSession Login FindObjectsInit"
FIRST+=" FindObjects FindObjectsFinal GetAttributeValue SignInit Sign"
LATER="SignInit Sign"
# By a URI the pair is found at once; each half lacks what the other has.
FOUND="Initialize GetSlotList GetTokenInfo OpenSession Login FindObjectsInit"
FOUND+=" FindObjects FindObjectsFinal GetAttributeValue:0x12"
FOUND+=" GetAttributeValue:0x12"
# p11-kit closes the sessions of its user before it ends the module.
END="CloseSession Finalize"

# check NAME: a server's and a client's key of that name.
check() {
    local name=$1 i
    share_token
    costs "$name: openssl pkey -pubout" "" \
        with_devid openssl pkey -in "$WORK/$name-client.key" -pubout
    costs "$name: devid show" "" "$DEVID" show "$WORK/$name-client.key"

    spy_reset
    with_devid start_nginx --key "$WORK/$name-server.key" \
        --cert "$WORK/$name-server.pem"
    with_devid nginx_run -t 2>/dev/null
    assert_equal "$name: nginx -t and nginx start" "" "$(spy_list)"
    costs "$name: nginx's first handshake" "$FIRST" plain_request
    for ((i = 0; i < 3; i++)); do
        costs "$name: nginx's next handshake" "$LATER" plain_request
    done
    spy_reset
    stop_nginx
    assert_equal "$name: nginx's end" "$END" "$(spy_list)"
    ! grep -E '\[(alert|emerg|crit)\]' "$WORK/nginx.log" ||
        fail "nginx logged an alert"

    OPENSSL_CONF=/dev/null start_nginx --key "$WORK/plain.key" \
        --cert "$WORK/plain-server.pem"
    costs "$name: a whole curl" "$FIRST $END" one_request "$name"
    stop_nginx
    costs "$name: a CSR by openssl req" "$FIRST $END" \
        with_devid openssl req -new -key "$WORK/$name-client.key" -subj /CN=x
    costs "$name: a CSR by devid" "$FIRST $END" \
        "$DEVID" csr --key "$WORK/$name-client.key" --subject /CN=x --out -
}

# uri_of KEY: the URI in that key's file.
uri_of() {
    "$DEVID" show --json "$1" | jq -r '.[0].uri'
}

# check_uris: keys by their URIs, in a program that knows no file of theirs.
check_uris() {
    local name uri
    for name in ec-p256 rsa-2048; do
        uri=$(uri_of "$WORK/$name-client.key")
        costs "$name: a key by its URI" "$FOUND $END" \
            with_devid openssl pkey -in "$uri" -noout
        costs "$name: a CSR by the key's URI" "$FOUND $LATER $END" \
            with_devid openssl req -new -key "$uri" -subj /CN=x
        "$DEVID" cert put --key "$uri" --cert "$WORK/$name-client.pem"
        costs "$name: with its certificate beside it" \
            "$FOUND GetAttributeValue:0x12 $END" \
            with_devid openssl pkey -in "$uri" -noout
        "$DEVID" delete --yes "${uri/type=private/type=cert}"
    done
}

harness_dir
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_plain_client
sign_csr "$WORK/plain.csr" "$WORK/plain-server.pem" server
chmod 644 "$WORK/plain-server.pem"
start_token budget
start_spy
for algorithm in ec-p256 rsa-2048; do
    for purpose in server client; do
        make_identity "$algorithm-$purpose" $purpose --device "$TOKEN_URI" \
            --algorithm "$algorithm"
    done
    check "$algorithm"
done

say "A key by its URI: ten calls, eleven with its certificate"
check_uris

say "pkcs11-provider's PEM has no public key, so that the token is asked for it"
peer_pem "$(uri_of "$WORK/ec-p256-server.key")" "$WORK/uri.pem"
spy_reset
with_devid start_nginx --key "$WORK/uri.pem" --cert "$WORK/ec-p256-server.pem"
assert_equal "nginx start" "Initialize GetSlotList GetTokenInfo OpenSession \
FindObjectsInit FindObjects FindObjectsFinal GetAttributeValue:0x12" \
    "$(spy_list)"
# The worker is the child of one that has the module: SoftHSM says so.
costs "nginx's first handshake" "${FIRST/Initialize/Initialize:0x191}" \
    plain_request
costs "nginx's next handshake" "$LATER" plain_request
stop_nginx
OPENSSL_CONF=/dev/null start_nginx --key "$WORK/plain.key" \
    --cert "$WORK/plain-server.pem"
peer_pem "$(uri_of "$WORK/ec-p256-client.key")" "$WORK/uri.pem"
costs "a whole curl" "Initialize GetSlotList GetTokenInfo OpenSession \
FindObjectsInit FindObjects FindObjectsFinal GetAttributeValue:0x12 Login \
FindObjectsInit FindObjects FindObjectsFinal GetAttributeValue $LATER $END" \
    with_devid curl_mtls "$WORK/uri.pem" "$WORK/ec-p256-client.pem"
stop_nginx

say "Keys that are copied into the session"
openssl_conf "$WORK/openssl.cnf" last "pkcs11-copy-keys = yes"
COPIED=${FIRST/SignInit/CopyObject SignInit}
for algorithm in ec-p256 rsa-2048; do
    # In two server blocks, so that the program loads it twice.
    with_devid start_nginx --key "$WORK/$algorithm-server.key" \
        --cert "$WORK/$algorithm-server.pem" --also "$algorithm-server"
    costs "$algorithm: nginx's first handshake" "$COPIED" plain_request
    costs "$algorithm: nginx's next handshake" "$LATER" plain_request
    # curl asks the first block again with it.
    costs "$algorithm: one with the same key in another block: no other copy" \
        "FindObjectsInit FindObjects FindObjectsFinal GetAttributeValue $LATER \
$LATER" \
        plain_request --connect-to "::127.0.0.1:$NGINX_PORT" \
        "https://$algorithm-server.localhost/"
    stop_nginx
    DEVID_SPY_FAULT=C_CopyObject=0x1b costs \
        "$algorithm: a token that makes no copy signs all the same" \
        "${COPIED/CopyObject/CopyObject:0x1b} $END" \
        with_devid openssl req -new -key "$WORK/$algorithm-client.key" -subj /CN=x
done
openssl_conf "$WORK/openssl.cnf"

say "Eight programs start at once"
pids=()
for ((i = 0; i < 8; i++)); do
    "$DEVID" csr --key "$WORK/ec-p256-client.key" --subject /CN=x \
        --out "$WORK/eight.$i" &
    pids+=($!)
done
for pid in "${pids[@]}"; do
    wait "$pid" || fail "one of eight failed"
done

say "Two thousand other objects on the token"
fill_token 2000
check ec-p256
check_uris
