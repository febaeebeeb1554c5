#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor on a token, in SoftHSM, which is made to say what tokens say of
# their PINs; and on an identity whose key is on it.
#
# Usage: token.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
need softhsm2-util
mkdir "$WORK/softhsm" "$WORK/unit"
printf '%s\n' "directories.tokendir = $WORK/softhsm" \
    "objectstore.backend = file" "log.level = ERROR" >"$WORK/softhsm.conf"
export SOFTHSM2_CONF=$WORK/softhsm.conf
export PIN_STATES_MODULE=$SOFTHSM_MODULE PIN_STATES_LOG=$WORK/pins
export DEVID_PKCS11_MODULE=$BUILD_DIR/tests/tools/pin_states.so
softhsm2-util --init-token --free --label factory --so-pin 12345678 \
    --pin 123456 >/dev/null

# look [FLAGS]: the doctor on the token, which says these flags of itself.
look() {
    PIN_STATES_FLAGS=${1:-0} doctor --device pkcs11:token=factory \
        --identity "$WORK/unit" "${@:2}"
}

say "A token"
look
finds "says who it is" token ok "token 'factory': SoftHSM project"
finds "and that its PIN is in order" token.pin ok
finds "no TPM is asked" tpm ""
[[ ! -s $WORK/pins ]] || fail "it was logged in to: $(<"$WORK/pins")"

say "What it says of its PINs"
look 10000
finds "a wrong one was given" token.pin warning "a wrong PIN was given"
look 20000
finds "one try is left" token.pin bad "one more wrong PIN locks"
look 40000
finds "none is left" token.pin bad "devid token unblock"
look 80000
finds "it is the first one" token.pin warning "devid token change-pin"
look 400000
finds "the security officer's is locked" token.so_pin warning
look 2
finds "it is write-protected" token.write_protected note

say "Its room"
look 0 --dump "$WORK/dump.json"
jq '.token.free_private = 4096' "$WORK/dump.json" >"$WORK/changed.json"
doctor --from "$WORK/changed.json"
finds "is little" token.room warning "4096 bytes left"
finds "SoftHSM does not say" token.room warning
jq '.token.free_private = 8192' "$WORK/dump.json" >"$WORK/changed.json"
doctor --from "$WORK/changed.json"
finds "is enough" token.room ""

say "An identity on it"
printf 123456 >"$WORK/pin"
"$DEVID" keygen --device pkcs11:token=factory --auth-source "file:$WORK/pin" \
    --out "$WORK/unit/key.pem"
rm -f "$WORK/pins"
look
finds "is not asked without its PIN" identity.key note "without a PIN"
[[ ! -s $WORK/pins ]] || fail "it was logged in to: $(<"$WORK/pins")"
look 0 --auth-source "file:$WORK/pin"
finds "answers with it" identity.key ok

say "No such token"
doctor --device pkcs11:token=nowhere --identity "$WORK/unit"
finds "is bad" token bad "the token was not asked"
