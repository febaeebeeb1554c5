#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid token: tokens are found, initialised, and given their PINs; a PIN is
# tried once, and what the token tells of it is passed on.
#
# Usage: token.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
start_softhsm
printf 'officer-1\n' >so.pin
printf 'user-1' >user.pin
printf 'user-2' >new.pin
printf 'nonsense' >wrong.pin
export SO_PIN=officer-1

# tokens FILTER: what jq makes of the list of tokens.
tokens() {
    "$DEVID" token list --json | jq -r "$@"
}

# pin_works FILE TOKEN: the user PIN in FILE is that of the token: it is changed
# to itself.
pin_works() {
    succeeds "the user PIN of $2 is that of $1" token change-pin \
        --device "pkcs11:token=$2" --pin-source "file:$1" \
        --new-pin-source "file:$1"
}

say "A token that is new"
succeeds "list" token list
assert_contains "says that it is not initialised" "not initialised" "$OUTPUT"
assert_equal "so in JSON" "false false" \
    "$(tokens '.[] | "\(.initialized) \(.user_pin_set)"')"
refuses "it takes no PIN yet" "there is no token that is initialised" \
    token set-pin --so-pin-source file:so.pin --pin-source file:user.pin
succeeds "it is initialised" token init --label factory --json \
    --so-pin-source file:so.pin --pin-source file:user.pin
assert_equal "and says so" "factory true true" \
    "$(json '"\(.label) \(.initialized) \(.user_pin_set)"')"
assert_equal "the list says so, too" "factory true" \
    "$(tokens '.[] | select(.initialized) | "\(.label) \(.user_pin_set)"')"
pin_works user.pin factory

say "A second one, in two steps"
succeeds "initialised alone" token init --label 'line 2' \
    --so-pin-source env:SO_PIN
assert_equal "it has no user PIN" false \
    "$(tokens '.[] | select(.label == "line 2").user_pin_set')"
uri=$(tokens '.[] | select(.label == "line 2").uri')
refuses "its user PIN cannot be changed" "has no user PIN yet" token change-pin \
    --device "$uri" --pin-source file:user.pin --new-pin-source file:new.pin
refuses "nor replaced" "'devid token set-pin' gives it one" token unblock \
    --device "$uri" --so-pin-source file:so.pin --pin-source file:user.pin
succeeds "it is set" token set-pin --device "$uri" \
    --so-pin-source file:so.pin --pin-source file:user.pin
pin_works user.pin 'line%202'
refuses "once" "the token line 2 has a user PIN" token set-pin --device "$uri" \
    --so-pin-source file:so.pin --pin-source file:new.pin

say "PINs are changed"
succeeds "the user's" token change-pin --device pkcs11:token=factory \
    --pin-source file:user.pin --new-pin-source file:new.pin
pin_works new.pin factory
refuses "the old one does no longer" "refused the user PIN" token change-pin \
    --device pkcs11:token=factory --pin-source file:user.pin \
    --new-pin-source file:user.pin
assert_contains "what the token tells is passed on" \
    "the token counts wrong ones" "$ERRORS"
assert_equal "the list tells it, too" "wrong before" \
    "$(tokens '.[] | select(.label == "factory").user_pin')"
succeeds "the officer gives a new one" token unblock \
    --device pkcs11:token=factory --so-pin-source file:so.pin \
    --pin-source file:user.pin
pin_works user.pin factory
succeeds "the officer's own" token change-pin --so \
    --device pkcs11:token=factory --pin-source file:so.pin \
    --new-pin-source file:new.pin
refuses "its old one does no longer" "refused the security officer's PIN" \
    token unblock --device pkcs11:token=factory --so-pin-source file:so.pin \
    --pin-source file:new.pin
pin_works user.pin factory

say "What the token says of its tries"
module=$BUILD_DIR/tests/tools/pin_states.so
export PIN_STATES_LOG=$WORK/tried PIN_STATES_MODULE=$SOFTHSM_MODULE
# with_flags FLAGS COMMAND...: the token says so; forgets what was tried.
with_flags() {
    : >"$PIN_STATES_LOG"
    local flags=$1
    shift
    PIN_STATES_FLAGS=$flags "$@" --module "$module" \
        --device pkcs11:token=factory
}
change=(token change-pin --pin-source file:wrong.pin --new-pin-source file:new.pin)
unblock=(token unblock --so-pin-source file:wrong.pin --pin-source file:new.pin)
with_flags 10000 refuses "a wrong PIN with few tries left" \
    "counts wrong ones, and locks it after some" "${change[@]}"
assert_equal "was tried once" "C_Login user" "$(<tried)"
with_flags 20000 refuses "a wrong PIN before the last try" \
    "one try is left before it is locked" "${change[@]}"
assert_equal "was tried once" "C_Login user" "$(<tried)"
with_flags 40000 refuses "a PIN that is locked" "the user PIN of the token \
factory is locked: its security officer gives it a new one with 'devid token \
unblock'" "${change[@]}"
assert_equal "is not tried" "" "$(<tried)"
with_flags 200000 refuses "the officer's last try" \
    "security officer's PIN, which is not tried again; one try is left" \
    "${unblock[@]}"
assert_equal "was one" "C_Login SO" "$(<tried)"
with_flags 400000 refuses "an officer's PIN that is locked" \
    "security officer's PIN of the token factory is locked" "${unblock[@]}"
assert_equal "is not tried" "" "$(<tried)"
PIN_STATES_FLAGS=40000 succeeds "list" token list --module "$module"
assert_contains "shows a locked PIN" "user PIN locked" "$OUTPUT"
pin_works user.pin factory

