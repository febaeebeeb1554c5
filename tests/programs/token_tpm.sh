#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The main cases on another module: tpm2-pkcs11, over a TPM emulator.
#
# Usage: token_tpm.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

FIRST="Initialize GetSlotList GetTokenInfo OpenSession Login FindObjectsInit"
FIRST+=" FindObjects FindObjectsFinal GetAttributeValue SignInit Sign"

# ptool COMMAND OPTION...: tpm2-pkcs11's own tool.
ptool() {
    tpm2_ptool "$1" --path "$WORK/store" "${@:2}" >"$WORK/ptool.log" 2>&1 ||
        fail "tpm2_ptool $1 failed"
}

# in_tpm: what programs left there.
in_tpm() {
    tpm2_getcap handles-transient
    tpm2_getcap handles-loaded-session
}

# answers WHAT COMMAND...: nginx serves it, and says so.
answers() {
    local what=$1 got
    shift
    got=$("$@") || fail "$what: no answer"
    assert_contains "$what" "SUCCESS" "$got"
}

harness_dir
need tpm2_ptool
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_plain_client
start_tpm --srk
start_abrmd
export TPM2TOOLS_TCTI=$DEVID_TCTI TPM2_PKCS11_TCTI=$DEVID_TCTI
export TPM2_PKCS11_STORE=$WORK/store
mkdir "$WORK/store"
ptool init
ptool addtoken --pid 1 --label chip --sopin so --userpin 4711
printf 4711 >"$WORK/chip.pin"
module=$(find /usr/lib -name 'libtpm2_pkcs11.so*' -print -quit)
use_token chip 0000000000000000 "$WORK/chip.pin" "$module"
start_spy
KEYGEN_DEVICE=(--device "$TOKEN_URI")

for algorithm in ec-p256 rsa-2048; do
    for purpose in server client; do
        # It complains itself of an RSA key that is told not to decrypt.
        make_identity "$algorithm-$purpose" $purpose --algorithm $algorithm \
            2>"$WORK/keygen.err"
    done
    # The workers open its database.
    chmod -R a+rwX "$WORK/store"
    spy_reset
    "$DEVID" csr --key "$WORK/$algorithm-client.key" --subject /CN=x \
        --out "$WORK/$algorithm.csr"
    assert_equal "$algorithm: a CSR takes what it takes on SoftHSM" \
        "$FIRST CloseSession Finalize" "$(spy_list)"
    plain_openssl req -in "$WORK/$algorithm.csr" -verify -noout 2>/dev/null ||
        fail "$algorithm: the CSR does not verify"

    with_devid start_nginx --key "$WORK/$algorithm-server.key" \
        --cert "$WORK/$algorithm-server.pem" --workers 2
    for version in 1.2 1.3; do
        for ((i = 0; i < 4; i++)); do
            answers "$algorithm: nginx, TLS $version" \
                plain_request "--tlsv$version" --tls-max $version
        done
        answers "$algorithm: curl, TLS $version" with_devid curl_mtls \
            "$WORK/$algorithm-client.key" "$WORK/$algorithm-client.pem" \
            "--tlsv$version" --tls-max $version
    done
    stop_nginx QUIT
    assert_equal "$algorithm: nginx ended cleanly" "" \
        "$(grep -E '\[(alert|emerg|crit)\]' "$WORK/nginx.log" || true)"
    assert_equal "$algorithm: nothing is left in the TPM" "" "$(in_tpm)"
done
with_devid openssl dgst -sha384 -sign "$WORK/rsa-2048-client.key" \
    -sigopt rsa_padding_mode:pss -out "$WORK/pss" "$WORK/chip.pin"
plain_openssl req -in "$WORK/rsa-2048.csr" -noout -pubkey >"$WORK/rsa.pub"
plain_openssl dgst -sha384 -verify "$WORK/rsa.pub" \
    -sigopt rsa_padding_mode:pss -signature "$WORK/pss" "$WORK/chip.pin" \
    >/dev/null || fail "the RSA-PSS signature does not verify"
say "  ok: RSA-PSS verifies"
assert_equal "nothing is left in the TPM" "" "$(in_tpm)"

# Its TPM library would print a line for each thing that it tries.
assert_fails "without its TPM" env -u TSS2_LOG TPM2_PKCS11_TCTI=swtpm:port=1 \
    "$DEVID" csr --key "$WORK/ec-p256-client.key" --subject /CN=x --out -
assert_contains "it says why" "the PKCS#11 module $TOKEN_MODULE does not start" \
    "$(grep ^devid: <<<"$OUTPUT")"
assert_equal "and the TPM library says nothing" "" \
    "$(grep -E '^(ERROR|WARNING):[a-z]+:' <<<"$OUTPUT" || true)"
assert_fails "where the user wants its log" env TSS2_LOG=all+error \
    TPM2_PKCS11_TCTI=swtpm:port=1 \
    "$DEVID" csr --key "$WORK/ec-p256-client.key" --subject /CN=x --out -
assert_contains "it is there" "ERROR:tcti:" "$OUTPUT"
