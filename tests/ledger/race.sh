#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Eight stations on one PostgreSQL at once: no serial number and no quota is
# taken twice.
#
# Usage: race.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
STATIONS=8
start_postgres

# race FIRST STRIDE COUNT [ek]: each station enrols COUNT units with four
# clients; `ek`: each has EKs of its own for them.
race() {
    local i pids=()
    rm -f "$WORK"/line-*.out
    for ((i = 1; i <= STATIONS; i++)); do
        start_writer "line-$i" $(($1 + i * $2)) "$3" 4 ${4:+"$4$i"}
        pids+=("$SPAWNED")
    done
    for i in "${pids[@]}"; do
        wait "$i" || fail "a writer failed: $(cat "$WORK"/line-*.log)"
    done
}

new_ledger quota postgres 500
race 0 1000 100
check_ledger "eight stations want 800 units of a quota of 500"
assert_equal "they have exactly 500" "500 300" "$(count "done") $(count quota)"

new_ledger units postgres 100000
race 0 0 200
check_ledger "eight stations enrol the same 200 units"
assert_equal "each is new once" "200 1400" "$(count "done") $(count again)"

new_ledger serials postgres 100000
race 0 0 200 ek
check_ledger "eight machines with the same 200 serial numbers"
assert_equal "each is taken once" "200 1400" "$(count "done") $(count duplicate)"

new_ledger close postgres 210
race 0 0 200
assert_equal "a quota that hardly suffices does" "200 1400" \
    "$(count "done") $(count again)"
check_ledger "the same with a quota of 210"
