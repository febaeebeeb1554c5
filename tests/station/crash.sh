#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The station is killed before and after each of its writes to the disk while a
# device enrols. The device asks again, and there is one unit, with one pair of
# certificates, and a log without a gap.
#
# Usage: crash.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
need sqlite3
start_tpm --ek
make_station
trust_vendor "$WORK/tpm"
mv line line.new
"$DEVID" request --serial SN-1 --model Gate --out gate.req
body=$(request_body gate.req SN-1)

# whole_way: a device's requests up to its certificates, in certs; false where
# an answer did not come.
whole_way() {
    post /v1/units "$body"
    [[ $STATUS == 20? ]] || return 1
    UNIT=$(json .unit)
    json .challenge | base64 -d >gate.challenge
    activate gate
    [[ $STATUS == 200 ]] || return 1
    take_certs gate
    certs=$(cat gate.idevid.der gate.iak.der | sha256sum)
}

for ((moment = 1; moment < 100; moment++)); do
    rm -rf line
    cp -a line.new line
    certs=
    spawn station env LD_PRELOAD="$BUILD_DIR/tests/station/kill_at.so" \
        DEVID_KILL_AT="$moment" "$STATION" serve --dir line
    STATION_PID=$SPAWNED
    if await_port "$STATION_PID" "$STATION_PORT"; then
        whole_way || true
    fi
    if kill -0 "$STATION_PID" 2>/dev/null && [[ $certs ]]; then
        stop_station KILL
        break
    fi
    halt "$STATION_PID"
    before=$certs
    start_station
    whole_way || fail "moment $moment: after the restart: $STATUS $OUTPUT"
    [[ ! $before || $before == "$certs" ]] ||
        fail "moment $moment: there were certificates before"
    first=$certs
    whole_way || fail "moment $moment: once more: $STATUS $OUTPUT"
    [[ $first == "$certs" ]] || fail "moment $moment: there is a second pair"
    stop_station
    [[ $(ledger 'SELECT count(*) FROM unit') == 1 ]] ||
        fail "moment $moment: there is not one unit"
    [[ $(ledger 'SELECT count(*) FROM certificate') == 2 ]] ||
        fail "moment $moment: there are not two certificates"
    OUTPUT=$("$STATION" verify-log --dir line --json 2>&1) ||
        fail "moment $moment: the log has a fault: $OUTPUT"
    [[ $(json '.heads | length') == 1 ]] ||
        fail "moment $moment: the log is not one chain: $OUTPUT"
done
((moment > 6)) || fail "only $moment moments were found"
say "  ok: killed at $((moment - 1)) moments, each time one unit, one pair, one chain"
