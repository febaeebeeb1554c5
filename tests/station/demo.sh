#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# swtpm-ci/line, the factory line for a newcomer, shows what it says.
#
# Usage: demo.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
"$TOP/swtpm-ci/line" --build-dir "$BUILD_DIR" --no-build >"$WORK/shown" 2>&1 ||
    fail "swtpm-ci/line: $(tail "$WORK/shown")"

# shown WHAT TEXT
shown() {
    assert_contains "$1" "$2" "$(<"$WORK/shown")"
}
for serial in GATE-1 GATE-2 GATE-3 GATE-4; do
    shown "$serial has its certificate" "serialNumber=$serial"
done
shown "who asks again is the same unit" "the same certificate"
shown "a TPM of nobody's is refused" "the EK's certificate"
shown "what was stolen is revoked" "certificate revoked"
shown "the log is whole" "The audit log is whole"
assert_equal "the report has a row for each" "GATE-1 tested
GATE-2 tested
GATE-3 retired
GATE-4 tested" "$(sed -n 's/^ *"\(GATE-.\)","Gate",.*,"\([a-z]*\)","yes"$/\1 \2/p' \
    "$WORK/shown")"
