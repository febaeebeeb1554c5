#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# openssl.cnf as people write it, and miswrite it. No device is there: only key
# files are loaded.
#
# Usage: settings.sh [--build-dir DIR] [--keep]
#
# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir

KEY=$TOP/tests/data/tss2/plain.pem
PROGRAMS=$BUILD_DIR/tests/provider
CNF=$WORK/openssl.cnf
unset DEVID_TCTI TPM2TOOLS_TCTI
plain_openssl genpkey -quiet -algorithm EC -pkeyopt group:P-256 \
    -out "$WORK/ordinary.pem"

# under COMMAND...: with $WORK/openssl.cnf in force.
under() {
    OPENSSL_CONF=$CNF "$@"
}

# wrong SETTING SENTENCE: whoever loads or makes a key of ours hears of it, and
# nobody else does.
wrong() {
    openssl_conf "$CNF" last "$1"
    assert_fails "$1: loading a key" under openssl pkey -in "$KEY" -noout
    assert_contains "$1: the sentence" "$2" "$OUTPUT"
    assert_fails "$1: loading DER" under openssl pkey -in "$WORK/key.der" -noout
    assert_contains "$1: the sentence for DER" "$2" "$OUTPUT"
    assert_fails "$1: a URI" under openssl pkey -in tpm2:handle=0x81000000 -noout
    assert_contains "$1: the sentence for a URI" "$2" "$OUTPUT"
    assert_fails "$1: making a key" under openssl genpkey -algorithm EC \
        -propquery provider=devid -out /dev/null
    assert_contains "$1: the sentence for making" "$2" "$OUTPUT"
    assert_contains "$1: nginx's way" "$2" \
        "$(under "$PROGRAMS/load_key" "$KEY")"
    assert_equal "$1: an ordinary key" "loaded: default made: default" \
        "$(under "$PROGRAMS/load_key" "$WORK/ordinary.pem" | tr '\n' ' ' |
            sed 's/ $//')"
}

# loads SETTING: it is right.
loads() {
    openssl_conf "$CNF" last "$1"
    under openssl pkey -in "$KEY" -noout || fail "$1 is refused"
    say "  ok: $1"
}

openssl_conf "$CNF"
under openssl pkey -in "$KEY" -outform DER -out "$WORK/key.der"

say "Settings that are right"
loads "tcti = device:/dev/tpm0"
loads "tpm2-sharing = bare"
loads "check-signatures = always"
loads "lock-timeout = 7"
loads "identity = hardware"

say "Settings that are wrong"
wrong "tctii = device:/dev/tpm0" "section [devid_sect]: unknown setting 'tctii'"
wrong "1.tcti = device:/dev/tpm0" "unknown setting '1.tcti'"
wrong "tpm2-sharing = perhaps" "it must be auto, managed or bare"
wrong "lock-timeout = soon" "it must be a number of seconds"
openssl_conf "$CNF" last "identity = hardware" "sharing = bare"
assert_fails "under another name" under openssl pkey -in "$KEY" -noout
assert_contains "under another name: the sentence" "unknown setting 'sharing'" \
    "$OUTPUT"

say "The environment"
openssl_conf "$CNF" last "lock-timeout = 7"
assert_fails "a bad value in the environment" \
    env DEVID_LOCK_TIMEOUT=soon OPENSSL_CONF="$CNF" \
    openssl pkey -in "$KEY" -noout
assert_contains "a bad value in the environment: the sentence" \
    "DEVID_LOCK_TIMEOUT is 'soon'" "$OUTPUT"

say "Without the default provider"
openssl_conf "$CNF"
sed -i '/^default = /d' "$CNF"
assert_contains "nginx's way" "loaded: none" \
    "$(under "$PROGRAMS/load_key" "$KEY")"

say "In both orders"
for order in first last; do
    openssl_conf "$CNF" "$order"
    assert_equal "devid $order" "loaded: devid made: default" \
        "$(under "$PROGRAMS/load_key" "$KEY" | tr '\n' ' ' | sed 's/ $//')"
done

if [[ -x $PROGRAMS/load_key_static ]]; then
    say "In a program with a libcrypto of its own"
    openssl_conf "$CNF" last
    assert_equal "devid last" "loaded: devid made: default" \
        "$(under "$PROGRAMS/load_key_static" "$KEY" | tr '\n' ' ' |
            sed 's/ $//')"
    openssl_conf "$CNF" first
    OUTPUT=$(under "$PROGRAMS/load_key_static" "$KEY")
    assert_contains "devid first: nothing is taken over" "made: default" \
        "$OUTPUT"
    assert_contains "devid first: the sentence" \
        "list default before devid in openssl.cnf" "$OUTPUT"
fi
