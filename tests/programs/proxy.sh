#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The faults that the other tests rest on are made: by the proxy, as asked, and
# no others.
#
# Usage: proxy.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# random_words: a client that asks the TPM for four words, one by one. Prints
# for each + where it came, - where not.
random_words() {
    local _
    for _ in 1 2 3 4; do
        if TPM2TOOLS_TCTI=$DEVID_TCTI TSS2_LOG=all+none \
            tpm2_getrandom --hex 4 >"$WORK/word" 2>/dev/null; then
            printf +
        else
            printf -
        fi
    done
}

# makes WHAT COMING COMMANDS RULE...: under these rules so many of the words
# come, and the log has these commands.
makes() {
    local what=$1 coming=$2 commands=$3
    shift 3
    trace_reset
    fault "$@"
    assert_equal "$what" "$coming" "$(random_words)"
    assert_equal "$what: the log" "$commands" "$(trace_list)"
}

harness_dir
need tpm2_getrandom
start_tpm
start_trace
# tpm2_getrandom asks for a capability first.
caps() {
    # shellcheck disable=SC2001 # ${//} has no alternatives
    sed 's/GetRandom/GetCapability GetRandom/g' <<<"$1"
}

makes "no rule that matches" ++++ \
    "$(caps "GetRandom GetRandom GetRandom GetRandom")" "refuse Sign 0x101"
makes "refuse" ---- "$(caps "GetRandom:0x101 GetRandom:0x101 GetRandom:0x101 \
GetRandom:0x101")" "refuse GetRandom 0x101"
makes "refuse the second and third" +--+ \
    "$(caps "GetRandom GetRandom:0x101 GetRandom:0x101 GetRandom")" \
    "refuse GetRandom 0x101 after=1 times=2"
makes "lose the first" -+++ \
    "$(caps "GetRandom:lost GetRandom GetRandom GetRandom")" \
    "lose GetRandom times=1"
makes "cut" ---- "" cut
start=$SECONDS
makes "delay" ++++ "$(caps "GetRandom GetRandom GetRandom GetRandom")" \
    "delay GetRandom 500"
((SECONDS - start >= 2)) || fail "four delays of 500 ms took no two seconds"
fault_clear
assert_equal "no fault any more" ++++ "$(random_words)"

fault "refuse"
random_words >/dev/null
assert_fails "a rule that is none ends the proxy" kill -0 "$TRACE_PID"
assert_contains "which says so" "is no rule: refuse" "$(<"$WORK/trace.log")"
