#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The station is killed before and after each of its writes to the disk while a
# unit gets an LDevID and renews it. The unit asks again: one certificate for
# each time that it asked, the same as before the kill, and a log without a gap.
#
# Usage: est_crash.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/est_common.sh"
harness_dir
need sqlite3
cd "$WORK"
make_station
setting policy allow_pkcs10 yes
start_station
make_unit SN-1
stop_station
mv line line.new
make_csr first /
make_csr again /serialNumber=SN-1 first.key
cp first.key again.key

# step NAME COMMAND...: NAME.pem is what came back, and is what it was before;
# false where no answer came.
step() {
    local name=$1
    "${@:2}"
    [[ $STATUS == 200 ]] || return 1
    certs_of answer >"$name.got"
    [[ ! -e $name.pem ]] || cmp -s "$name.pem" "$name.got" ||
        fail "moment $moment: $name is another certificate than before"
    mv "$name.got" "$name.pem"
}

# whole_way: the LDevID, unless it is there, and its renewal, by the same key.
whole_way() {
    [[ -e first.pem ]] || step first enrol_est SN-1 first || return 1
    step again renew_est first again
}

for ((moment = 1; moment < 100; moment++)); do
    rm -rf line first.pem again.pem
    cp -a line.new line
    spawn station env LD_PRELOAD="$BUILD_DIR/tests/station/kill_at.so" \
        DEVID_KILL_AT="$moment" "$STATION" serve --dir line
    STATION_PID=$SPAWNED
    if await_port "$STATION_PID" "$STATION_PORT"; then
        whole_way || true
    fi
    if kill -0 "$STATION_PID" 2>/dev/null && [[ -e again.pem ]]; then
        stop_station KILL
        break
    fi
    halt "$STATION_PID"
    start_station
    whole_way || fail "moment $moment: after the restart: $STATUS $OUTPUT"
    whole_way || fail "moment $moment: once more: $STATUS $OUTPUT"
    stop_station
    numbers=$(ledger 'SELECT number FROM ldevid ORDER BY id')
    [[ $numbers == "$(for name in first again; do
        plain_openssl x509 -in $name.pem -noout -serial | cut -d = -f 2
    done)" ]] || fail "moment $moment: the ledger has other certificates: $numbers"
    "$STATION" verify-log --dir line >verify.out ||
        fail "moment $moment: the log has a fault"
done
((moment > 6)) || fail "only $moment moments were found"
say "  ok: killed at $((moment - 1)) moments, each time one certificate a request, one chain"
