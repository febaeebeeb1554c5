#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A fault at every command of every operation, on a TPM: see sweep.h.
#
# Usage: sweep_tpm2.sh [--whole] [--verbose] [--operation NAME] [--fault NAME]
#                      [--part K/N] [--report FILE] [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"

harness_options "$@"
harness_dir
start_tpm --srk --ek
# The environment's would win over what the sweep sets.
unset DEVID_TCTI
"$BUILD_DIR/tests/faults/sweep_tpm2" "${ARGS[@]}" \
    "$BUILD_DIR/tests/faults/libtss2-tcti-fault.so" "$TPM2TOOLS_TCTI"
