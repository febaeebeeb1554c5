#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The connection to PostgreSQL is cut while two stations enrol, the server is
# restarted, and crashes: each job is done once, or says that it failed.
#
# Usage: cut.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
start_postgres
new_ledger cut postgres 1000000

# both_wrote LINES: whether both writers have answered so often.
both_wrote() {
    (($(wc -l <"$WORK/line-1.out") >= $1 && $(wc -l <"$WORK/line-2.out") >= $1))
}

# until_both LINES MORE: wait for that much more than there is.
more_from_both() {
    local least
    least=$(wc -l "$WORK"/line-[12].out | awk 'NR < 3 && $1 > n { n = $1 } END { print n }')
    await "answers after $1" "$writer" both_wrote $((least + 50))
}

: >"$WORK/line-1.out"
: >"$WORK/line-2.out"
start_writer line-1 0 1000000 8
other=$SPAWNED
start_writer line-2 1000000 1000000 8
writer=$SPAWNED
await "answers" "$writer" both_wrote 100
for ((i = 0; i < 60; i++)); do
    postgres_sql cut "SELECT count(pg_terminate_backend(pid)) FROM
        pg_stat_activity WHERE application_name = 'devid-station'" >/dev/null
    sleep 0.03
done
more_from_both "60 cuts"
say "  ok: both stations go on after 60 cuts"
stop_postgres
launch_postgres
more_from_both "a restart"
say "  ok: both stations go on after a restart of the server"
stop_postgres QUIT
launch_postgres
more_from_both "a crash"
say "  ok: both stations go on after a crash of the server"
halt "$other"
halt "$writer"
check_ledger "after all of that"
# A failure is a sentence; none is left in doubt while the server comes back.
assert_equal "no job failed meanwhile" "" \
    "$(grep -h '^failed' "$WORK"/line-[12].out | head -n 3)"
# One that is done again, after a commit whose answer was lost, says "again".
assert_equal "no job was done a second time" 0 "$(count again)"
