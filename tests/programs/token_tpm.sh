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

harness_dir
need tpm2_ptool
openssl_conf "$WORK/openssl.cnf"
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

for algorithm in ec-p256 rsa-2048; do
    "$DEVID" keygen --device "$TOKEN_URI" --algorithm "$algorithm" \
        --out "$WORK/$algorithm.key" 2>"$WORK/keygen.log"
    spy_reset
    "$DEVID" csr --key "$WORK/$algorithm.key" --subject /CN=x \
        --out "$WORK/$algorithm.csr"
    assert_equal "$algorithm: a CSR takes what it takes on SoftHSM" \
        "$FIRST CloseSession Finalize" "$(spy_list)"
    plain_openssl req -in "$WORK/$algorithm.csr" -verify -noout 2>/dev/null ||
        fail "$algorithm: the CSR does not verify"
done
with_devid openssl dgst -sha384 -sign "$WORK/rsa-2048.key" \
    -sigopt rsa_padding_mode:pss -out "$WORK/pss" "$WORK/chip.pin"
plain_openssl req -in "$WORK/rsa-2048.csr" -noout -pubkey >"$WORK/rsa.pub"
plain_openssl dgst -sha384 -verify "$WORK/rsa.pub" \
    -sigopt rsa_padding_mode:pss -signature "$WORK/pss" "$WORK/chip.pin" \
    >/dev/null || fail "the RSA-PSS signature does not verify"
say "  ok: RSA-PSS verifies"
assert_equal "nothing was left in the TPM" "" "$(tpm2_getcap handles-transient)"
