#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# docs/moving.md: its blocks run as they stand there, on key files and tokens
# that the programs made that it moves away from.
#
# Usage: moving.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# with_tpm2 COMMAND...: run it with tpm2-openssl.
with_tpm2() {
    TPM2OPENSSL_TCTI=$TPM2TOOLS_TCTI OPENSSL_CONF=$WORK/tpm2.cnf \
        TSS2_LOG=all+none "$@"
}

# blocks NAME: the page's blocks of that name, one after the other.
blocks() {
    sed -n "/^\`\`\`sh $1\$/,/^\`\`\`\$/{/^\`\`\`/!p}" "$TOP/docs/moving.md"
}

# follow NAME: each command of them succeeds, with devid.
follow() {
    local script=$WORK/$1.sh
    {
        echo 'set -euxo pipefail'
        blocks "$1"
    } >"$script"
    (($(wc -l <"$script") > 2)) || fail "docs/moving.md has no block \"$1\""
    PATH=$BUILD_DIR/tools:$PATH OPENSSL_CONF=$WORK/devid.cnf \
        bash "$script" >"$WORK/follow.log" 2>&1 ||
        fail "docs/moving.md, $1: $(<"$WORK/follow.log")"
    say "  ok: docs/moving.md, $1: $(blocks "$1" | wc -l) lines"
}

# a_token: a token "moving" with a key "sign", made by OpenSC, and the PIN in a
# file.
a_token() {
    start_token moving
    pkcs11-tool --module "$TOKEN_MODULE" --login --pin "$TOKEN_PIN" \
        --token-label moving --keypairgen --key-type EC:prime256v1 \
        --label sign --id 01 >/dev/null 2>&1
    cp "$TOKEN_PIN_FILE" pin
}

# provider_uri_pem URI: a PEM file as pkcs11-provider writes it.
provider_uri_pem() {
    printf '%s\n' 'asn1 = SEQUENCE:key' '[key]' \
        'mark = VISIBLESTRING:PKCS\#11 Provider URI v1.0' \
        "uri = UTF8String:$1" >uri.cnf
    plain_openssl asn1parse -genconf uri.cnf -noout -out uri.der
    echo '-----BEGIN PKCS#11 PROVIDER URI-----'
    plain_openssl base64 -in uri.der
    echo '-----END PKCS#11 PROVIDER URI-----'
}

# ptool COMMAND OPTION...: tpm2-pkcs11's own tool.
ptool() {
    tpm2_ptool "$1" --path "$WORK/store" "${@:2}" >"$WORK/ptool.log" 2>&1 ||
        fail "tpm2_ptool $1 failed"
}

harness_dir
cd "$WORK"
need tpm2_create pkcs11-tool tpm2_ptool
start_tpm --srk
echo data >data
printf '%s\n' 'openssl_conf = openssl_init' '[openssl_init]' \
    'providers = provider_sect' '[provider_sect]' 'default = on' 'tpm2 = on' \
    '[on]' 'activate = 1' >tpm2.cnf
"$DEVID" conf openssl >devid.cnf

say "tpm2-openssl"
with_tpm2 openssl genpkey -propquery provider=tpm2 -algorithm EC \
    -pkeyopt group:P-256 -out theirs.pem
attributes='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|noda'
tpm2_create -Q -C 0x81000001 -G ecc256 -a "$attributes" -u object.pub \
    -r object.priv
tpm2_load -Q -C 0x81000001 -u object.pub -r object.priv -c first.ctx
tpm2_evictcontrol -Q -C o -c first.ctx 0x81000042
tpm2_flushcontext -t
follow tpm2-openssl
export OPENSSL_CONF=$WORK/devid.cnf
assert_fails "a digest by a query for tpm2 fails" \
    openssl dgst -sha256 -propquery provider=tpm2 data
assert_fails "an object: is refused" openssl pkey -in object:object.ctx -noout
unset OPENSSL_CONF

say "libp11, pkcs11-provider"
a_token
export DEVID_PKCS11_MODULE=$TOKEN_MODULE
OPENSSL_CONF=devid.cnf openssl pkey -pubout -out ours.pub \
    -in "pkcs11:token=moving;object=sign?pin-source=file:pin"
if openssl engine pkcs11 >/dev/null 2>&1; then
    PKCS11_MODULE_PATH=$TOKEN_MODULE OPENSSL_CONF=/dev/null openssl pkey \
        -engine pkcs11 -inform engine -in \
        "pkcs11:token=moving;object=sign;type=private?pin-value=$TOKEN_PIN" \
        -pubout -out engine.pub 2>/dev/null || fail "libp11's engine has no key"
    assert_equal "it is the key that libp11's engine finds" \
        "$(<engine.pub)" "$(<ours.pub)"
fi
follow libp11
slot=$(softhsm2-util --show-slots | awk '/^Slot/ { print $2; exit }')
unset DEVID_PKCS11_MODULE
printf '%s\n' "pkcs11-module = $TOKEN_MODULE" "pin-source = file:$WORK/pin" |
    cat "$WORK/tpm2.cnf" - | sed 's/tpm2 = on/devid = devid/' >token.cnf
sed -i "s|^pkcs11-module|[devid]\nmodule = $BUILD_DIR/provider/devid.so\nactivate = 1\n&|" \
    token.cnf
OPENSSL_CONF=token.cnf openssl pkey -in "pkcs11:slot-id=$slot;id=%01" \
    -pubout -out by-slot.pub
assert_equal "slot-id, id, pkcs11-module and pin-source find the key" \
    "$(<ours.pub)" "$(<by-slot.pub)"
sed 's/^pkcs11-module =/pkcs11-module-path =/' token.cnf >unknown.cnf
OPENSSL_CONF=unknown.cnf assert_fails "pkcs11-provider's settings" \
    openssl pkey -in theirs.pem -noout
assert_contains "are errors that name them" pkcs11-module-path "$OUTPUT"
export DEVID_PKCS11_MODULE=$TOKEN_MODULE
provider_uri_pem "pkcs11:token=moving;object=sign;type=private?pin-source=file:$WORK/pin" \
    >provider-uri.pem
follow pkcs11-provider

say "tpm2-pkcs11"
# Its own tool leaves objects in a TPM without a resource manager.
start_abrmd
export TPM2TOOLS_TCTI=$DEVID_TCTI TPM2_PKCS11_TCTI=$DEVID_TCTI
export TPM2_PKCS11_STORE=$WORK/store
mkdir store
printf 471147 >pin
ptool init
ptool addtoken --pid 1 --label moving --sopin 08150815 --userpin 471147
ptool addkey --label moving --key-label sign --userpin 471147 \
    --algorithm ecc256
unset DEVID_PKCS11_MODULE SOFTHSM2_CONF
follow tpm2-pkcs11
