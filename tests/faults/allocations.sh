#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Memory runs out at every allocation: see allocations.c.
#
# Usage: allocations.sh bare|token [--whole] [--verbose] [--report FILE]
#                       [--build-dir DIR] [--keep]
source "$(dirname "$0")/../programs/common.sh"

LINK=${ARGS[0]:?bare or token}
harness_dir
start_device "$LINK"
openssl_conf "$WORK/openssl.cnf"
make_key key
[[ $LINK != token ]] || export DEVID_TEST_DEVICE=$TOKEN_URI
with_devid "$BUILD_DIR/tests/faults/allocations" "${ARGS[@]:1}" "$LINK" \
    "$WORK/key.key"
assert_equal "nothing is left in the device" "" "$(left_in_device)"
