#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Run the contract test on a token of SoftHSM2.
#
# Usage: softhsm.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"

harness_options "$@"
harness_dir
start_token contract
"$BUILD_DIR/tests/contract_test" pkcs11 "$TOKEN_URI"
