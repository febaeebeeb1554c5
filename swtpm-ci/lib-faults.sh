# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A whole program with one fault at one of its TPM commands or token calls, for
# tests that try every fault at every place. After lib.sh.
#
# FAULTS: a line a fault. Of a TPM: its name, whether what was loaded may stay
# there until the next run ("left": nobody who is lied to for good can clean up;
# "flush": nor who is told that what it flushes is gone), and a rule of the proxy, where AT is the number of commands before. Of a token:
# its name, "clean" and what the spy is told, where AT is the call's number.

# faults_of tpm|token: sets FAULTS.
faults_of() {
    FAULTS='retry clean refuse * 0x922 after=AT times=1
yielded clean refuse * 0x908 after=AT times=1
memory clean refuse * 0x904 after=AT times=1
lockout clean refuse * 0x921 after=AT times=1
reference flush refuse * 0x910 after=AT times=1
failure left refuse * 0x101 after=AT
busy left refuse * 0x922 after=AT
lost clean lose * after=AT times=1
gone left lose * after=AT
garbled clean garble * after=AT times=1'
    [[ $1 == tpm ]] || FAULTS='removed clean AT=0x32
removed-done clean AT=done:0x32
session clean AT=0xb3
login clean AT=0x101
memory clean AT=0x2
failed clean AT=0x6
failed-done clean AT=done:0x6'
}

# faults_options ARGUMENT...: --whole, all faults at each place; --shift N, at
# place P the one with number P + N; --only NAME; --part K/N, places that number K
# modulo N alone; --report FILE. Sets WHOLE, SHIFT, ONLY, PART_OF and REPORT; the
# others are left in ARGS.
faults_options() {
    report_option "$@"
    set -- "${ARGS[@]}"
    WHOLE='' SHIFT=0 ONLY='' PART_OF=0/1 ARGS=()
    while (($#)); do
        case $1 in
        --whole) WHOLE=1 ;;
        --shift | --only | --part)
            (($# > 1)) || fail "$1 needs a value"
            case $1 in
            --shift) SHIFT=$2 ;;
            --only) ONLY=$2 ;;
            --part) PART_OF=$2 ;;
            esac
            shift
            ;;
        *) ARGS+=("$1") ;;
        esac
        shift
    done
}

# faults_at PLACE: print the lines of FAULTS that are tried there.
faults_at() {
    (($1 % ${PART_OF#*/} == ${PART_OF%/*})) || return 0
    awk -v whole="$WHOLE" -v only="$ONLY" \
        -v number=$(($1 + SHIFT)) '{ line[n++] = $0; name[n - 1] = $1 }
            END {
                for (i = 0; i < n; i++)
                    if (only ? name[i] == only : whole || i == number % n)
                        print line[i]
            }' <<<"$FAULTS"
}

# with_fault RULE PLACE COMMAND...: run COMMAND with it; a TPM's by the proxy of
# the last start_trace, a token's by the spy. Sets STATUS, and OUTPUT.
with_fault() {
    local rule=${1//AT/$2}
    shift 2
    STATUS=0
    if [[ ${SPY_LOG:-} ]]; then
        OUTPUT=$(DEVID_SPY_FAULT=$rule "$@" 2>&1) || STATUS=$?
        return
    fi
    trace_reset
    fault "$rule"
    OUTPUT=$("$@" 2>&1) || STATUS=$?
    fault_clear
}

# assert_said WHEN: a program that failed has said why, in a sentence.
assert_said() {
    ((STATUS < 128)) || fail "$1: ended by signal $((STATUS - 128)): $OUTPUT"
    ((STATUS == 0)) ||
        grep -qE '^devid: .{20,}' <<<"$OUTPUT" ||
        grep -qE '"message": *".{20,}"' <<<"$OUTPUT" ||
        fail "$1: ended with $STATUS and no sentence: $OUTPUT"
    TRIED=$((${TRIED:-0} + 1))
    SAID=$((${SAID:-0} + (STATUS != 0)))
}

# faults_report PROMISE TEST
faults_report() {
    say "$TRIED runs with a fault: $SAID said why not, $((TRIED - SAID)) came to the\
 right result"
    report "$1" "$2" "$TRIED runs with a fault: $SAID said why not,\
 $((TRIED - SAID)) came to the right result, all did when run again; 0 failures"
}
