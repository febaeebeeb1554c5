#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Tokens that are not like others: one that shows its private keys to everybody,
# and ones that lack mechanisms of RSA.
#
# Usage: token_lacks.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# calls_of_requests COUNT: the calls that as many requests at nginx take.
calls_of_requests() {
    local i
    spy_reset
    for ((i = 0; i < $1; i++)); do
        plain_request >/dev/null || fail "nginx does not answer"
    done
    spy_list
}

harness_dir
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_plain_client
start_token lacks
start_spy
make_identity rsa server --device "$TOKEN_URI" --algorithm rsa-2048 --label rsa
DEVID_SPY_LIES=CKA_PRIVATE=0 make_identity open server --device "$TOKEN_URI" \
    --label open
share_token
printf 'what is signed' >"$WORK/data"

say "A private key that everybody may use takes no PIN"
open="pkcs11:token=lacks;serial=$TOKEN_SERIAL;object=open"
open+="?module-path=$TOKEN_MODULE"
spy_reset
"$DEVID" csr --key "$open" --subject /CN=x --out "$WORK/open.csr" --force \
    </dev/null
plain_openssl req -in "$WORK/open.csr" -verify -noout 2>/dev/null ||
    fail "the request does not verify"
assert_equal "a CSR logs in nowhere" 0 "$(spy_count C_Login)"
assert_fails "another key is not found" "$DEVID" csr --key \
    "${open/object=open/object=rsa}" --subject /CN=x --out "$WORK/none.csr"
assert_contains "and the PIN that is missing is named" "without a PIN the token \
'lacks' shows no private key" "$OUTPUT"
"$DEVID" show --json "$open" | jq -r '.[0].uri' >"$WORK/uri"
peer_pem "$(<"$WORK/uri")" "$WORK/open.pem.key"
with_devid start_nginx --key "$WORK/open.pem.key" --cert "$WORK/open.pem"
assert_equal "nginx signs with it" "Initialize:0x191 GetSlotList GetTokenInfo \
OpenSession FindObjectsInit FindObjects FindObjectsFinal GetAttributeValue \
SignInit Sign SignInit Sign" "$(calls_of_requests 2)"
stop_nginx

say "A token without PSS: padded in software, signed by CKM_RSA_X_509"
export DEVID_SPY_LIES=CKM_RSA_PKCS_PSS=none
plain_openssl req -in "$WORK/rsa.csr" -noout -pubkey >"$WORK/rsa.pub"
for hash in sha256 sha384 sha512; do
    with_devid openssl dgst -$hash -sigopt rsa_padding_mode:pss \
        -sign "$WORK/rsa.key" -out "$WORK/sig" "$WORK/data"
    plain_openssl dgst -$hash -sigopt rsa_padding_mode:pss -verify \
        "$WORK/rsa.pub" -signature "$WORK/sig" "$WORK/data" >/dev/null ||
        fail "PSS with $hash does not verify"
done
say "  ok: PSS verifies with three hashes"
with_devid start_nginx --key "$WORK/rsa.key" --cert "$WORK/rsa.pem"
assert_contains "nginx asks the token for PSS once" \
    "GetAttributeValue SignInit:0x70 SignInit Sign SignInit Sign SignInit Sign" \
    "$(calls_of_requests 3)"
stop_nginx

say "A token that has neither"
export DEVID_SPY_LIES="CKM_RSA_PKCS_PSS=none CKM_RSA_X_509=none"
assert_fails "a signature with PSS" with_devid openssl dgst -sha256 \
    -sigopt rsa_padding_mode:pss -sign "$WORK/rsa.key" -out "$WORK/sig" \
    "$WORK/data"
assert_contains "it says what is missing" \
    "the token 'lacks' did not begin to sign: the token lacks this mechanism" \
    "$OUTPUT"
with_devid openssl dgst -sha256 -sign "$WORK/rsa.key" -out "$WORK/sig" \
    "$WORK/data"
say "  ok: PKCS#1 still signs"

say "A token without CKM_RSA_X_509: it removes the padding itself"
export DEVID_SPY_LIES=CKM_RSA_X_509=none
printf 'a secret' >"$WORK/message"

