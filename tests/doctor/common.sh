# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of devid doctor share: the harness, a run, and its findings.

# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../swtpm-ci/lib.sh"
harness_options "$@"
DEVID=$BUILD_DIR/tools/devid
need jq

# doctor ARGUMENT...: run it. Sets OUTPUT (JSON) and STATUS; it must not fail in
# another way than by what it finds.
doctor() {
    # shellcheck disable=SC2034
    STATUS=0
    # shellcheck disable=SC2034
    OUTPUT=$("$DEVID" doctor --json "$@" </dev/null 2>"$WORK/errors") || STATUS=$?
    [[ $OUTPUT && ! -s $WORK/errors ]] ||
        fail "devid doctor $*: $(<"$WORK/errors")"
}

# found ID: the levels of its findings of that kind, in one line; "" for none.
found() {
    jq -r --arg id "$1" \
        '[.findings[] | select(.id == $id) | .level] | join(" ")' <<<"$OUTPUT"
}

# says ID: what they say, a line each: what, means and type.
says() {
    jq -r --arg id "$1" '.findings[] | select(.id == $id) |
        [.what, .means, .type] | map(select(. != null)) | join(" | ")' \
        <<<"$OUTPUT"
}

# finds WHAT ID LEVELS [PART]: the last run found that, and one of the findings
# has PART in what it says.
finds() {
    assert_equal "$1: $2" "$3" "$(found "$2")"
    [[ ! ${4:-} ]] || assert_contains "  and says so" "$4" "$(says "$2")"
}

# a_root [DIR]: an empty system for --root, $WORK/root or DIR. Sets ROOT.
a_root() {
    ROOT=${1:-$WORK/root}
    rm -rf "$ROOT"
    mkdir -p "$ROOT"/{dev,etc/ssl,etc/devid,etc/nginx,etc/systemd/system} \
        "$ROOT"/{usr/lib/systemd/system,var/lib/dpkg,var/lib/devid}
    printf '%s\n' 'root:x:0:0::/root:/bin/sh' 'tss:x:120:120::/:/bin/false' \
        'www-data:x:33:33::/:/bin/false' >"$ROOT/etc/passwd"
    printf '%s\n' 'root:x:0:' 'tss:x:120:' 'www-data:x:33:' >"$ROOT/etc/group"
}

# doctor_of_root ARGUMENT...: doctor on the files of ROOT, with no TPM named.
doctor_of_root() {
    unset DEVID_TCTI TPM2TOOLS_TCTI
    doctor --root "$ROOT" "$@"
}
