#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A station is killed again and again while it enrols: what it has answered is
# in the ledger, nothing is there by half.
#
# Usage: kill.sh [--build-dir DIR] [--keep] [postgres]
source "$(dirname "$0")/common.sh"
kind=${ARGS[0]:-}
[[ $kind != postgres ]] || start_postgres
new_ledger killed ${kind:+"$kind"} 1000000

# wrote LINES: whether the writer has answered so often.
wrote() {
    (($(wc -l <"$WORK/line-1.out") >= $1))
}

: >"$WORK/line-1.out"
for ((round = 1; round <= 6; round++)); do
    start_writer line-1 $((round * 100000)) 90000 8
    await "answers" "$SPAWNED" wrote $((round * 150))
    halt "$SPAWNED" KILL
done
check_ledger "killed six times"
assert_equal "it was killed in the middle" "" \
    "$(outcomes "done" | awk '$1 % 100000 == 89999')"