# decrypts WHAT CALLS PKEYUTL OPTION...: twice in one process, so that the calls
# show what the token is asked for at first and then.
decrypts() {
    local what=$1 calls=$2
    shift 2
    plain_openssl pkeyutl -encrypt -pubin -inkey "$WORK/opens.pub" \
        -in "$WORK/message" -out "$WORK/sent" "$@"
    spy_reset
    with_devid openssl pkeyutl -decrypt -inkey "$WORK/opens.key" \
        -in "$WORK/sent" -out "$WORK/got" "$@" || fail "$what: not decrypted"
    cmp -s "$WORK/message" "$WORK/got" || fail "$what: another message"
    assert_contains "$what" "$calls" "$(spy_list)"
}

make_identity opens server --device "$TOKEN_URI" --algorithm rsa-2048 \
    --label opens --decrypt
with_devid openssl pkey -in "$WORK/opens.key" -pubout -out "$WORK/opens.pub"
instead="DecryptInit:0x70 DecryptInit Decrypt CloseSession"
decrypts "PKCS#1" "$instead" -pkeyopt rsa_padding_mode:pkcs1
decrypts "OAEP" "$instead" -pkeyopt rsa_padding_mode:oaep
plain_openssl cms -encrypt -binary -in "$WORK/message" -out "$WORK/sent" \
    -recip "$WORK/opens.pem"
with_devid openssl cms -decrypt -in "$WORK/sent" -inkey "$WORK/opens.key" \
    -recip "$WORK/opens.pem" -out "$WORK/got" || fail "CMS: not decrypted"
cmp -s "$WORK/message" "$WORK/got" || fail "CMS: another message"
say "  ok: CMS"
head -c 256 /dev/zero >"$WORK/sent"
assert_fails "a block without padding" with_devid openssl pkeyutl -decrypt \
    -inkey "$WORK/opens.key" -in "$WORK/sent" -pkeyopt rsa_padding_mode:none
assert_contains "says what is missing" "the token 'lacks' did not decrypt with \
this padding: the token lacks this mechanism" "$OUTPUT"
plain_openssl rand -out "$WORK/sent" 255
printf '\0' | cat - "$WORK/sent" >"$WORK/wrong"
spy_reset
with_devid openssl pkeyutl -decrypt -inkey "$WORK/opens.key" \
    -in "$WORK/wrong" -out "$WORK/made-up" || fail "wrong padding is told"
say "  ok: wrong padding of PKCS#1 is answered with a message that is made up"
assert_contains "it is not tried again" \
    "DecryptInit:0x70 DecryptInit Decrypt:0x5 CloseSession Finalize" \
    "$(spy_list)"
assert_fails "wrong padding of OAEP" with_devid openssl pkeyutl -decrypt \
    -inkey "$WORK/opens.key" -in "$WORK/wrong" -pkeyopt rsa_padding_mode:oaep
export DEVID_SPY_LIES="CKM_RSA_X_509=none CKM_RSA_PKCS=none"
plain_openssl pkeyutl -encrypt -pubin -inkey "$WORK/opens.pub" \
    -in "$WORK/message" -out "$WORK/sent"
assert_fails "a token that has no PKCS#1 either" with_devid openssl pkeyutl \
    -decrypt -inkey "$WORK/opens.key" -in "$WORK/sent"
assert_contains "says so" "the token lacks this mechanism" "$OUTPUT"

say "A token without CKM_RSA_X_509: signatures do not need it"
export DEVID_SPY_LIES=CKM_RSA_X_509=none
for padding in pkcs1 pss; do
    spy_reset
    with_devid openssl dgst -sha256 -sigopt rsa_padding_mode:$padding \
        -sign "$WORK/rsa.key" -out "$WORK/sig" "$WORK/data"
    plain_openssl dgst -sha256 -sigopt rsa_padding_mode:$padding -verify \
        "$WORK/rsa.pub" -signature "$WORK/sig" "$WORK/data" >/dev/null ||
        fail "$padding does not verify"
    assert_contains "$padding: one try" "GetAttributeValue SignInit Sign" \
        "$(spy_list)"
done
