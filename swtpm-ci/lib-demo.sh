# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the demonstrations share: headlines, and commands that are shown as one
# would type them. Sourced behind lib.sh, once BUILD_DIR is known.

bold='' green='' dim='' plain=''
if [[ -t 1 ]]; then
    bold=$'\e[1m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
fi

# step TEXT...: the headline of what follows.
step() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# show COMMAND...: a command as one would type it in the work directory.
show() {
    printf '  $ %s\n' "${*//"$BUILD_DIR/tools/"/}"
}

# run COMMAND...: show a command, then run it.
run() {
    show "$@"
    "$@"
}

# aside TEXT: in another colour, each line indented.
aside() {
    # shellcheck disable=SC2001
    printf '%s%s%s\n' "$dim" "$(sed 's/^/    /' <<<"$1")" "$plain"
}

# good TEXT: likewise, what went well.
good() {
    printf '    %s%s%s\n' "$green" "$1" "$plain"
}

# demo_build: the steps that each begins with.
demo_build() {
    step "1. Packages"
    "$HARNESS/install"
    say "  All there."
    step "2. Build, in $BUILD_DIR"
    build_project "$BUILD_DIR" ||
        fail "the build failed; see $BUILD_DIR/build.log"
}
