#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A station whose queue is full tells a device when to come again; it does then,
# not before, and is provisioned.
#
# Usage: line_busy.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
harness_dir
cd "$WORK"
echo "$BATCH_TOKEN" >token

# One thread, one place in its queue, and a CA's key in a TPM that can be held.
start_tpm --srk house
start_trace --name house
make_station --ca-device tpm2: --tcti "$DEVID_TCTI"
setting server workers 1
setting server queue 1
start_tpm --ek first
trust_vendor "$WORK/first"
start_tpm --ek second
trust_vendor "$WORK/second"
start_station env -u DEVID_TCTI -u TPM2TOOLS_TCTI

# refusals: the times of those because the queue is full.
refusals() {
    jq -rR 'fromjson? | select(.code == "busy") | .time' station.log
}
# refused TIMES: as often at least.
refused() {
    (($(refusals | wc -l) >= $1))
}

say "The station signs, and one waits"
fault "hold Sign times=1"
use_tpm first
EXEC="exec" provision >first.out 2>&1 &
FIRST=$!
fault_holds "$FIRST"
# The first of them waits, and is not waited for.
one_more() {
    ask POST /v1/units --header "Authorization: Bearer $BATCH_TOKEN" \
        --data '{}' --max-time 1 2>/dev/null
    [[ $STATUS == 503 ]]
}
await "the queue to be full" "$FIRST" one_more
BEFORE=$(refusals | wc -l)

say "Another device comes"
use_tpm second
"$DEVID" provision --station "https://localhost:$STATION_PORT" \
    --ca line/ca.pem --serial SN2 --model Gate --token-source file:token \
    --dir "$WORK/other" >second.out 2>&1 &
SECOND=$!
await "three refusals" "$SECOND" refused $((BEFORE + 3))
assert_contains "it says what it waits for" "is busy: it is tried again for" \
    "$(<second.out)"
fault_clear
wait "$FIRST" || fail "the first: $(<first.out)"
wait "$SECOND" || fail "the second: $(<second.out)"
assert_equal "both are provisioned" "SN1 tested SN2 tested" "$(ledger \
    "select serial || ' ' || state from unit order by serial" | xargs)"
assert_equal "it was told a second, and took it each time" "" \
    "$(refusals | tail -n +$((BEFORE + 1)) | uniq -d)"
