#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Somebody on the TPM's bus: see attacker_test.c.
#
# Usage: attacker.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"

harness_options "$@"
harness_dir
start_tpm --srk
# The environment's would win over what the test sets.
unset DEVID_TCTI
"$BUILD_DIR/tests/faults/attacker_test" \
    "$BUILD_DIR/tests/faults/libtss2-tcti-fault.so" "$TPM2TOOLS_TCTI"
