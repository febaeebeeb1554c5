#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The answer to a commit is lost, again and again: the station finds out that
# it was committed, and does no job a second time.
#
# Usage: doubt.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
start_postgres
new_ledger doubt postgres 1000000
mkdir "$WORK/late"

# start_relay: answers of the server take five milliseconds more.
start_relay() {
    spawn relay "$BUILD_DIR/tests/ledger/late_relay" \
        "$WORK/late/.s.PGSQL.5432" "$POSTGRES_SOCKET/.s.PGSQL.5432" 5
    RELAY=$SPAWNED
    await "the relay" "$RELAY" test -S "$WORK/late/.s.PGSQL.5432"
}

# wrote LINES: whether the writer has answered so often.
wrote() {
    (($(wc -l <"$WORK/line-1.out") >= $1))
}

start_relay
LEDGER=${LEDGER/host=$POSTGRES_SOCKET/host=$WORK/late}
: >"$WORK/line-1.out"
start_writer line-1 0 1000000 8
writer=$SPAWNED
for ((i = 0; i < 15; i++)); do
    await "answers" "$writer" wrote $(($(wc -l <"$WORK/line-1.out") + 20))
    halt "$RELAY" KILL
    rm "$WORK/late/.s.PGSQL.5432"
    start_relay
done
await "answers" "$writer" wrote $(($(wc -l <"$WORK/line-1.out") + 20))
halt "$writer"
check_ledger "after 15 answers were lost"
# One that is done a second time says "again".
assert_equal "no job was done a second time, none failed" "0 0" \
    "$(count again) $(count failed)"
