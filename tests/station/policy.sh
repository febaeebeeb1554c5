#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The flags of a station's policy: each takes the one device that is refused
# without it, and no other.
#
# Usage: policy.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
make_station

# A flag, its device, the code and the sentence without it.
FLAGS=(
    allow_sha1 sha1 ek-sha1 "is signed over SHA1, which can be forged"
    allow_expired expired ek-expired "on the EK's chain expired on "
    allow_no_eku no-eku ek-purpose
    "the EK certificate does not say what it is for"
    allow_no_iak_proof unproven iak-proof-missing "the request lacks atCreateTkt"
    allow_other_templates other-template iak-template
    "the IAK's authPolicy is not that of the TCG's template"
    # No flag takes a key that can be computed.
    none weak-ek ek-roca "CVE-2017-15361"
    none weak-idevid idevid-key "the IDevID's RSA key of 2048 bits is weak"
)
for ((i = 0; i < ${#FLAGS[@]}; i += 4)); do
    device=${FLAGS[i + 1]}
    "$BUILD_DIR/tests/station/craft" "$device" X-1 "$device.req" "$device.pem"
done
cp sha1.pem line/vendors
mv line line.new

# ask_all FLAG: the station has that flag alone; its device is taken, and all
# others are refused as they are without it.
ask_all() {
    local i device code sentence
    rm -rf line
    cp -a line.new line
    [[ $1 == none ]] || setting policy "$1" yes
    start_station
    for ((i = 0; i < ${#FLAGS[@]}; i += 4)); do
        [[ ${FLAGS[i]} != "$1" || $1 == none ]] || continue
        device=${FLAGS[i + 1]} code=${FLAGS[i + 2]} sentence=${FLAGS[i + 3]}
        post /v1/units "$(request_body "$device.req" X-1)"
        assert_refused "$1: $device" 422 "$code" "$sentence"
    done
    for ((i = 0; i < ${#FLAGS[@]}; i += 4)); do
        device=${FLAGS[i + 1]}
        [[ ${FLAGS[i]} == "$1" && $1 != none ]] || continue
        post /v1/units "$(request_body "$device.req" X-1)"
        assert_equal "$1: $device is taken" 201 "$STATUS"
    done
    stop_station
}

for flag in none allow_sha1 allow_expired allow_no_eku allow_no_iak_proof \
    allow_other_templates; do
    say "With $flag"
    ask_all "$flag"
done
