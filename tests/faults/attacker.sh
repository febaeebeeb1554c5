#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Somebody on the TPM's bus: see attacker_test.c.
#
# Usage: attacker.sh [--report FILE] [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"

harness_options "$@"
report_option "${ARGS[@]}"
harness_dir
start_tpm --srk
# The environment's would win over what the test sets.
unset DEVID_TCTI
"$BUILD_DIR/tests/faults/attacker_test" \
    "$BUILD_DIR/tests/faults/libtss2-tcti-fault.so" "$TPM2TOOLS_TCTI" \
    >"$WORK/out" 2>&1 || fail "$(<"$WORK/out")"
cat "$WORK/out"
report "A wrong answer of the chip is found before it leaves the process" \
    faults.attacker "$(grep -c '\[       OK' "$WORK/out") kinds of answer; 0 failures"
