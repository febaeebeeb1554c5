#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid request and devid activate: what a factory's worker types, and what a
# station makes of it.
#
# Usage: tool.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
DEVID=$BUILD_DIR/tools/devid
harness_dir
start_tpm --ek
mkdir "$WORK/vendors"
cp "$WORK/tpm-ca/cert.pem" "$WORK/tpm-ca/swtpm-localca-rootca-cert.pem" \
    "$WORK/vendors"
cd "$WORK"

# station REQUEST: the verdict on it.
station() {
    "$BUILD_DIR/tests/identity/station" "$1" "$WORK/vendors"
}

# name_at HANDLE: the Name of what is there.
name_at() {
    tpm2_readpublic -c "$1" | sed -n 's/^name: //p'
}

say "A request"
start_trace
"$DEVID" request --serial 4711 --model Gate --out unit.req
assert_equal "takes 19 commands" 19 "$(commands | wc -w)"
assert_equal "a station trusts it" "trusted
Gate 4711
$(name_at 0x81020001)
$(name_at 0x81020000)" "$(station unit.req)"
assert_fails "it is not overwritten" \
    "$DEVID" request --serial 4711 --model Gate --out unit.req
assert_contains "it says so" unit.req "$OUTPUT"
"$DEVID" request --serial 4711 --model Gate --out again.req
assert_equal "made again, the same keys" "$(station unit.req)" \
    "$(station again.req)"
sed 's/Gate/Date/' unit.req >forged.req
assert_fails "one that was altered" station forged.req

say "A challenge"
printf 'the secret of 4711' >secret
tpm2_readpublic -Q -c 0x81010001 -o ek.pub
tpm2_makecredential -Q -T none -u ek.pub -s secret -n "$(name_at 0x81020001)" \
    -o unit.challenge
trace_reset
"$DEVID" activate --challenge unit.challenge --out unit.answer
assert_equal "is answered" "the secret of 4711" "$(<unit.answer)"
assert_equal "by 11 commands" 11 "$(commands | wc -w)"
assert_equal "into a file for its owner alone" 600 "$(stat -c %a unit.answer)"
trace_reset
"$DEVID" activate --ek 0x81010001 --challenge unit.challenge --out - >piped
assert_equal "or to the standard output" "the secret of 4711" "$(<piped)"
assert_equal "by 9 where the EK is named" 9 "$(commands | wc -w)"
assert_fails "not for another EK" "$DEVID" activate --ek ec-p384 \
    --challenge unit.challenge --out other.answer
assert_contains "says so" "this challenge is not for this device" "$OUTPUT"
[[ ! -e other.answer ]] || fail "and a file was written"
head -c 100 unit.challenge >short.challenge
assert_fails "half a challenge" "$DEVID" activate \
    --challenge short.challenge --out other.answer
assert_contains "says so" "short.challenge is no challenge" "$OUTPUT"
assert_nothing_left

say "Other keys"
tpm2_evictcontrol -Q -C o -c 0x81020000
tpm2_evictcontrol -Q -C o -c 0x81020001
for algorithm in ec-p384 rsa-2048; do
    "$DEVID" request --serial 4712 --model Gate --algorithm "$algorithm" \
        --ek ec-p384 --out "$algorithm.req"
    assert_equal "$algorithm: a station trusts it" "trusted
Gate 4712
$(name_at 0x81020001)
$(name_at 0x81020000)" "$(station "$algorithm.req")"
    tpm2_evictcontrol -Q -C o -c 0x81020000
    tpm2_evictcontrol -Q -C o -c 0x81020001
done

say "A TPM whose maker gave it no certificate"
start_tpm bare
OUTPUT=$("$DEVID" request --serial 1 --model Gate --out bare.req 2>&1)
assert_contains "is told of" "endorsement key (RSA 2048 (L-1) at 0x81010001) has\
 no certificate in it" "$OUTPUT"
assert_equal "and not trusted" ek-missing "$(station bare.req | head -n 1)"
