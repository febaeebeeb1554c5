#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What goes wrong under nginx: workers that end or are killed, reloads, a TPM
# that is reset or stands still, a resource manager that is restarted. The
# requests after the fault are served, with no reload. What tokens have to bear
# beside this is in token_faults.sh.
#
# Usage: faults.sh bare|abrmd blob|persistent|auth [--build-dir DIR] [--keep]
#        faults.sh token label [--build-dir DIR] [--keep]
source "$(dirname "$0")/serving.sh"
LINK=${ARGS[0]:?bare, abrmd or token}
KIND=${ARGS[1]:?blob, persistent, auth or label}
WORKERS=2

full_house() {
    [[ $(pgrep -P "$NGINX_PID" -c) == "$WORKERS" ]]
}

# kill_worker SIGNAL: one of the workers; waits until another stands in.
kill_worker() {
    local pid
    pid=$(pgrep -P "$NGINX_PID" | head -n 1)
    kill -"$1" "$pid"
    await "worker $pid to end" "$NGINX_PID" is_gone "$pid"
    await "a new worker" "$NGINX_PID" full_house
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

harness_dir
case $LINK in
token) start_device token ;;
*) start_tpm --srk ;;
esac
serve_with "$LINK" "$KIND" $WORKERS
served "before any fault"

say "Workers"
for signal in QUIT TERM KILL; do
    kill_worker $signal
    served "a worker was sent $signal"
done
load 2 60 &
load_pid=$!
for ((k = 0; k < 20; k++)); do
    kill_worker KILL
done
wait "$load_pid"
served "twenty workers were killed under load"
load 2 30 &
load_pid=$!
for ((k = 0; k < 3; k++)); do
    sleep 0.3
    kill -HUP "$NGINX_PID"
done
wait "$load_pid"
served "three reloads under load"

if [[ $LINK == token ]]; then
    no_alerts
    stop_nginx QUIT
    exit
elif [[ $LINK == bare ]]; then
    say "The TPM"
    restart_tpm KILL
    served "swtpm was killed and started with the same state"
    tpm2_flushcontext -t
    served "another client flushed every transient object"
else
    say "tpm2-abrmd"
    for signal in TERM KILL; do
        restart_abrmd $signal
        served "tpm2-abrmd was ended by $signal and started again"
    done
    load 2 30 &
    load_pid=$!
    sleep 0.3
    restart_abrmd
    wait "$load_pid"
    served "tpm2-abrmd was restarted under load"
    restart_tpm KILL
    served "swtpm behind it was killed and started with the same state"
    tpm2_flushcontext -t
    served "somebody flushed every transient object behind its back"
    case $KIND in
    persistent) sentence="there is nothing at handle 0x81000100" ;;
    *) sentence="persistent handle 0x81000001, is not in this TPM" ;;
    esac
    restart_tpm KILL swap_state first
    refused "swtpm behind it was started without its state" "$sentence"
    restart_tpm KILL swap_state first
    served "it has its state back"
fi
kill -STOP "$TPM_PID"
(
    sleep 5
    kill -CONT "$TPM_PID"
) &
served "the TPM stood still for five seconds"
wait $!

no_alerts
stop_nginx QUIT
nothing_left
