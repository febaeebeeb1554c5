# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the tool share: the harness, and three ways to run devid.

# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../swtpm-ci/lib.sh"
harness_options "$@"
DEVID=$BUILD_DIR/tools/devid

# run_devid ARGUMENT...: sets OUTPUT, ERRORS and STATUS.
run_devid() {
    STATUS=0
    OUTPUT=$("$DEVID" "$@" </dev/null 2>"$WORK/errors") || STATUS=$?
    ERRORS=$(<"$WORK/errors")
}

# succeeds WHAT ARGUMENT...: devid ends with 0 and complains of nothing.
succeeds() {
    local what=$1
    shift
    run_devid "$@"
    [[ $STATUS == 0 && ! $ERRORS ]] ||
        fail "$what: devid $* ended with $STATUS: $ERRORS"
    say "  ok: $what"
}

# refuses WHAT SENTENCE ARGUMENT...: devid ends with 1, prints nothing, and
# complains in one line of its own that has SENTENCE in it.
refuses() {
    local what=$1 sentence=$2
    shift 2
    run_devid "$@"
    assert_equal "$what: its exit code" 1 "$STATUS" >/dev/null
    assert_equal "$what: its output" "" "$OUTPUT" >/dev/null
    [[ $ERRORS == "devid: "* && $ERRORS != *$'\n'* ]] ||
        fail "$what: not one sentence of devid's: $ERRORS"
    assert_contains "$what" "$sentence" "$ERRORS"
}

# misuse WHAT SENTENCE ARGUMENT...: devid ends with 2, complains in one line,
# and says in a second where the right use is to be read.
misuse() {
    local what=$1 sentence=$2 hint="try 'devid --help'"
    shift 2
    run_devid "$@"
    [[ ! -s $WORK/errors || $# == 0 || $1 == -* ]] ||
        hint="try 'devid $1 --help'"
    [[ ${1:-} != @(token|cert) || ${2:--} == -* || $ERRORS == *"there is no $1 "* ]] ||
        hint="try 'devid $1 $2 --help'"
    [[ $ERRORS != *"no command"* ]] || hint="try 'devid --help'"
    assert_equal "$what: its exit code" 2 "$STATUS" >/dev/null
    assert_equal "$what: its output" "" "$OUTPUT" >/dev/null
    assert_equal "$what: its hint" "$hint" "${ERRORS#*$'\n'}" >/dev/null
    assert_contains "$what" "devid: $sentence" "${ERRORS%%$'\n'*}"
}

# typed LINE...: what a user types, at the speed of one.
typed() {
    local line
    for line in "$@"; do
        sleep 0.5
        printf '%s\n' "$line"
    done
    sleep 0.5
}

# start_softhsm: an empty SoftHSM, its files in $WORK/softhsm, as the module
# that devid uses: one token that is not initialised.
start_softhsm() {
    need softhsm2-util
    mkdir -p "$WORK/softhsm"
    printf '%s\n' "directories.tokendir = $WORK/softhsm" \
        "objectstore.backend = file" "log.level = ERROR" >"$WORK/softhsm.conf"
    export SOFTHSM2_CONF=$WORK/softhsm.conf
    export DEVID_PKCS11_MODULE=$SOFTHSM_MODULE
}

# json FILTER: what jq makes of the last OUTPUT.
json() {
    need jq
    jq -r "$@" <<<"$OUTPUT"
}

# sha256_of_public COMMAND...: the SHA-256 of a PEM public key that an openssl
# without devid prints.
sha256_of_public() {
    plain_openssl "$@" | plain_openssl pkey -pubin -outform DER |
        sha256sum | cut -d ' ' -f 1
}

# files_in DIR: the names in a directory, hidden ones too, by spaces.
files_in() {
    find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs
}

# plain_key NAME: a software key, $WORK/NAME.key, and its certificate request.
plain_key() {
    plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$WORK/$1.key" -subj "/O=Acme/CN=$1" \
        -addext "subjectAltName=DNS:$1.example,IP:192.0.2.7" \
        -out "$WORK/$1.csr" 2>/dev/null
}
