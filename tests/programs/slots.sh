#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A TPM with nothing before it has three slots for everybody's objects: more
# workers than slots, other clients that fill or flush them.
#
# Usage: slots.sh blob|owner|auth [--build-dir DIR] [--keep]
source "$(dirname "$0")/serving.sh"
KIND=${ARGS[0]:?blob, owner or auth}
WORKERS=8

# all_served WHAT CLIENTS COUNT: so many clients at once; each of their requests
# is served.
all_served() {
    load "$2" "$3"
    assert_equal "$1: requests of $2 clients at once that failed" "" \
        "$(<"$WORK/load.log")"
}

harness_dir
start_tpm --srk
start_trace
serve_with bare "$KIND" $WORKERS

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

stop_nginx QUIT
no_alerts
nothing_left
