#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A key file that a stranger has made: whoever decodes it, as root in nginx's
# master perhaps, runs no program and loads no library that it names. What the
# machine's administrator has named it may name too.
#
# Usage: foreign_key.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
CANARY_SO=$BUILD_DIR/tests/programs/canary.so

# reference URI FILE: a key reference with that URI, and the public key of
# plain.key, so that no device is asked for one.
reference() {
    local point
    point=$(plain_openssl pkey -in "$WORK/plain.key" -pubout -outform DER |
        tail -c 65 | od -An -v -tx1 | tr -d ' \n')
    printf '%s\n' asn1=SEQUENCE:reference '[reference]' version=INTEGER:1 \
        "uri=FORMAT:UTF8,UTF8String:\"$1\"" public=SEQUENCE:spki '[spki]' \
        algorithm=SEQUENCE:algorithm "key=FORMAT:HEX,BITSTRING:$point" \
        '[algorithm]' type=OID:id-ecPublicKey curve=OID:prime256v1 \
        >"$WORK/reference.cnf"
    plain_openssl asn1parse -genconf "$WORK/reference.cnf" -noout \
        -out "$WORK/reference.der"
    {
        echo "-----BEGIN DEVID KEY REFERENCE-----"
        base64 -w 64 "$WORK/reference.der"
        echo "-----END DEVID KEY REFERENCE-----"
    } >"$2"
}

# load KEY: all that decode a key, each by itself; what they say is in loaded.
load() {
    nginx_conf --key "$1" --cert "$WORK/plain.pem"
    {
        with_devid openssl pkey -in "$1" -pubout || true
        sed '/^-----/d' "$1" | base64 -d >"$WORK/key.der"
        with_devid openssl pkey -in "$WORK/key.der" -pubout || true
        with_devid openssl storeutl -noout -keys "$1" || true
        with_devid nginx_run -t || true
        "$DEVID" show "$1" || true
        "$DEVID" csr --key "$1" --subject /CN=x --out - || true
    } >"$WORK/loaded" 2>&1
}

# refused WHAT SENTENCE URI: a key file with it does not load anywhere, is
# refused with that sentence, and leaves no trace of what it names.
refused() {
    local kind
    for kind in reference peer_pem; do
        "$kind" "$3" "$WORK/foreign.key"
        load "$WORK/foreign.key"
        [[ ! -e $WORK/ran && ! -e $WORK/canary.so.ran ]] ||
            fail "$1: what a stranger's $kind names has run"
        assert_equal "$1, in a $kind: openssl, nginx and devid say so" 6 \
            "$(grep -cF -- "$2" "$WORK/loaded")"
    done
}

harness_dir
cd "$WORK"
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_plain_client
cp "$CANARY_SO" "$WORK/canary.so"
start_token foreign
unset DEVID_PKCS11_MODULE
TOKEN=pkcs11:token=foreign
PIN=pin-source=file:$TOKEN_PIN_FILE

say "What is typed runs: so would the canaries in a key file"
printf '#!/bin/sh\ntouch %s\ncat %s\n' "$WORK/ran" "$TOKEN_PIN_FILE" >say-pin
chmod 755 say-pin
DEVID_PIN_PROGRAM=yes "$DEVID" keygen --label made --out made.key \
    --device "$TOKEN?module-path=$SOFTHSM_MODULE&pin-source=|$WORK/say-pin"
[[ -e ran ]] || fail "the program of a typed URI did not run"
rm ran
assert_fails "a module that is none" \
    "$DEVID" show "$TOKEN?module-path=$WORK/canary.so"
[[ -e canary.so.ran ]] || fail "the module of a typed URI was not loaded"
rm canary.so.ran
say "  ok: both do"

say "What a key file names does not"
export DEVID_PIN_PROGRAM=yes
for uri in "|touch $WORK/ran" "%7Ctouch%20$WORK/ran"; do
    refused "a program" "the key file names a program for its PIN" \
        "$TOKEN?pin-source=${uri// /%20}"
done
refused "a library" "the key file names the PKCS#11 module '$WORK/canary.so'" \
    "$TOKEN?module-path=$WORK/canary.so"
export DEVID_PKCS11_MODULE=$SOFTHSM_MODULE
refused "another library than the setting's" \
    "put pkcs11-module = $WORK/canary.so into devid's section of openssl.cnf" \
    "$TOKEN?module-path=$WORK/canary.so"
unset DEVID_PKCS11_MODULE
refused "a name that p11-kit does not know" \
    "p11-kit has no module named 'canary'" "$TOKEN?module-name=canary"
mkfifo pipe
refused "a pipe, at which it would wait for ever" \
    "'$WORK/pipe' for its PIN, which is no ordinary file" \
    "$TOKEN?pin-source=file:$WORK/pipe"

say "Nor a URI without the administrator's leave"
unset DEVID_PIN_PROGRAM
assert_fails "no setting" "$DEVID" show "$TOKEN?pin-source=|touch%20$WORK/ran"
assert_contains "the sentence has the setting" \
    "pin-program = yes (DEVID_PIN_PROGRAM=yes)" "$OUTPUT"
assert_fails "nor for openssl" with_devid \
    openssl pkey -pubout -in "$TOKEN?pin-source=|touch%20$WORK/ran"
assert_contains "which says it, too" "pin-program = yes" "$OUTPUT"
[[ ! -e ran ]] || fail "the program has run"
openssl_conf "$WORK/openssl.cnf" last "pin-program = yes" \
    "pkcs11-module = $SOFTHSM_MODULE"
with_devid openssl pkey -pubout \
    -in "$TOKEN;object=made?pin-source=|$WORK/say-pin" >/dev/null
[[ -e ran ]] || fail "pin-program = yes in openssl.cnf did not count"
rm ran

say "A key made with a program's PIN does not name the program"
assert_equal "its file" "" \
    "$("$DEVID" show --json made.key | jq -r '.[0].uri' | grep pin-source)"

say "A key file may name what the administrator has named"
# signs WHAT KEY: with the PIN where the setting says it is.
signs() {
    DEVID_PIN_SOURCE=file:$TOKEN_PIN_FILE "$DEVID" csr --key "$2" \
        --subject /CN=x --out "$WORK/made.csr" --force
    plain_openssl req -in "$WORK/made.csr" -verify -noout 2>/dev/null ||
        fail "$1: the request does not verify"
    say "  ok: $1"
}
signs "a module of p11-kit's, whose path has a link in it" made.key
# One that p11-kit does not know: the sentence says what to do about it.
cp "$SOFTHSM_MODULE" "$WORK/own.so"
openssl_conf "$WORK/openssl.cnf"
"$DEVID" keygen --label own --out own.key \
    --device "$TOKEN?module-path=$WORK/own.so&$PIN"
assert_fails "its key file by itself" \
    with_devid openssl pkey -in own.key -pubout
line=$(grep -oE "pkcs11-module = [^ ]+" <<<"$OUTPUT" | head -n 1)
assert_equal "the line for openssl.cnf" "pkcs11-module = $WORK/own.so" "$line"
openssl_conf "$WORK/openssl.cnf" last "$line"
with_devid openssl req -new -key own.key -subj /CN=x -out own.csr
plain_openssl req -in own.csr -verify -noout 2>/dev/null ||
    fail "the request does not verify"
say "  ok: with that line its key signs"
"$DEVID" csr --key own.key --subject /CN=x --out own.csr --force \
    --module "$WORK/own.so"
say "  ok: and with --module"
