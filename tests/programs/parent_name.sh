#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tpm2-parent-name: who sits on the bus and shows a key of his own in the place
# of the storage key is noticed, before anything is salted to it or loaded under
# it; without the setting he is not. It costs no command.
#
# Usage: parent_name.sh bare|managed [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
SHARING=${ARGS[0]:?bare or managed}
OTHER=000b$(printf '%064d' 7)

# interposed HANDLE PROGRAM...: the program has somebody between itself and the
# TPM who shows another key at the handle, or for a hierarchy's primary.
interposed() {
    INTERPOSER_HANDLE=$1 \
        DEVID_TCTI=$BUILD_DIR/tests/identity/interposer.so:$DEVID_TCTI "${@:2}"
}

# notices WHAT HANDLE WHERE COMMANDS PROGRAM...: he is noticed, after no other
# commands than these.
notices() {
    trace_reset
    if OUTPUT=$(interposed "$2" "${@:5}" 2>&1); then
        fail "$1: he was not noticed: $OUTPUT"
    fi
    # One sentence of devid's, however OpenSSL breaks its lines.
    [[ $OUTPUT =~ "$3 shows a storage key whose Name is "(000b[0-9a-f]{64})", and\
 tpm2-parent-name says $NAME: somebody between here and the TPM" ]] ||
        fail "$1: it does not say so: $OUTPUT"
    [[ ${BASH_REMATCH[1]} != "$NAME" ]] || fail "$1: it names one key twice"
    assert_equal "$1: he is noticed, after" "$4" "$(trace_list)"
}

# salts WHAT HANDLE PROGRAM...: without the setting a session is salted to his
# key, which the TPM, here, does not understand.
salts() {
    trace_reset
    if OUTPUT=$(interposed "${@:2}" 2>&1); then
        fail "$1: the TPM had the key of somebody else"
    fi
    assert_contains "$1: without the setting a session is salted to his key" \
        StartAuthSession "$(trace_list)"
}

# costs PROGRAM...: the TPM commands that it takes.
costs() {
    trace_reset
    "$@" >"$WORK/out" 2>&1 || fail "$(<"$WORK/out")"
    trace_list
}

harness_dir
start_tpm --srk
start_trace
export DEVID_TPM2_SHARING=$SHARING
printf %s "a value $RANDOM" >"$WORK/value"
source=file:$WORK/value
keygen() {
    "$DEVID" keygen --auth-source "$source" --force --out "$WORK/new.key"
}
csr() {
    "$DEVID" csr --key "$WORK/$1.key" --auth-source "$source" --subject /CN=x \
        --out -
}
req() {
    DEVID_AUTH_SOURCE=$source with_devid openssl req -new \
        -key "$WORK/$1.key" -subj /CN=x
}
"$DEVID" keygen --auth-source "$source" --out "$WORK/blob.key"
"$DEVID" keygen --auth-source "$source" --out "$WORK/kept.key" \
    --persist 0x81000100

say "The Name"
NAME=$("$DEVID" show tpm2:handle=0x81000001 --json | jq -r '.[0].name')
assert_equal "is shown as tpm2-tools has it" \
    "$(tpm2_readpublic -c 0x81000001 -n "$WORK/name" >/dev/null &&
        od -An -v -tx1 "$WORK/name" | tr -d " \n")" "$NAME"
assert_equal "and listed" "$NAME" "$("$DEVID" list --json |
    jq -r '.[] | select(.role == "SRK").name')"
without=$(costs keygen && costs csr blob && costs csr kept)
openssl_conf "$WORK/openssl.cnf" last "tpm2-parent-name = $NAME"
export DEVID_TPM2_PARENT_NAME=$NAME
assert_equal "keys are made and sign as without it, by the same commands" \
    "$without" "$(costs keygen && costs csr blob && costs csr kept)"
DEVID_TPM2_PARENT_NAME=$OTHER,${NAME^^} csr blob >"$WORK/out" ||
    fail "one of several"
