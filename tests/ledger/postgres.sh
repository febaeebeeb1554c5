#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The ledger's tests in C, as they run on SQLite, on a PostgreSQL.
#
# Usage: postgres.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir
start_postgres
export DEVID_TEST_POSTGRES=$POSTGRES_URL
for part in units owners ldevids ldevid_lists lists batches locks log older \
    queue; do
    "$BUILD_DIR/tests/ledger/ledger_${part}_test" ||
        fail "ledger_${part}_test fails on PostgreSQL"
done
