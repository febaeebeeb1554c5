#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device whose endorsement and owner hierarchies have auth values: neither
# they nor the answer to a challenge cross the bus in clear, and a wrong one is
# tried once.
#
# Usage: auth.sh bare|abrmd [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
LINK=${ARGS[0]:?bare or abrmd}
harness_dir
start_tpm --ek
start_trace --raw-log "$WORK/raw"
[[ $LINK == bare ]] || start_abrmd

# in_clear TEXT: whether it is in what has crossed the bus.
in_clear() {
    grep -q "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n')" "$WORK/raw"
}

# hidden TEXT...: none has crossed in clear.
hidden() {
    local text
    in_clear IDEVID || fail "the bus is not recorded"
    for text; do
        ! in_clear "$text" || fail "\"$text\" crossed the bus in clear"
    done
    say "  ok: nothing crossed the bus in clear"
}

# nothing_left: behind a resource manager the TPM is the manager's.
nothing_left() {
    [[ $LINK == abrmd ]] || assert_nothing_left "$@"
}

say "Without auth values"
device request >/dev/null
challenge "a secret answer" "$(public_of attestPub)"
device activate
assert_equal "the challenge is answered" "a secret answer" \
    "$(<"$(field answer)")"
hidden "a secret answer"
nothing_left
IDEVID=$(hex "$(field signingPub)")
tpm2_evictcontrol -Q -C o -c 0x81020000
tpm2_evictcontrol -Q -C o -c 0x81020001

say "With auth values"
printf 'endorsed value' >"$WORK/endorsement"
printf 'owner value' >"$WORK/owner"
printf 'wrong value' >"$WORK/wrong"
tpm2_changeauth -Q -c endorsement "file:$WORK/endorsement"
tpm2_changeauth -Q -c owner "file:$WORK/owner"
assert_fails "none given" device request
assert_contains "says which" "the endorsement hierarchy\
 (endorsement-auth-source) has an auth value, and none was given" "$OUTPUT"
export DEVID_ENDORSEMENT_AUTH_SOURCE=file:$WORK/wrong
trace_reset
assert_fails "a wrong one" device request
assert_contains "says so" "the TPM refused the auth value given for the\
 endorsement hierarchy (endorsement-auth-source); it was tried once" "$OUTPUT"
assert_equal "and it was" 1 "$(trace_list | grep -o 'CreatePrimary:' | wc -l)"
export DEVID_ENDORSEMENT_AUTH_SOURCE=file:$WORK/endorsement
assert_fails "none for the owner" device request
assert_contains "says which" "the hierarchy of the persistent handle has an auth\
 value, and none was given" "$OUTPUT"
nothing_left "after these"
export DEVID_OWNER_AUTH_SOURCE=file:$WORK/owner
device request >/dev/null
assert_equal "both: the same IDevID" "$IDEVID" "$(hex "$(field signingPub)")"
challenge "another answer" "$(public_of attestPub)"
device activate
assert_equal "and the challenge is answered" "another answer" \
    "$(<"$(field answer)")"
head -c 700 /dev/urandom >"$(field iak.der)"
head -c 700 /dev/urandom >"$(field idevid.der)"
device certs
hidden "another answer" "endorsed value" "owner value" "wrong value"
nothing_left
