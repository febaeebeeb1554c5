#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid provision is killed: at each of its TPM commands, before the answer
# comes, and at each of its records on the network, when the station has it. Run
# again, with or without a reset of the TPM in between, it comes to one unit,
# one pair of certificates and nothing left behind.
#
# Usage: line_crash.sh commands|lock|network PARITY [EVERY] [LEDGER]
#                      [--build-dir DIR] [--keep]
#
#   commands  a device that is new
#   lock      one that is provisioned, with --lock
#   network   a device that is new, with --lock, at its records
#   PARITY    0 or 1: after every second kill the TPM is reset
#   EVERY     only every so many moments (1: all)
#   LEDGER    the station's, sqlite (the default) or postgres
source "$(dirname "$0")/line_common.sh"
# shellcheck source=line_kept.sh
source "$(dirname "$0")/line_kept.sh"
PART=${ARGS[0]:?commands, lock or network}
PARITY=${ARGS[1]:?0 or 1}
EVERY=${ARGS[2]:-1}
LEDGER=${ARGS[3]:-sqlite}
make_line

# check WHEN [OPTION...]: run again, all is well.
check() {
    local when=$1
    shift
    (((RUN += 1) % 2 == PARITY)) || restart_tpm KILL
    provision "$@" >out 2>&1 || fail "$when: run again: $(<out)"
    assert_whole "$when, and run again"
    [[ $(openssl x509 -in id/cert.pem -noout -pubkey) == "$KEY" ]] ||
        fail "$when: another key"
    assert_equal "$when" "$STATE" "$(ledger 'select state from unit')"
}

# killed_at_command AFTER [OPTION...]: AFTER commands are answered, one more is
# done. Sets WHEN.
killed_at_command() {
    local after=$1
    shift
    trace_reset
    fault "hold * after=$after times=1"
    EXEC="exec" provision "$@" >out 2>&1 &
    kill_when $! test -e "$TRACE_FAULTS.held" ||
        fail "it ended before command $((after + 1))"
    fault_clear
    for ((i = 0; i < 500; i++)); do
        (($(trace_count) <= after)) || break
        sleep 0.01
    done
    WHEN=$(trace_list)
    WHEN="killed at command $((after + 1)), ${WHEN##* }"
}

# has_record: the station has it, and a moment to do what it asks.
has_record() {
    [[ -e held ]] && sleep 0.15
}

# killed_at_record N [OPTION...]: when the station has it. False: there is none.
killed_at_record() {
    local record=$1 relay status=0
    shift
    rm -f port held
    spawn relay "$BUILD_DIR/tests/identity/relay" port "$STATION_PORT" \
        "$record" held
    relay=$SPAWNED
    await "the relay" "$relay" test -s port
    EXEC="exec" PORT=$(<port) provision "$@" >out 2>&1 &
    kill_when $! has_record || status=1
    halt "$relay"
    return "$status"
}

STATE=tested RUN=0 OPTIONS=()
if [[ $PART != commands ]]; then
    STATE=locked
    OPTIONS=(--lock)
fi
[[ $PART != lock ]] || provision >out
keep_state
trace_reset
say "Not killed"
provision "${OPTIONS[@]}" >out || fail "$(<out)"
COMMANDS=$(trace_count)
KEY=$(openssl x509 -in id/cert.pem -noout -pubkey)
assert_whole "not killed"

if [[ $PART == network ]]; then
    for ((n = 1; n < 100; n += EVERY)); do
        as_kept
        killed_at_record "$n" "${OPTIONS[@]}" || break
        check "killed at record $n" "${OPTIONS[@]}"
    done
    ((n > 8)) || fail "there were but $n records"
    exit
fi

# What a device that is provisioned does before it locks was killed already.
first=0
[[ $PART != lock ]] || first=$((COMMANDS - 21))
for ((n = first; n < COMMANDS; n += EVERY)); do
    as_kept
    killed_at_command "$n" "${OPTIONS[@]}"
    check "$WHEN" "${OPTIONS[@]}"
done
