#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The attributes of RFC 7512, one by one, by the tool and by openssl storeutl:
# each leads to its key, and to none where its value is another. What fits two
# tokens or two keys is an error that lists them.
#
# Usage: token_uris.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
start_token uris
softhsm2-util --delete-token --token uris >/dev/null
# init_token LABEL: one more token.
init_token() {
    softhsm2-util --init-token --free --label "$1" --pin "$TOKEN_PIN" \
        --so-pin "$TOKEN_SO_PIN" >/dev/null
}
init_token 'line one'
init_token 'line two'
module="module-path=$TOKEN_MODULE"
pin="pin-source=file:$TOKEN_PIN_FILE"

# slot_of LABEL, serial_of LABEL: what softhsm2-util says of that token.
slot_of() {
    softhsm2-util --show-slots | awk -v label="$1" '
        /^Slot/ { slot = $2 }
        $1 == "Label:" && substr($0, index($0, $2)) ~ "^" label { print slot }'
}
serial_of() {
    softhsm2-util --show-slots | awk -v label="$1" '
        /Serial number:/ { serial = $3 }
        $1 == "Label:" && substr($0, index($0, $2)) ~ "^" label { print serial }'
}

# store COMMAND...: openssl, with the module and the PIN in its configuration.
store() {
    OPENSSL_CONF=$WORK/openssl.cnf openssl "$@" 2>&1
}

one=$(serial_of 'line one')
two=$(serial_of 'line two')
slot=$(slot_of 'line one')
openssl_conf openssl.cnf last "pkcs11-module = $TOKEN_MODULE" \
    "pin-source = file:$TOKEN_PIN_FILE"
for token in one two; do
    "$DEVID" keygen --device "pkcs11:token=line%20$token?$module&$pin" \
        --label "unit $token" --out $token.pem
done
succeeds "the key of the first token" show --json one.pem
key=$(json '.[0].public_key_sha256')
id=$(json '.[0].uri' | sed -n 's/.*;id=\([^;?]*\).*/\1/p')

say "Each attribute leads to its key, and another value of it to none"
# No other token has these, so that they tell the two apart.
alone=("token=line%20one" "serial=$one" "slot-id=$slot"
    "slot-description=SoftHSM%20slot%20ID%20$(printf '0x%x' "$slot")")
# The two tokens share these.
shared=("manufacturer=SoftHSM%20project" "model=SoftHSM%20v2"
    "slot-manufacturer=SoftHSM%20project" "library-manufacturer=SoftHSM"
    "library-description=Implementation%20of%20PKCS11" "library-version=2.6")
object=("object=unit%20one" "id=$id" "type=private;object=unit%20one")
for attribute in "${alone[@]}" "${shared[@]/%/;token=line%20one}" \
    "${object[@]/%/;token=line%20one}"; do
    uri="pkcs11:$attribute"
    succeeds "$attribute" show --json "$uri?$module&$pin"
    assert_equal "is the key" "$key" "$(json '.[0].public_key_sha256')"
    assert_equal "and so by storeutl" "Total found: 1" \
        "$(store storeutl -noout -keys "$uri" | tail -n 1)"
done
for attribute in token=line serial=0123456789abcdef slot-id=7 \
    slot-description=SoftHSM slot-manufacturer=nobody manufacturer=nobody \
    model=SoftHSM%20v9 library-manufacturer=nobody \
    library-description=nobody library-version=9.9; do
    refuses "$attribute" "no token fits the URI 'pkcs11:$attribute" \
        show "pkcs11:$attribute?$module&$pin"
    assert_contains "and so by storeutl" \
        "no token fits the URI 'pkcs11:$attribute" \
        "$(store storeutl -noout "pkcs11:$attribute" || true)"
done
for attribute in object=unit id=%01%02; do
    refuses "$attribute" "the token 'line one' has no private key that fits" \
        show "pkcs11:token=line%20one;$attribute?$module&$pin"
done

