#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A fault at every call of every operation, on a token: see sweep.h.
#
# Usage: sweep_token.sh [--whole] [--verbose] [--operation NAME] [--fault NAME]
#                       [--part K/N] [--report FILE] [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"

harness_options "$@"
# SoftHSM writes a file at each login, and waits for the disk.
[[ ! -w /dev/shm ]] || export TMPDIR=/dev/shm
harness_dir
start_token
start_spy
unset DEVID_SPY_LOG
"$BUILD_DIR/tests/faults/sweep_token" "${ARGS[@]}" "$TOKEN_MODULE" \
    "$DEVID_SPY_MODULE" "$TOKEN_URI" "$TOKEN_PIN_FILE"
