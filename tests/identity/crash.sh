#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device is provisioned by a program that is killed: at each of its commands,
# before the answer comes. Run again, it comes to the same keys, and leaves
# nothing behind in the TPM.
#
# Usage: crash.sh [--report FILE] [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
report_option "${ARGS[@]}"
harness_dir
start_tpm --ek
stop_tpm
cp "$WORK/tpm/tpm2-00.permall" "$WORK/as-made"
launch_tpm
start_trace

# as_made: the TPM as its maker delivers it.
as_made() {
    restart_tpm TERM cp "$WORK/as-made" "$WORK/tpm/tpm2-00.permall"
}

# killed AFTER STEP...: run a device until AFTER commands are answered and one
# more is on its way; kill it; wait until the TPM has done that one too.
killed() {
    local after=$1 i
    shift
    trace_reset
    fault "hold * after=$after times=1"
    "$DEVICE" "$@" "$WORK/$UNIT" >/dev/null 2>&1 &
    local pid=$!
    fault_holds "$pid"
    kill -KILL "$pid"
    KILLS=$((${KILLS:-0} + 1))
    wait "$pid" 2>/dev/null || true
    fault_clear
    for ((i = 0; i < 500; i++)); do
        (($(trace_count) <= after)) || break
        sleep 0.01
    done
    (($(trace_count) == after + 1)) ||
        fail "killed at command $((after + 1)), saw $(trace_list)"
}

# keys: what the device says of itself.
keys() {
    local name
    for name in ekPub attestPub signingPub; do
        hex "$(field "$name")"
        echo
    done
}

# handles: the persistent keys and NV indices.
handles() {
    echo "$(tpm2_getcap handles-persistent)$(tpm2_getcap handles-nv-index)"
}

say "Not killed"
device request >/dev/null
KEYS=$(keys)
HANDLES=$(handles)
COMMANDS=$(trace_count)

for ((n = 0; n < COMMANDS; n++)); do
    as_made
    killed "$n" request
    at=$(trace_list)
    rm -f "$(field ekPub)" "$(field attestPub)" "$(field signingPub)"
    device request >/dev/null
    at="killed at command $((n + 1)), ${at##* }"
    [[ $(keys) == "$KEYS" ]] || fail "$at: other keys"
    [[ $(handles) == "$HANDLES" ]] || fail "$at: has $(handles)"
    assert_nothing_left "$at and run again,"
done

say "Killed twice at the same command, and once more"
as_made
killed 6 request
killed 9 request
killed 9 request
device request >/dev/null
assert_equal "the same keys" "$KEYS" "$(keys)"
assert_nothing_left

say "The challenge"
challenge "once" "$(public_of attestPub)"
trace_reset
device --ek 0x81010001 activate
COMMANDS=$(trace_count)
for ((n = 2; n < COMMANDS; n++)); do
    killed "$n" --ek 0x81010001 activate
    at=$(trace_list)
    rm -f "$(field answer)"
    device --ek 0x81010001 activate
    at="killed at command $((n + 1)), ${at##* }"
    [[ $(<"$(field answer)") == once ]] || fail "$at: another answer"
    assert_nothing_left "$at and run again,"
done
report "Who is killed, at whatever he does, is run again and all is well" identity.crash \
    "kills survived: $KILLS"
