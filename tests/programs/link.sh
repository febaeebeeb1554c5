#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A TPM that nginx cannot reach, that loses answers, that answers that it is
# busy, that is another one than before. While it lasts a request fails soon and
# nginx's log says why; the requests afterwards are served, with no reload.
#
# Usage: link.sh blob|persistent|auth [--build-dir DIR] [--keep]
source "$(dirname "$0")/serving.sh"
KIND=${ARGS[0]:?blob, persistent or auth}

harness_dir
start_tpm --srk
start_trace
PROXY_PORT=${DEVID_TCTI##*=}
serve_with bare "$KIND" 2
served "before any fault"

say "The link is cut"
for seconds in 1 10; do
    fault cut
    refused "the link is cut" "IO failure"
    (
        sleep "$seconds"
        fault_clear
    ) &
    healing=$!
    while kill -0 $healing 2>/dev/null; do
        plain_request >/dev/null 2>&1 || true
        sleep 0.1
    done
    wait $healing
    served "the link was cut for $seconds s"
done
stop_trace
refused "nobody listens there" "no TPM answers at swtpm:host=127.0.0.1"
# The same port again: the workers know no other.
start_trace --port "$PROXY_PORT"
served "it listens again"

say "Answers of the TPM are lost, or say that it is busy"
for command in ReadPublic Load ContextSave ContextLoad StartAuthSession Sign \
    FlushContext; do
    fault "lose $command times=1"
    served "an answer to $command was lost"
done
fault_clear
nothing_left
# YIELDED, TESTING, NV_RATE, RETRY, NV_UNAVAILABLE
for code in 0x908 0x90a 0x920 0x922 0x923; do
    trace_reset
    fault "refuse Sign $code times=3"
    served "Sign was answered with $code three times"
    assert_equal "it was tried again" 13 "$(trace_count Sign)"
done
fault_clear

say "Another TPM is in its place"
restart_tpm KILL swap_state first
case $KIND in
blob | auth) sentence="persistent handle 0x81000001, is not in this TPM" ;;
persistent) sentence="there is nothing at handle 0x81000100" ;;
esac
refused "a TPM that is new" "$sentence"
persist_srk
case $KIND in
blob | auth) sentence="does not load under persistent handle 0x81000001" ;;
persistent)
    sentence="handle 0x81000100 of this TPM holds another key"
    "$DEVID" keygen --persist 0x81000100 --out "$WORK/other.key"
    ;;
esac
refused "a TPM with keys of its own" "$sentence"
restart_tpm KILL swap_state first
served "the first TPM is back"

say "A TPM that was not started, or that failed its self-test"
fault "refuse * 0x100"
refused "a TPM that was not started" "run tpm2_startup -c"
fault "refuse * 0x101"
refused "a TPM in failure mode" "power-cycle the machine"
fault_clear
served "the TPM works again"

no_alerts
stop_nginx QUIT
nothing_left
