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
# p11-kit closes the sessions of its user before it ends the module.
END="CloseSession Finalize"

# costs WHAT CALLS PROGRAM...: the program succeeds and takes just these calls.
costs() {
    local what=$1 expected=$2
    shift 2
    spy_reset
    "$@" >"$WORK/out" 2>&1 || fail "$what: $(<"$WORK/out")"
    assert_equal "$what" "$expected" "$(spy_list)"
}

one_request() {
    with_devid curl_mtls "$WORK/$1-client.key" "$WORK/$1-client.pem"
}

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

# uri_pem KEY FILE: the URI in that key's file as pkcs11-provider's PEM.
uri_pem() {
    local uri
    uri=$("$DEVID" show --json "$1" | jq -r '.. | .uri? // empty' | head -n 1)
    printf '%s\n' asn1=SEQUENCE:s '[s]' \
        'd=VISIBLESTRING:PKCS\#11 Provider URI v1.0' \
        "u=FORMAT:UTF8,UTF8String:\"$uri\"" >"$WORK/uri.cnf"
    plain_openssl asn1parse -genconf "$WORK/uri.cnf" -noout \
        -out "$WORK/uri.der"
    {
        echo "-----BEGIN PKCS#11 PROVIDER URI-----"
        base64 -w 64 "$WORK/uri.der"
        echo "-----END PKCS#11 PROVIDER URI-----"
    } >"$2"
    chmod 644 "$2"
}

# fill_token COUNT: put that many other objects on the token.
fill_token() {
    local i
    printf 'data' >"$WORK/data"
    for ((i = 0; i < $1; i++)); do
        pkcs11-tool --module "$SOFTHSM_MODULE" --login --pin "$TOKEN_PIN" \
            --write-object "$WORK/data" --type data --label "other $i" \
            >/dev/null 2>&1 || fail "object $i does not go onto the token"
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

say "pkcs11-provider's PEM has no public key, so that the token is asked for it"
uri_pem "$WORK/ec-p256-server.key" "$WORK/uri.pem"
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

need pkcs11-tool
fill_token 100
check ec-p256
