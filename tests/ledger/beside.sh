#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Commands write to a ledger beside a station of the same name that enrols, and
# reads lists meanwhile: one chain, and no entry is lost.
#
# Usage: beside.sh [--build-dir DIR] [--keep] [postgres]
source "$(dirname "$0")/common.sh"
kind=${ARGS[0]:-}
[[ $kind != postgres ]] || start_postgres
new_ledger beside ${kind:+"$kind"} 1000000

# wrote LINES: whether the station has answered so often.
wrote() {
    (($(wc -l <"$WORK/line-0.out") >= $1))
}

: >"$WORK/line-0.out"
start_writer line-0 0 1000000 8 "" lists
station=$SPAWNED
for ((i = 1; i <= 15; i++)); do
    await "answers" "$station" wrote $((i * 30))
    "$WRITER" open "$LEDGER" "B$((i + 1))" 5 ||
        fail "a batch is not opened beside the station"
done
halt "$station"
[[ ! -s $WORK/line-0.log ]] || fail "$(<"$WORK/line-0.log")"
check_ledger "15 commands beside a station"
entries=$(sed -n 's/^entries \([0-9]*\) .*/\1/p' "$WORK/check")
assert_equal "every entry is there" $((USED + 16)) "$entries"