say "  ok: one of several will do, in capitals"

say "Somebody shows another storage key"
notices "a key is made" 0x81000001 "persistent handle 0x81000001" \
    "ReadPublic" keygen
notices "a key signs" 0x81000001 "persistent handle 0x81000001" \
    "ReadPublic" csr blob
notices "a persistent key signs" 0x81000001 "persistent handle 0x81000001" \
    "ReadPublic ReadPublic" csr kept
unset DEVID_TPM2_PARENT_NAME
notices "a program of openssl.cnf signs" 0x81000001 \
    "persistent handle 0x81000001" "ReadPublic" req blob
salts "a key is made" 0x81000001 keygen
salts "a key signs" 0x81000001 csr blob
salts "a persistent key signs" 0x81000001 csr kept

say "It is another TPM"
trace_reset
if OUTPUT=$(DEVID_TPM2_PARENT_NAME=$OTHER csr blob 2>&1); then
    fail "another Name was taken"
fi
assert_contains "both Names are said, and what to do" "whose Name is $NAME, and\
 tpm2-parent-name says $OTHER: somebody between here and the TPM shows a key of\
 his own, or this is another TPM, or it was cleared" "$OUTPUT"
assert_equal "after" "ReadPublic" "$(trace_list)"

say "What is no Name"
for value in x 000b 000b12 0010"${OTHER:4}" "$OTHER," "$OTHER;$OTHER" "${OTHER}0"; do
    OUTPUT=$(DEVID_TPM2_PARENT_NAME=$value csr blob 2>&1) &&
        fail "$value was taken"
    assert_contains "$value" "DEVID_TPM2_PARENT_NAME is '$value': it must be the\
 Name of a TPM key in hex" "$OUTPUT"
done

say "A TPM without a storage key at 0x81000001"
start_tpm other
start_trace --name other
if OUTPUT=$(DEVID_TPM2_PARENT_NAME=$OTHER keygen 2>&1); then
    fail "another Name was taken"
fi
[[ $OUTPUT =~ "the owner hierarchy shows a storage key whose Name is "(000b[0-9a-f]{64}) ]] ||
    fail "$OUTPUT"
NAME=${BASH_REMATCH[1]}
"$DEVID" keygen --auth-source "$source" --out "$WORK/owned.key"
"$DEVID" keygen --auth-source "$source" --out "$WORK/kept.key" --force \
    --persist 0x81000100
without=$(costs keygen && costs csr owned && costs csr kept)
export DEVID_TPM2_PARENT_NAME=$NAME
assert_equal "keys are made and sign as without it, by the same commands" \
    "$without" "$(costs keygen && costs csr owned && costs csr kept)"
notices "a key is made" 0x40000001 "the owner hierarchy" \
    "ReadPublic:0x18b CreatePrimary FlushContext" keygen
notices "a key signs" 0x40000001 "the owner hierarchy" \
    "CreatePrimary FlushContext" csr owned
notices "a persistent key signs" 0x40000001 "the owner hierarchy" \
    "ReadPublic ReadPublic:0x18b CreatePrimary FlushContext" csr kept
# The null hierarchy's key is another one after each start: nobody knows it.
unset DEVID_TPM2_PARENT_NAME
salts "a key is made" 0x40000007 keygen
export DEVID_TPM2_PARENT_NAME=$NAME
interposed 0x40000007 keygen
say "  ok: and where it is that hierarchy is not asked for one"
tpm2_changeauth -Q -c owner value-of-owner
OUTPUT=$(csr kept 2>&1) && fail "the owner's value was guessed"
assert_contains "where the owner does not make one, it is said" \
    "none is at 0x81000001, and the owner hierarchy has an auth value" "$OUTPUT"
unset DEVID_TPM2_PARENT_NAME
assert_equal "nothing is left in the TPM" "" "$(left_in_device)"
