#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The station is killed at each moment at which that makes a difference to its
# ledger: before and after each write to the disk, or after each message to
# PostgreSQL. First while a device enrols, then while it says how far it has come,
# to the escrow, the lock and its end. The device asks again what was not
# answered, and there is one unit, with one pair of certificates, each step once,
# and a log without a gap.
#
# Usage: crash.sh [--build-dir DIR] [--keep] [postgres]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
use_ledger "${ARGS[0]:-sqlite}"
[[ $LEDGER == postgres ]] || need sqlite3
start_tpm --ek
make_station
trust_vendor "$WORK/tpm"
setting policy allow_pkcs10 yes
"$DEVID" request --serial SN-1 --model Gate --out gate.req
body=$(request_body gate.req SN-1)

# ---- a station that is as it was, and is killed -------------------------------

# keep_as NAME: the station and its ledger, as they are; nobody serves.
keep_as() {
    cp -a line "line.$1"
    [[ $LEDGER != postgres ]] ||
        postgres_sql postgres "CREATE DATABASE $1 TEMPLATE line"
}

# put_back NAME
put_back() {
    rm -rf line
    cp -a "line.$1" line
    [[ $LEDGER != postgres ]] ||
        postgres_sql postgres <<<"DROP DATABASE line WITH (FORCE);
            CREATE DATABASE line TEMPLATE $1;"
}

# start_doomed MOMENT: a station that is killed there; in PostgreSQL only once it
# serves, since before it asks for much that changes nothing.
start_doomed() {
    local armed=()
    rm -f armed
    [[ $LEDGER != postgres ]] || armed=(DEVID_KILL_ARMED="$WORK/armed")
    spawn station env LD_PRELOAD="$BUILD_DIR/tests/station/kill_at.so" \
        DEVID_KILL_AT="$1" "${armed[@]}" "$STATION" serve --dir line
    STATION_PID=$SPAWNED
    await_port "$STATION_PID" "$STATION_PORT" || return 1
    : >armed
}

# killed_in_each_moment FROM COMMAND CHECK: of what COMMAND does with a station
# that is as FROM. Again after the kill, and once more; then CHECK, with nobody
# serving. Sets MOMENTS.
killed_in_each_moment() {
    local moment before
    for ((moment = 1; moment < 200; moment++)); do
        put_back "$1"
        result=
        begin=0
        if start_doomed "$moment"; then
            "$2" || true
        fi
        if kill -0 "$STATION_PID" 2>/dev/null && [[ $result ]]; then
            stop_station KILL
            MOMENTS=$((moment - 1))
            return
        fi
        halt "$STATION_PID"
        before=$result
        start_station
        "$2" || fail "moment $moment: after the restart: $STATUS $OUTPUT"
        [[ ! $before || $before == "$result" ]] ||
            fail "moment $moment: it had another outcome before"
        before=$result
        "$2" || fail "moment $moment: once more: $STATUS $OUTPUT"
        [[ $before == "$result" ]] || fail "moment $moment: now it has another"
        stop_station
        "$3" || fail "moment $moment: $OUTPUT"
        OUTPUT=$("$STATION" verify-log --dir line --json 2>&1) ||
            fail "moment $moment: the log has a fault: $OUTPUT"
        [[ $(json '.heads | length') == 1 ]] ||
            fail "moment $moment: the log is not one chain: $OUTPUT"
    done
    fail "it was killed at $moment moments, and there is no end"
}

# counts SQL NUMBER: what the ledger has so many of; else OUTPUT says it.
counts() {
    OUTPUT="$1: $(ledger "$1")"
    [[ $OUTPUT == "$1: $2" ]]
}

# ---- to the certificates ------------------------------------------------------

# enrolled: a device's requests up to its certificates; false where an answer did
# not come.
enrolled() {
    post /v1/units "$body"
    [[ $STATUS == 20? ]] || return 1
    UNIT=$(json .unit)
    json .challenge | base64 -d >gate.challenge
    if cmp -s gate.challenge answered.challenge; then
        post "/v1/units/$UNIT/activate" \
            "{\"answer\": \"$(base64_of gate.answer)\"}"
    else
        activate gate
        cp gate.challenge answered.challenge
    fi
    [[ $STATUS == 200 ]] || return 1
    take_certs gate
    result=$(cat gate.idevid.der gate.iak.der | sha256sum)
}

one_pair() {
    counts 'SELECT count(*) FROM unit' 1 &&
        counts 'SELECT count(*) FROM certificate' 2
}

keep_as empty
killed_in_each_moment empty enrolled one_pair
((MOMENTS > 6)) || fail "only $MOMENTS moments were found"
say "  ok: killed at $MOMENTS moments, each time one unit, one pair, one chain"

# ---- to its end ---------------------------------------------------------------

# The station does not look at where a unit's key is; a file's is the fastest.
put_back empty
start_station
enrol_plain SN-2
json .idevid | base64 -d | plain_openssl x509 -inform DER -out device.pem
stop_station
keep_as issued
printf 'auth values' | plain_openssl cms -encrypt -aes256 -binary \
    -outform DER -out escrow.der -recip device.pem
steps=(state '{"state": "installed"}' state '{"state": "tested"}'
    state "{\"escrow\": \"$(base64_of escrow.der)\"}"
    state '{"state": "locked"}' retire '{"reason": "cessation"}')

# lived: the steps from the first that was not answered, or the last.
lived() {
    while :; do
        post "/v1/units/$UNIT/${steps[begin]}" "${steps[begin + 1]}" \
            --key device.key --cert device.pem
        [[ $STATUS == 200 ]] || return 1
        ((begin + 2 < ${#steps[@]})) || break
        begin=$((begin + 2))
    done
    result=$(json .state)
}

each_step_once() {
    counts "SELECT state, escrow IS NULL AS lost FROM unit" \
        "$([[ $LEDGER == postgres ]] && echo 'retired|f' || echo 'retired|0')" &&
        counts 'SELECT count(*) FROM certificate WHERE revoked_ms > 0 AND reason = 5' 1 &&
        counts "SELECT count(*) FROM audit WHERE revision > 0 AND subject = '$UNIT' AND detail NOT LIKE 'again%'" 6
}

killed_in_each_moment issued lived each_step_once
((MOMENTS > 6)) || fail "only $MOMENTS moments were found"
say "  ok: killed at $MOMENTS moments, each time each step once, one chain"
