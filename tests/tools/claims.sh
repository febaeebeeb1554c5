#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# docs/threat-model.md: each claim names tests, and each test that it names is
# one that ctest has. Needs no TPM.
#
# Usage: claims.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
model=$TOP/docs/threat-model.md
# Not by ctest, which would take the log of the one that runs this for its own.
known=$(find "$BUILD_DIR" -name CTestTestfile.cmake -exec \
    sed -nE 's/^add_test\((\[=*\[)?([^] ]+).*/\2/p' {} +)
[[ $known ]] || fail "ctest lists no tests in $BUILD_DIR"

# named: the names of tests in the model: words in backquotes with a stop or a
# slash inside, and nothing else that a test's name has not got.
named() {
    # shellcheck disable=SC2016
    grep -oE '`[a-z0-9]+[./][a-z0-9_.-]+`' "$model" | tr -d '`' | sort -u
}

# claims: each item of the lists, in one line.
claims() {
    awk '/^- / { if (item) print item; item = $0; next }
        /^  / { if (item) { item = item " " $0; next } }
        { if (item) print item; item = "" }
        END { if (item) print item }' "$model"
}

count=0
while read -r name; do
    grep -qxF -- "$name" <<<"$known" ||
        fail "docs/threat-model.md names the test $name, which ctest has not"
    count=$((count + 1))
done < <(named)
((count > 40)) || fail "docs/threat-model.md names $count tests: are they read?"
say "  ok: the $count tests that the threat model names exist"

# What he does not get is a promise. What he gets needs no test.
while read -r claim; do
    [[ $claim == *'`'*[./]*'`'* ]] ||
        fail "no test holds this claim of docs/threat-model.md: $claim"
done < <(claims | grep -iE 'does not (get|take|read|find|move|guess|enrol|make)')
say "  ok: each promise in it names a test"
