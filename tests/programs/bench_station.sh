#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/line and bench/ledger, as short as they can be: they end, and each cell of
# their pages has a figure.
#
# Usage: bench_station.sh [--build-dir DIR] [--keep] line|ledger
source "$(dirname "$0")/common.sh"
harness_dir

# measure NAME ARGUMENT...: bench/NAME writes $WORK/page.md.
measure() {
    "$TOP/bench/$1" --build-dir "$BUILD_DIR" --seconds 1 --rounds 1 \
        --output "$WORK/page.md" "${@:2}" >"$WORK/bench.out" 2>&1 ||
        fail "bench/$1: $(tail "$WORK/bench.out")"
}

# rows NUMBER: of figures, without heads; no cell is empty, or no number.
rows() {
    grep -B 1 -A 100 '^|---' "$WORK/page.md" >"$WORK/tables"
    assert_equal "rows of figures" "$1" \
        "$(awk '/^\|---/ { heads++ } /^\|/ { n++ } END { print n - 2 * heads }' \
            "$WORK/page.md")"
    assert_equal "a figure in each cell" "" \
        "$(grep -iE '^\|.*(\|  *\||nan|inf[^o]|\( to \))' "$WORK/page.md")"
}

case ${ARGS[0]:-} in
line)
    # So many devices a second are made beforehand.
    RATE_MAX=300 measure line --devices 2
    rows 6
    ;;
ledger)
    measure ledger --rows 1
    rows 8
    ;;
*) fail "line or ledger is wanted" ;;
esac
