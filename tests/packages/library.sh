#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The engine as others build with it: its headers in C and C++, its static
# library by pkg-config. Needs no TPM.
#
# Usage: library.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir
cd "$WORK"
cmake --install "$BUILD_DIR" --prefix "$WORK/usr" --component dev >install.out
# shellcheck disable=SC2155
export PKG_CONFIG_PATH=$(dirname "$(find usr -name devid.pc)")
read -ra flags <<<"$(pkg-config --cflags devid)"
read -ra libraries <<<"$(pkg-config --libs devid)"
warnings=(-Wall -Wextra -Wpedantic -Wold-style-cast -Werror)

cat >program.c <<'EOF'
#include <devid.h>
#include <stdio.h>
int main(void)
{
    struct devid *engine = NULL;
    struct devid_error err;
    if (devid_new(NULL, &engine, &err) ||
        devid_set(engine, "tcti", "device:/nonexistent", &err) == DEVID_OK) {
        printf("%s\n", devid_settings()->name);
    }
    if (devid_set(engine, "frob", "1", &err) != DEVID_OK)
        printf("%s\n", err.text);
    devid_free(&engine);
    return 0;
}
EOF
cp program.c program.cc
tried=
for compiler in cc clang c++ clang++; do
    command -v "$compiler" >/dev/null || continue
    source=program.c own=(-std=c11)
    [[ $compiler != *++ ]] || source=program.cc own=(-std=c++11)
    [[ $compiler == *++ ]] || own+=(-Wstrict-prototypes)
    read -ra these <<<"${warnings[*]}"
    [[ $compiler == *++ ]] ||
        read -ra these <<<"${warnings[*]/-Wold-style-cast/}"
    "$compiler" "${own[@]}" "${these[@]}" "$source" -o program \
        "${flags[@]}" "${libraries[@]}" >compiler.log 2>&1 ||
        fail "$compiler does not build with the engine"
    OUTPUT=$(./program)
    assert_contains "a program that $compiler built with it runs" \
        "tcti"$'\n' "$OUTPUT"
    assert_contains "and hears its sentences" "frob" "$OUTPUT"
    tried+=" $compiler"
done
[[ $tried == *++* ]] || say "  skipped: there is no compiler of C++"
assert_equal "only names that begin with devid_ are seen" "" \
    "$(nm -g --defined-only "$(find usr -name libdevid.a)" |
        awk 'NF == 3 && $3 !~ /^devid_/')"
