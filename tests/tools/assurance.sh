#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tests/assurance joins promises, ctest's last results and reports of figures.
# Needs no TPM.
#
# Usage: assurance.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
mkdir -p "$WORK/build/Testing/Temporary"
cat >"$WORK/build/Testing/Temporary/LastTest.log" <<'END'
1/2 Testing: ledger/log
1/2 Test: ledger/log
Test time =   0.31 sec
Test Passed.
2/2 Testing: ledger/cut
2/2 Test: ledger/cut
Test time =   1.00 sec
Test Failed.
END
cat >"$WORK/build/Testing/Temporary/LastTest.log.first" <<'END'
1/3 Testing: ledger/units
Test time =   0.20 sec
Test Passed.
2/3 Testing: ledger/log
Test time =   9.00 sec
Test Failed.
END
printf '%s\t%s\t%s\n' "A kill loses nothing" faults.x "99 kills survived" \
    >"$WORK/report"
assurance() {
    "$TOP/tests/assurance" --build-dir "$WORK/build" --out - "$@"
}
assert_fails "a promise that did not come about" assurance "$WORK/report"
# Names of tests stand in backquotes.
# shellcheck disable=SC2016
{
assert_contains "one that passed before others were tried again" \
    '| `ledger/units` | passed in 0.2 s |' "$OUTPUT"
assert_contains "a test that passed" '| `ledger/log` | passed in 0.3 s |' "$OUTPUT"
assert_contains "one that failed" '| `ledger/cut` | FAILED |' "$OUTPUT"
assert_contains "one that did not run" '`station.service` | not run' "$OUTPUT"
assert_contains "a figure of a report" \
    '| A kill loses nothing | `faults.x` | 99 kills survived |' "$OUTPUT"
assert_contains "promises of the threat model" \
    '| On the disk: He does not get a private key.' "$OUTPUT"
}
printf 'no tabs\n' >"$WORK/report"
assert_fails "what is no report" assurance "$WORK/report"
assert_contains "is said to be none" "a line is promise, test and figure" "$OUTPUT"
