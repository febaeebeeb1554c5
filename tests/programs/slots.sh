#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A TPM with nothing before it has three slots for everybody's objects: more
# workers than slots, other clients that fill or flush them, programs that were
# killed and left something behind.
#
# Usage: slots.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/serving.sh"
WORKERS=8

# all_served WHAT CLIENTS COUNT: so many clients at once; each of their requests
# is served.
all_served() {
    load "$2" "$3"
    assert_equal "$1: requests of $2 clients at once that failed" "" \
        "$(<"$WORK/load.log")"
}

sign() {
    with_devid openssl dgst -sha256 -sign "$WORK/$1.key" -out "$WORK/$2" \
        "$WORK/data"
}

# signs WHAT KEY: openssl does.
signs() {
    sign "$2" sig || fail "$1: openssl does not sign"
    assert_equal "$1" "Verified OK" "$(plain_openssl dgst -sha256 -verify \
        "$WORK/$2.pub" -signature "$WORK/sig" "$WORK/data")"
}

# came COMMAND: the TPM has done that since the last trace_reset.
came() {
    (($(trace_count "$1")))
}

# killed KEY COMMAND: a program is killed by KILL after the TPM has done COMMAND
# for it, before it can clean up.
killed() {
    trace_reset
    fault "delay Sign 300"
    spawn killed env OPENSSL_CONF="$WORK/openssl.cnf" openssl dgst -sha256 \
        -sign "$WORK/$1.key" -out "$WORK/none" "$WORK/data"
    await "$2" "$SPAWNED" came "$2"
    halt "$SPAWNED" KILL
    fault_clear
}

# objects: how many transient objects are in the TPM.
objects() {
    tpm2_getcap handles-transient | grep -c 0x || true
}

harness_dir
start_tpm --srk
start_trace
serve_with bare blob $WORKERS
printf 'to be signed\n' >"$WORK/data"
"$DEVID" keygen --out "$WORK/blob.key"
with_devid openssl pkey -in "$WORK/blob.key" -pubout -out "$WORK/blob.pub"

say "Eight workers"
all_served "a fast TPM" 8 25
fault "delay Sign 30"
all_served "a TPM that takes 30 ms to sign" 8 8
fault "delay Sign 200"
all_served "a TPM that takes 200 ms to sign" 8 3
fault_clear

say "Other clients"
for ((slot = 0; slot < 3; slot++)); do
    tpm2_createprimary -Q -C o -G ecc -c "$WORK/slot.ctx"
done
(
    sleep 1
    tpm2_flushcontext -t
) &
served "all slots were taken for a second"
wait $!
(
    for ((i = 0; i < 40; i++)); do
        tpm2_flushcontext -t 2>/dev/null || true
    done
) &
flushing=$!
all_served "somebody flushes every object, forty times" 4 10
wait $flushing
nothing_left

say "Programs that were killed between Load and FlushContext"
for ((orphan = 1; orphan <= 2; orphan++)); do
    killed blob ContextSave
    assert_equal "a killed program leaves an object behind" $orphan "$(objects)"
done
tpm2_createprimary -Q -C o -G ecc -c "$WORK/slot.ctx"
assert_equal "with another client's the slots are full" 3 "$(objects)"
signs "the next program with that key finds room" blob
assert_equal "it left the other client's object alone" 1 "$(objects)"
tpm2_flushcontext -t

stop_nginx QUIT
no_alerts
nothing_left
