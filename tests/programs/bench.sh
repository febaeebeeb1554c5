#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/all by itself, its smallest part: it counts what reaches a TPM and a
# token, writes the page of it, and of results that were kept.
#
# Usage: bench.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# run ARGUMENT...: bench/all, with that page and those results.
run() {
    "$TOP/bench/all" --build-dir "$BUILD_DIR" --no-build --quick --only counts \
        --results "$WORK/results" --output "$WORK/page" "$@" \
        >"$WORK/bench.out" 2>&1 || fail "bench/all $*: $(tail "$WORK/bench.out")"
}

# counted WHAT ROW: the page has a row that ends so.
counted() {
    grep -qF "$2 |" "$WORK/page/benchmarks.md" ||
        fail "$1: no \"$2\" in $(grep '^|' "$WORK/page/benchmarks.md")"
    say "  ok: $1"
}

harness_dir
run
for kind in "TPM, persistent | 0 | 2 | 1 | 2 | 2 | 2" \
    "TPM, blob | 0 | 5 | 3 | 5 | 5 | 5" "token | 0 | 11 | 2 | 13 | 13 | 13"; do
    counted "commands by case: ${kind%% |*}" "| devid, $kind"
done
counted "and which" "| ec-p256 | ContextLoad Sign FlushContext"
assert_equal "it says nothing of what was not measured" "" \
    "$(grep -E 'TLS handshakes at nginx$|Cold start' "$WORK/page/benchmarks.md")"
assert_equal "nor of where it ran" "" \
    "$(grep -F -e "$WORK" -e "$TOP" "$WORK/page/benchmarks.md")"

cp "$WORK/page/benchmarks.md" "$WORK/before.md"
run --report-only
cmp "$WORK/before.md" "$WORK/page/benchmarks.md" ||
    fail "the page of the results that were kept is another"
say "  ok: the page is written again from the results"

assert_fails "a part that there is not" "$TOP/bench/all" --only speed
assert_contains "which there are is said" "counts handshakes curl" "$OUTPUT"
