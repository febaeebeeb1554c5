#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What tokens say of their PIN: how many tries are left after a wrong one, and
# keys that want it for each use (CKA_ALWAYS_AUTHENTICATE).
#
# Usage: token_pin.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# a_csr KEY: made and thrown away.
a_csr() {
    "$DEVID" csr --key "$1" --subject /CN=x --out -
}

# wrong_pin FLAG SENTENCE: a wrong PIN, on a token that then has that flag.
wrong_pin() {
    spy_reset
    DEVID_SPY_LIES=${1:+$1=1} assert_fails "a wrong PIN, ${1:-no flag}" \
        a_csr "$WORK/unit.key"
    assert_contains "it says how it stands" "$2" "$OUTPUT"
    assert_equal "one login" 1 "$(spy_count C_Login)"
    [[ $OUTPUT != *"$WRONG"* ]] || fail "the PIN stands in \"$OUTPUT\""
}

# each_time KEY-LABEL ALGORITHM USE: a key that wants the PIN for each use, made
# by another program, since devid makes none.
each_time() {
    # shellcheck disable=SC2153 # the harness sets it
    pkcs11-tool --module "$SOFTHSM_MODULE" --token-label "$TOKEN_LABEL" \
        --login --pin "$TOKEN_PIN" --keypairgen --key-type "$2" --label "$1" \
        --usage-"$3" --always-auth >"$WORK/pkcs11-tool.log" 2>&1
    "$DEVID" show --json "${TOKEN_URI/\?/;object=$1?}" |
        jq -r '.[0].uri' >"$WORK/$1.uri"
    peer_pem "$(<"$WORK/$1.uri")" "$WORK/$1.key"
    with_devid openssl pkey -in "$WORK/$1.key" -pubout -out "$WORK/$1.pub"
}

harness_dir
need pkcs11-tool
WRONG=wrong-pin
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_plain_client
start_token pin
start_spy
make_key unit --device "$TOKEN_URI"

say "Tries that are left"
cp "$TOKEN_PIN_FILE" "$WORK/right.pin"
printf '%s\n' "$WRONG" >"$TOKEN_PIN_FILE"
refusal="refused the PIN (CKR_PIN_INCORRECT); it is not tried again"
wrong_pin CKF_USER_PIN_COUNT_LOW "$refusal; a few more wrong tries lock it"
wrong_pin CKF_USER_PIN_FINAL_TRY "$refusal; one more wrong try locks it"
wrong_pin CKF_USER_PIN_LOCKED "$refusal, and the token has now locked it"
cp "$WORK/right.pin" "$TOKEN_PIN_FILE"
a_csr "$WORK/unit.key" >/dev/null
say "  ok: the right PIN signs"

say "A key that wants its PIN for each use"
each_time signs EC:prime256v1 sign
# SoftHSM logs in a second time only where it can write.
chmod -R a+rwX "$TOKEN_DIR"
assert_contains "a list says so" "asks for its PIN each time" \
    "$("$DEVID" list --json --device "$TOKEN_URI")"
spy_reset
a_csr "$WORK/signs.key" >"$WORK/signs.csr"
plain_openssl req -in "$WORK/signs.csr" -verify -noout 2>/dev/null ||
    fail "the request does not verify"
assert_contains "one login for the token, one for the key" \
    "GetAttributeValue SignInit Login Sign" "$(spy_list)"
"$DEVID" csr --key "$WORK/signs.key" --subject /CN=localhost \
    --san DNS:localhost --out "$WORK/server.csr"
sign_csr "$WORK/server.csr" "$WORK/server.pem" server
chmod 644 "$WORK/server.pem"
with_devid start_nginx --key "$WORK/signs.key" --cert "$WORK/server.pem"
plain_request >/dev/null
spy_reset
for ((i = 0; i < 3; i++)); do
    plain_request >/dev/null
done
assert_equal "nginx's later handshakes" \
    "SignInit Login Sign SignInit Login Sign SignInit Login Sign" "$(spy_list)"
stop_nginx

each_time opens rsa:2048 decrypt
printf 'a secret' >"$WORK/message"
plain_openssl pkeyutl -encrypt -pubin -inkey "$WORK/opens.pub" \
    -in "$WORK/message" -out "$WORK/sent"
spy_reset
with_devid openssl pkeyutl -decrypt -inkey "$WORK/opens.key" \
    -in "$WORK/sent" -out "$WORK/got"
cmp -s "$WORK/message" "$WORK/got" || fail "another message"
assert_contains "decryption, too" "DecryptInit Login Decrypt" "$(spy_list)"

say "No PIN for such a key, or a wrong one"
without=${TOKEN_URI/&pin-source=*/}
assert_fails "no PIN" a_csr "${without/\?/;object=signs?}" </dev/null
assert_contains "says so" "without a PIN the token 'pin' shows no private key" \
    "$OUTPUT"
spy_reset
DEVID_SPY_FAULT=C_Login=0xa0 assert_fails "a wrong PIN" a_csr "$WORK/signs.key"
assert_equal "is tried once" 1 "$(spy_count C_Login)"
