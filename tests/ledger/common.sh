# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the ledger's tests in bash share: writers, and what they have left.

# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir
WRITER=$BUILD_DIR/tests/ledger/ledger_writer
export DEVID_TEST_KEY=$BUILD_DIR/tests/keys/ec-p256.pem

# new_ledger NAME [postgres] QUOTA: set LEDGER to a new one with a batch B1.
new_ledger() {
    if [[ ${2:-} == postgres ]]; then
        postgres_sql postgres "CREATE DATABASE $1" || fail "no database $1"
        LEDGER=${POSTGRES_URL/postgres\?/$1?}
        shift
    else
        LEDGER=$WORK/$1.db
    fi
    "$WRITER" open "$LEDGER" B1 "$2" || fail "the batch B1 cannot be opened"
}

# start_writer STATION FIRST COUNT THREADS [EK]: in the background; what it
# prints goes to $WORK/STATION.out. Sets SPAWNED.
start_writer() {
    "$WRITER" enrol "$LEDGER" "$@" >>"$WORK/$1.out" 2>>"$WORK/$1.log" &
    SPAWNED=$!
    STARTED+=("$SPAWNED")
}

# outcomes KIND: the numbers of the units with that outcome, of all writers.
outcomes() {
    cat "$WORK"/*.out | awk -v kind="$1" '$1 == kind { print $2 }' | sort -n
}

# count KIND: how many.
count() {
    outcomes "$1" | wc -l
}

# check_ledger WHAT: its log is whole, each unit that was answered is there
# once, and the quota counts those that are there. Sets USED.
check_ledger() {
    local said
    "$WRITER" check "$LEDGER" >"$WORK/check" || fail "$1: see above"
    said=$(head -n 1 "$WORK/check")
    USED=${said##* }
    tail -n +2 "$WORK/check" | sort -n >"$WORK/units"
    [[ -z $(uniq -d "$WORK/units") ]] || fail "$1: a unit is there twice"
    [[ -z $(outcomes "done" | uniq -d) ]] || fail "$1: a unit was new twice"
    outcomes "done" | comm -23 <(sort) <(sort "$WORK/units") >"$WORK/missing"
    [[ ! -s $WORK/missing ]] ||
        fail "$1: answered, and not there: $(head -n 5 "$WORK/missing" | xargs)"
    assert_equal "$1: the log is whole, what was answered is there, the quota is right" \
        "$(wc -l <"$WORK/units")" "$USED"
}