say "What fits two is listed, never guessed"
both="'line one' (serial=$one;slot-id=$slot)"
for attribute in "${shared[@]}"; do
    refuses "$attribute" "2 tokens fit the URI 'pkcs11:$attribute" \
        show "pkcs11:$attribute?$module&$pin"
    assert_contains "the first, without the padding of its label" "$both" \
        "$ERRORS"
    assert_contains "the second" "'line two' (serial=$two;slot-id=" "$ERRORS"
    assert_contains "and so by storeutl" "$both" \
        "$(store storeutl -noout "pkcs11:$attribute" || true)"
done
"$DEVID" keygen --device "pkcs11:token=line%20one?$module&$pin" \
    --label "unit one" --out twin.pem
refuses "two keys of one label" "more than one private key fits the URI" \
    show "pkcs11:token=line%20one;object=unit%20one?$module&$pin"
assert_contains "by their ids" "id=$id;object=unit one" "$ERRORS"
assert_contains "and so by storeutl" "id=$id;object=unit one" "$(
    store storeutl -noout "pkcs11:token=line%20one;object=unit%20one" || true
)"
succeeds "one of them by its id" \
    show "pkcs11:token=line%20one;id=$id;object=unit%20one?$module&$pin"
init_token 'line two'
refuses "two tokens of one label" "2 tokens fit the URI" \
    show "pkcs11:token=line%20two?$module&$pin"
succeeds "one of them by its serial" show "pkcs11:serial=$two?$module&$pin"

say "Where the PIN is"
# signs WHAT QUERY: a request by the key, with the PIN as the query says.
signs() {
    succeeds "$1" csr --key "pkcs11:serial=$two?$module&$2" --subject /CN=x \
        --out "signs.csr" --force
}
# refuses_pin WHAT SENTENCE QUERY: no request, and this is why. A program that
# has the PIN may complain for itself.
refuses_pin() {
    run_devid csr --key "pkcs11:serial=$two?$module&$3" --subject /CN=x \
        --out none
    assert_equal "$1: its exit code" 1 "$STATUS" >/dev/null
    assert_contains "$1" "$2" "$(tail -n 1 <<<"$ERRORS")"
    [[ $ERRORS != *"$TOKEN_PIN"* && $ERRORS != *s3cret* ]] ||
        fail "the message holds the PIN"
}
cp "$TOKEN_PIN_FILE" pin
printf '#!/bin/sh\ncat %s/pin\n' "$WORK" >say-pin
chmod 755 say-pin
signs "pin-value" "pin-value=$TOKEN_PIN"
refuses_pin "a program without leave" "pin-program = yes" \
    "pin-source=|$WORK/say-pin"
export DEVID_PIN_PROGRAM=yes
for source in "file:$WORK/pin" "file://$WORK/pin" "file://localhost$WORK/pin" \
    "$WORK/pin" "%7C$WORK/say-pin" "|$WORK/say-pin"; do
    signs "pin-source=$source" "pin-source=$source"
done
refuses_pin "a wrong pin-value" "refused the PIN" pin-value=s3cret
refuses_pin "a file that is not there" "cannot be read" "pin-source=file:/none"
refuses_pin "a program that is not there" "'/none' failed (exit status 127)" \
    "pin-source=%7C/none"
refuses_pin "a program that fails" "failed (exit status 1)" \
    "pin-source=%7Ccat%20$WORK/pin;false"
refuses_pin "a program that says nothing" "there is no PIN in" \
    "pin-source=%7Ctrue"

say "Which module"
uri="pkcs11:serial=$two"
succeeds "module-name" show "$uri?module-name=softhsm2&$pin"
refuses "one that p11-kit does not know" "p11-kit has no module named 'nobody'" \
    show "$uri?module-name=nobody&$pin"
refuses "a module-path that is not there" "'/nowhere' does not load" \
    show "$uri?module-path=/nowhere&$pin"
DEVID_PKCS11_MODULE=/nowhere succeeds "module-path wins over the setting" \
    show "$uri?$module&$pin"
[[ ! -e none ]] || fail "a failure left a file"
