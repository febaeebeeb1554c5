#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid provision is killed: at each of its TPM commands, before the answer
# comes, at each of its records on the network, when the station has it, and
# before and after each of its writes to the disk. Run again, with or without a
# reset of the TPM in between, it comes to one unit, one pair of certificates and
# nothing left behind.
#
# Usage: line_crash.sh commands|lock|network|disk PARITY [EVERY] [LEDGER]
#                      [--report FILE] [--build-dir DIR] [--keep]
#
#   commands  a device that is new
#   lock      one that is provisioned, with --lock
#   network   a device that is new, with --lock, at its records
#   disk      one that is provisioned but for its folder, or has another there
#   PARITY    0 or 1: after which of two kills the TPM is reset
#   EVERY     only every so many moments (1: all)
#   LEDGER    the station's, sqlite (the default) or postgres
source "$(dirname "$0")/line_common.sh"
# shellcheck source=line_kept.sh
source "$(dirname "$0")/line_kept.sh"
report_option "${ARGS[@]}"
PART=${ARGS[0]:?commands, lock, network or disk}
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

# survived: what the report says in the end.
survived() {
    report "Who is killed, at whatever he does, is run again and all is well" \
        "identity.line-crash-$PART" "kills survived: $RUN"
}

STATE=tested RUN=0 OPTIONS=()
if [[ $PART == lock || $PART == network ]]; then
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

# killed_at_write N: before or after a write of the folder to the disk. False:
# there are no so many.
killed_at_write() {
    local status=0
    # Each power cut counts as a wrong value; a new TPM locks at the third.
    tpm2_dictionarylockout -Q --clear-lockout
    # The address sanitizer is to bear with who is preloaded before it.
    EXEC="env LD_PRELOAD=$BUILD_DIR/tests/station/kill_at.so DEVID_KILL_AT=$1" \
        ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 \
        provision >out 2>&1 || status=$?
    ((status == 0 || status == 137)) || fail "at write $1 it ended: $(<out)"
    ((status))
}

# folder: what is in it; nothing where there is none.
folder() {
    [[ ! -e id ]] || (cd id && sha256sum -- *)
}

if [[ $PART == disk ]]; then
    new=$(folder)
    # Of seven files, their directory, the link and its change: before and after.
    writes=$((2 * (7 + 1 + 1 + 1)))
    for ((n = 1; n <= writes; n += EVERY)); do
        rm -rf id id.* .id.*
        killed_at_write "$n" || fail "there were but $((n - 1)) moments"
        [[ ! -e id || $(folder) == "$new" ]] ||
            fail "killed at write $n: there is half a folder: $(folder)"
        check "killed at write $n"
        [[ $(folder) == "$new" && ! -e .id.new ]] ||
            fail "killed at write $n: in the folder is $(folder)"
    done
    # The one that is there counts until the new one is whole.
    for ((n = 1; n <= writes; n += EVERY)); do
        echo old >id/unit.json
        old=$(folder)
        killed_at_write "$n" || fail "there were but $((n - 1)) moments"
        [[ $(folder) == "$old" || $(folder) == "$new" ]] ||
            fail "killed at write $n of another: $(folder)"
        check "killed at write $n of another"
        [[ $(folder) == "$new" && ! -e .id.new ]] ||
            fail "killed at write $n of another: in the folder is $(folder)"
    done
    rm -rf id id.*
    ! killed_at_write $((writes + 1)) || fail "there are more than $writes moments"
    survived
    exit
fi

if [[ $PART == network ]]; then
    for ((n = 1; n < 100; n += EVERY)); do
        as_kept
        killed_at_record "$n" "${OPTIONS[@]}" || break
        check "killed at record $n" "${OPTIONS[@]}"
    done
    ((n > 8)) || fail "there were but $n records"
    survived
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
survived
