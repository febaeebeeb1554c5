#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run_tutorial itself: it fails where a tutorial says what is not so, and each
# tutorial is one that ctest runs.
#
# Usage: runner.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir
cd "$WORK"
run=("$TOP/tests/docs/run_tutorial" --build-dir "$BUILD_DIR")

# page LINE...: page.md, where three quotes stand for backquotes.
page() {
    printf '%s\n' "$@" | sed "s/'''/\`\`\`/" >page.md
}

# shellcheck disable=SC2016
page "'''ini" '# file: made' 'a = 1' "'''" "'''sh" 'name=made' "'''" \
    "'''sh" 'cat $name' '! false' 'sleep 600 &' 'echo $! >pid' \
    "cp pid $WORK/pid" "'''" "'''text" 'a = 1' "'''"
"${run[@]}" page.md >good.log || fail "a good page is refused"
say "  ok: files, one shell for all blocks, what is printed"
# ended: the process has; one that nobody has waited for yet has no command line.
ended() {
    [[ ! $(cat "/proc/$(<pid)/cmdline" 2>/dev/null) ]]
}
await "the end of what the page started" $$ ended
say "  ok: what runs on ends with the tutorial"
page "'''sh" 'echo one' "'''" "'''text" two "'''"
assert_fails "other words than the page's" "${run[@]}" page.md
assert_contains "are said" 'did not print "two"' "$OUTPUT"
page "'''sh" false 'echo later' "'''"
assert_fails "a command that fails" "${run[@]}" page.md
page "'''sh" '! true' "'''"
assert_fails "one that does not, where it should" "${run[@]}" page.md
page "nothing to run"
assert_fails "a page without a block" "${run[@]}" page.md
page '<!-- needs: no-such-program -->' "'''sh" true "'''"
STATUS=0
"${run[@]}" page.md >skipped.log 2>&1 || STATUS=$?
assert_equal "a program that is not there: skipped" 77 "$STATUS"

page "'''sh" 'echo a' 'echo b' "'''"
assert_contains "--show prints commands and what they say" $'+ echo a\na\n+ echo b\nb' \
    "$("${run[@]}" --show page.md)"
page "'''sh" 'command -v devid' "'''" "'''text" /bin/devid "'''" \
    "'''sh" 'echo 8443' "'''" "'''text" 8443 "'''"
mkdir bin
ln -s "$(type -P true)" bin/devid
PATH=$WORK/bin:$PATH "${run[@]}" --installed page.md >installed.log ||
    fail "--installed takes another devid than what PATH has"
say "  ok: --installed takes the devid of PATH, and the page's ports"

say "swtpm-ci/shell"
shell=("$TOP/swtpm-ci/shell" --no-build --build-dir "$BUILD_DIR")
tpm=$("${shell[@]}" bash -c \
    'cat tpm-vendors/* >/dev/null && devid keygen --out key.pem && ls && command -v devid' \
    2>shell.log) || fail "$(<shell.log)"
assert_equal "it has a TPM, its maker's certificates, and devid" \
    "$(printf '%s\n' key.pem tpm-vendors "$BUILD_DIR/tools/devid")" "$tpm"
STATUS=0
echo 'exit 3' | SHELL=/bin/bash "${shell[@]}" >shell.log 2>&1 || STATUS=$?
assert_equal "and ends as the shell does" 3 "$STATUS"

for file in "$TOP"/docs/tutorials/*.md; do
    name=$(basename "$file" .md)
    grep -qx "    $name)\?" "$TOP/tests/docs/CMakeLists.txt" ||
        fail "no test runs docs/tutorials/$name.md"
done
say "  ok: each tutorial has its test"
