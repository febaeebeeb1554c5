#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A device that the workers may not open: a sentence that names it, the user
# and the group to join; and tpm2-open = early, with which the master opens it
# for them. The device is a terminal with the TPM behind it.
#
# Usage: early.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

request() {
    OPENSSL_CONF=/dev/null curl_mtls "$WORK/plain.key" "$WORK/plain.pem"
}

ten() {
    local i good=0
    for ((i = 0; i < 10; i++)); do
        if request >/dev/null 2>>"$WORK/curl.log"; then
            good=$((good + 1))
        fi
    done
    assert_equal "$1: requests served of ten" 10 "$good"
}

if ((EUID != 0)); then
    say "Needs root, to have workers that may less than their master: skipped"
    exit 0
fi
harness_dir
start_tpm --srk
make_ca "$WORK/ca"
make_identity server server
make_identity fixed server --persist 0x81000200
plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$WORK/plain.key" -subj /CN=plain -out "$WORK/plain.csr" 2>/dev/null
sign_csr "$WORK/plain.csr" "$WORK/plain.pem"

start_trace
port=${DEVID_TCTI##*=}
need socat
spawn terminal socat "PTY,link=$WORK/chip,rawer,wait-slave" \
    "TCP:127.0.0.1:$port,forever,interval=0.1"
await "the terminal" "$SPAWNED" test -e "$WORK/chip"
device=$(readlink -f "$WORK/chip")
chmod 600 "$device"
# A terminal that everybody has closed is gone.
exec {hold}<>"$device"
chgrp tss "$device" 2>/dev/null || true
unset DEVID_TCTI

openssl_conf "$WORK/openssl.cnf" last "tcti = device:$device"
with_devid start_nginx --key "$WORK/server.key" --cert "$WORK/server.pem"
request >/dev/null 2>&1 && fail "a worker opened the device"
stop_nginx
# By its number where a worker may not even read the names of users.
assert_contains "nginx's log names the user, the device and the group" \
    "may not open the TPM at $device: add the user to group $(stat -c %G "$device")" \
    "$(grep -E 'user (www-data|uid [0-9]+) ' "$WORK/nginx.log")"

openssl_conf "$WORK/openssl.cnf" last "tcti = device:$device" \
    "tpm2-open = early"
for key in server fixed; do
    with_devid start_nginx --key "$WORK/$key.key" --cert "$WORK/$key.pem" \
        --workers 4
    # tpm2-tss's device TCTI tries out the device so, whoever opens it.
    assert_equal "$key: opening early costs what the TCTI asks" "GetRandom" \
        "$(trace_list)"
    ten "$key, four workers on their master's file"
    for ((k = 0; k < 5; k++)); do
        request >/dev/null 2>&1 &
        kill -KILL "$(pgrep -P "$NGINX_PID" | head -n 1)" 2>/dev/null || true
        wait $! || true
    done
    ten "$key, five of them were killed"
    stop_nginx
    trace_reset
done
exec {hold}>&-
