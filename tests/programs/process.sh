#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One process that is hard on its keys: it forks while another of its threads
# signs, ends without freeing them, has eight threads on one key and sixteen
# keys. Every signature is right, nothing hangs and nothing stays in the TPM.
#
# Usage: process.sh bare|managed|abrmd|token --forks|--no-forks
#                   [--build-dir DIR] [--keep]
#
# managed: keys stay loaded in a TPM that nobody cleans up. --no-forks: none
# beside threads.
source "$(dirname "$0")/common.sh"
LINK=${ARGS[0]:?bare, managed, abrmd or token}
FORKS=${ARGS[1]:?--forks or --no-forks}

# does WHAT MODE KEY...: process_test does, and leaves nothing in the TPM.
does() {
    local what=$1
    shift
    with_devid "$BUILD_DIR/tests/programs/process_test" "$@" ||
        fail "$what: process_test $1 failed"
    assert_equal "$what, and nothing is left in the TPM" "" \
        "$(left_in_device)"
}

harness_dir
start_device "$LINK"
openssl_conf "$WORK/openssl.cnf"

if [[ $LINK == token ]]; then
    kinds=(token)
    make_key token
    make_key rsa --algorithm rsa-2048
else
    kinds=(blob owner persistent auth)
    printf 'a value\n' >"$WORK/value"
    export DEVID_AUTH_SOURCE="file:$WORK/value"
    make_key blob
    make_key owner --parent owner
    make_key persistent --persist 0x81000100
    make_key auth --auth-source "file:$WORK/value"
    make_key rsa --algorithm rsa-2048 --persist 0x81000101
fi
keys=()
# Managed without a manager, what is loaded stays in the TPM's three slots.
for ((i = 0; i < 16; i++)); do
    options=()
    [[ $LINK != managed ]] || options=(--persist "$(printf 0x810002%02x $i)")
    make_key $i "${options[@]}"
    keys+=("$WORK/$i.key")
done

for kind in "${kinds[@]}"; do
    key=$WORK/$kind.key
    say "A key: $kind"
    does "a program ends and never frees its key" leak "$key"
    does "children sign with the key that their parent loaded" \
        fork-first "$key"
    if [[ $FORKS == --no-forks ]]; then
        say "  no forks beside threads"
    elif [[ $LINK == abrmd ]]; then
        # Its client, GLib, does not survive a fork: said, and no hang.
        assert_fails "a child of a process that used abrmd" with_devid \
            "$BUILD_DIR/tests/programs/process_test" fork "$key"
        assert_contains "it says why" "does not survive a fork" "$OUTPUT"
    else
        does "it forks while another thread signs" fork "$key"
    fi
    does "eight threads share it" threads "$key"
done
does "eight threads share an RSA key" threads "$WORK/rsa.key"
does "sixteen keys in one process, eight threads" keys "${keys[@]}"
