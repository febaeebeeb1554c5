# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the demonstrations and tutorials share: headlines, commands that are shown
# as one would type them, a place to begin. Sourced behind lib.sh, once BUILD_DIR
# is known.

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

# demo_build: the steps that each begins with. Tests are left to swtpm-ci/test.
demo_build() {
    step "1. Packages"
    "$HARNESS/install"
    say "  All there."
    step "2. Build, in $BUILD_DIR"
    build_project "$BUILD_DIR" \
        --target engine/all provider/all tools/all swtpm-ci/all ||
        fail "the build failed; see $BUILD_DIR/build.log"
}

# tutorial_dir: what a tutorial begins with: an empty directory with the
# certificates of a TPM's maker in tpm-vendors, that TPM, and devid on the PATH.
tutorial_dir() {
    start_vendor_tpm tpm
    mkdir "$WORK/tutorial" "$WORK/tutorial/tpm-vendors"
    cp "$WORK"/tpm-ca/*cert.pem "$WORK/tutorial/tpm-vendors"
    cd "$WORK/tutorial" || fail "no $WORK/tutorial"
    export PATH=$BUILD_DIR/tools:$PATH
}
