#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Somebody at the line repeats a device's request while its TPM answers the
# challenge: the device does not notice.
#
# Usage: line_replay.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
make_line
"$DEVID" request --serial SN1 --model Gate --out overheard.req

# repeated WHEN: devid provision, whose request is repeated three times when the
# TPM has the challenge.
repeated() {
    local when=$1 i
    trace_reset
    fault "hold ActivateCredential times=1"
    EXEC="exec" provision >out 2>&1 &
    PROVISION=$!
    fault_holds "$PROVISION"
    for ((i = 0; i < 3; i++)); do
        post /v1/units "$(request_body overheard.req SN1)"
        assert_equal "$when: the request is repeated" 200 "$STATUS"
    done
    fault_clear
    wait "$PROVISION" || fail "$when: $(<out)"
    assert_equal "$when: the device answered, once" 1 \
        "$(trace_count ActivateCredential)"
    assert_equal "and was asked once" "" "$(grep note: out || true)"
    assert_whole "$when"
}

repeated "a new device"
repeated "once more"
