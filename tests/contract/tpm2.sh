#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Run the contract test on a TPM of its own.
#
# Usage: tpm2.sh bare|abrmd [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"

harness_options "$@"
harness_dir
start_tpm --srk
case ${ARGS[0]:-} in
bare) ;;
abrmd) start_abrmd ;;
*) fail "say bare or abrmd" ;;
esac
"$BUILD_DIR/tests/contract_test" tpm2
