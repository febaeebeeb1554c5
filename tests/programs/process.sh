#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One process that is hard on its keys: it forks while another of its threads
# signs, ends without freeing them, has eight threads on one key and sixteen
# keys. Every signature is right, nothing hangs and nothing stays in the TPM.
#
# Usage: process.sh bare|managed|abrmd [--build-dir DIR] [--keep]
#
# managed: keys stay loaded in a TPM that nobody cleans up.
source "$(dirname "$0")/common.sh"
LINK=${ARGS[0]:?bare, managed or abrmd}

# does WHAT MODE KEY...: process_test does, and leaves nothing in the TPM.
does() {
    local what=$1
    shift
    with_devid "$BUILD_DIR/tests/programs/process_test" "$@" ||
        fail "$what: process_test $1 failed"
    assert_equal "$what, and nothing is left in the TPM" "" \
        "$(tpm2_getcap handles-transient)$(tpm2_getcap handles-loaded-session)"
}

harness_dir
start_tpm --srk
openssl_conf "$WORK/openssl.cnf"
case $LINK in
bare) ;;
managed) export DEVID_TPM2_SHARING=managed ;;
abrmd) start_abrmd ;;
*) fail "bare, managed or abrmd, not $LINK" ;;
esac

"$DEVID" keygen --out "$WORK/blob.key"
"$DEVID" keygen --parent owner --out "$WORK/owner.key"
"$DEVID" keygen --persist 0x81000100 --out "$WORK/persistent.key"
printf 'a value\n' >"$WORK/value"
export DEVID_AUTH_SOURCE="file:$WORK/value"
"$DEVID" keygen --auth-source "file:$WORK/value" --out "$WORK/auth.key"
"$DEVID" keygen --algorithm rsa-2048 --persist 0x81000101 --out "$WORK/rsa.key"
keys=()
# Managed without a manager, what is loaded stays in the TPM's three slots.
for ((i = 0; i < 16; i++)); do
    keys+=("$WORK/$i.key")
    if [[ $LINK == managed ]]; then
        "$DEVID" keygen --persist "$(printf 0x810002%02x $i)" --out "${keys[i]}"
    else
        "$DEVID" keygen --out "${keys[i]}"
    fi
done

for kind in blob owner persistent auth; do
    key=$WORK/$kind.key
    say "A key: $kind"
    does "a program ends and never frees its key" leak "$key"
    does "children sign with the key that their parent loaded" \
        fork-first "$key"
    if [[ $LINK == abrmd ]]; then
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