say "Tokens that are taken"
refuses "an initialised one" "give --force to erase it, and all keys on it" \
    token init --label other --so-pin-source file:new.pin \
    --device pkcs11:token=factory
refuses "with another officer's PIN" "refused the security officer's PIN" \
    token init --label other --so-pin-source file:wrong.pin --force \
    --device pkcs11:token=factory
pin_works user.pin factory
serial=$(tokens '.[] | select(.label == "factory").serial')
succeeds "with its own" token init --label other --force \
    --so-pin-source file:new.pin --device "pkcs11:serial=$serial"
assert_equal "the label is new, and the user PIN gone" "false" \
    "$(tokens '.[] | select(.label == "other").user_pin_set')"

say "URIs"
succeeds "the old label again" token init --label factory --force \
    --so-pin-source file:new.pin --pin-source file:user.pin \
    --device pkcs11:token=other
refuses "no URI where there are two tokens" "2 tokens match: " token unblock \
    --so-pin-source file:new.pin --pin-source file:user.pin
assert_contains "lists them" "factory (serial $serial" "$ERRORS"
refuses "a URI of no token" "there is no such token" token unblock \
    --so-pin-source file:so.pin --pin-source file:user.pin \
    --device pkcs11:token=nowhere
# wrong_uri WHAT SENTENCE URI
wrong_uri() {
    refuses "$1" "$2" token unblock --so-pin-source file:new.pin \
        --pin-source file:user.pin --device "$3"
}
wrong_uri "an empty attribute" "has an empty attribute" 'pkcs11:;token=factory'
wrong_uri "an empty one at the end" "has an empty attribute" \
    'pkcs11:token=factory;'
wrong_uri "one given twice" "the attribute 'token' twice" \
    'pkcs11:token=factory;token=other'
wrong_uri "one of an object" "attribute 'object' says nothing of a token" \
    'pkcs11:token=factory;object=unit'
wrong_uri "one that is unknown" "attribute 'colour' says nothing" \
    'pkcs11:colour=red'
wrong_uri "a PIN in it" "attribute 'pin-value' says nothing" \
    'pkcs11:token=factory?pin-value=s3cret'
[[ $ERRORS != *s3cret* ]] || fail "the message holds the PIN"
wrong_uri "another scheme" "is no URI of a token" tpm2:
wrong_uri "escapes that are none" "cannot be read" 'pkcs11:token=%zz'
DEVID_PKCS11_MODULE=/nowhere succeeds "module-path in the URI wins" token unblock \
    --so-pin-source file:new.pin --pin-source file:user.pin \
    --device "pkcs11:token=factory?module-path=$SOFTHSM_MODULE"

say "PINs that are none"
: >empty.pin
printf 'user\0pin' >nul.pin
printf '12' >short.pin
set_pin=(token unblock --device pkcs11:token=factory --so-pin-source file:new.pin)
refuses "an empty one" "the new user PIN is empty" \
    "${set_pin[@]}" --pin-source file:empty.pin
refuses "one with a NUL" "holds a NUL byte" \
    "${set_pin[@]}" --pin-source file:nul.pin
refuses "one that is too short" "takes no PIN of this length" \
    "${set_pin[@]}" --pin-source file:short.pin
refuses "the PIN itself" "--pin-source is file:PATH, env:NAME or prompt" \
    "${set_pin[@]}" --pin-source s3cret
[[ $ERRORS != *s3cret* ]] || fail "the message holds the PIN"
refuses "a file that is not there" "nowhere cannot be read" \
    "${set_pin[@]}" --pin-source file:nowhere
pin_works user.pin factory

say "Modules"
refuses "one that is not there" "does not load: /nowhere" \
    token list --module /nowhere
refuses "a file that is no library" "does not load" \
    token list --module /etc/passwd
library=$(ldconfig -p | sed -n 's/.*libcrypto\.so\.3 .*=> //p' | head -n 1)
refuses "a library that is no module" "it has no C_GetFunctionList" \
    token list --module "$library"
SOFTHSM2_CONF=$WORK/nowhere refuses "one that does not start" \
    "does not start: " token list
# The other modules of this machine may have something to say.
assert_contains "p11-kit's registry leads to the token as well" factory \
    "$(env -u DEVID_PKCS11_MODULE "$DEVID" token list 2>/dev/null)"
assert_contains "by its name, too" factory \
    "$(env -u DEVID_PKCS11_MODULE "$DEVID" token unblock --json \
        --so-pin-source file:new.pin --pin-source file:user.pin \
        --device 'pkcs11:token=factory?module-name=softhsm2')"
refuses "a name that it does not know" "p11-kit knows no PKCS#11 module nobody" \
    token unblock --so-pin-source file:new.pin --pin-source file:user.pin \
    --device 'pkcs11:token=factory?module-name=nobody'

if command -v script >/dev/null; then
    say "On the terminal"
    typed officer-2 officer-2 | script -qec \
        "'$DEVID' token init --label typed" terminal >/dev/null
    assert_contains "the officer's PIN is asked for" \
        "The security officer's PIN:" "$(<terminal)"
    assert_equal "the token is initialised" true \
        "$(tokens '.[] | select(.label == "typed").initialized')"
    typed officer-2 user-3 user-3 | script -qec \
        "'$DEVID' token set-pin --device pkcs11:token=typed" terminal >/dev/null
    [[ $(<terminal) != *user-3* ]] || fail "the PIN was echoed"
    printf 'user-3' >typed.pin
    pin_works typed.pin typed
fi
