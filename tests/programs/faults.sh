#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What goes wrong under nginx: workers that end or are killed, reloads, a TPM
# that is reset, cut off, stopped or filled by others. The requests after the
# fault are served, with no reload.
#
# Usage: faults.sh bare|abrmd [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
LINK=${ARGS[0]:?bare or abrmd}

request() {
    OPENSSL_CONF=/dev/null curl_mtls "$WORK/plain.key" "$WORK/plain.pem" "$@"
}

# served WHAT: ten of ten requests, each on a connection of its own.
served() {
    local i good=0
    for ((i = 0; i < 10; i++)); do
        if request >/dev/null 2>>"$WORK/curl.log"; then
            good=$((good + 1))
        fi
    done
    assert_equal "$1: requests served of ten" 10 "$good"
}

workers() {
    pgrep -P "$NGINX_PID" | tr '\n' ' '
}

# load COUNT: so many requests in the background. Sets LOAD_PID.
load() {
    local i
    for ((i = 0; i < $1; i++)); do
        request >/dev/null 2>&1 || true
    done &
    LOAD_PID=$!
}

# kill_worker SIGNAL: one of the workers; waits until another stands in.
kill_worker() {
    local pid=${1%%:*} signal=${1#*:} before
    pid=$(pgrep -P "$NGINX_PID" | head -n 1)
    before=$(pgrep -P "$NGINX_PID" -c)
    kill -"$signal" "$pid"
    await "worker $pid to end" "$NGINX_PID" bash -c "! kill -0 $pid 2>/dev/null"
    # QUIT and TERM to a worker are not replaced: nginx asked for neither.
    [[ $signal != KILL ]] ||
        await "a new worker" "$NGINX_PID" \
            test "$(pgrep -P "$NGINX_PID" -c)" -le "$before"
}

harness_dir
start_tpm --srk
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf" last "lock-timeout = 10"
[[ $LINK == bare ]] || start_abrmd
make_identity server server
make_identity plain client
plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$WORK/plain.key" -subj /CN=plain -out "$WORK/plain.csr" 2>/dev/null
sign_csr "$WORK/plain.csr" "$WORK/plain.pem"
with_devid start_nginx --key "$WORK/server.key" --cert "$WORK/server.pem" \
    --workers 2
served "before any fault"

say "Workers"
for signal in QUIT TERM KILL; do
    kill_worker "x:$signal"
    served "a worker was sent $signal"
done
load 100
for ((k = 0; k < 20; k++)); do
    kill_worker x:KILL
done
wait "$LOAD_PID"
served "twenty workers were killed under load"
load 60
for ((k = 0; k < 3; k++)); do
    kill -HUP "$NGINX_PID"
    sleep 0.3
done
wait "$LOAD_PID"
served "three reloads under load"

say "The TPM"
if [[ $LINK == bare ]]; then
    restart_tpm KILL
    served "swtpm was killed and started with the same state"
    tpm2_flushcontext -t
    served "another client flushed every transient object"
    for slot in 1 2 3; do
        tpm2_createprimary -Q -C o -G ecc -c "$WORK/slot$slot.ctx"
    done
    (
        sleep 1
        tpm2_flushcontext -t
    ) &
    served "another client filled the three slots for a second"
    wait $!
    kill -STOP "$TPM_PID"
    (
        sleep 5
        kill -CONT "$TPM_PID"
    ) &
    served "the TPM stood still for five seconds"
    wait $!
else
    kill "$ABRMD_PID"
    stop_abrmd
    start_abrmd
    served "tpm2-abrmd was restarted"
fi

assert_equal "nginx logged no alert but for the workers that were killed" "" \
    "$(grep -E '\[(alert|emerg)\]' "$WORK/nginx.log" | grep -v 'exited on signal 9' || true)"
