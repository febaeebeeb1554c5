#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The openssl command on some mutants; run calls this. Each argument is a line
# that mutate printed: name, "ours" or "any", origin, changes. Says which
# mutant went wrong, and how; adds up how the others went in $WORK/tally.NAME,
# of the first.
#
# From the environment:
#   WORK          a directory with first.cnf, last.cnf and mutants/
#   DEVID_PRELOAD the runtimes of the sanitizers, or nothing
set -uo pipefail

# OpenSSL alone, without devid, takes seconds for some of the largest.
SECONDS_MAX=120
SOFTWARE_KEY='BEGIN ((RSA|EC|ENCRYPTED) )?PRIVATE|priv:|privateExponent:|prime1:'
declare -A tally=()
failures=0

# went HOW: count it.
went() {
    tally[$1]=$((${tally[$1]:-0} + 1))
}

# wrong WHAT: of the command that ran last.
wrong() {
    failures=$((failures + 1))
    printf 'FAIL: %s\n    %s\n    of %s\n' "$1" "${COMMAND[*]}" "$MUTANT"
    printf '    | %s\n' "${ERR:0:2000}"
}

# run_openssl ARGUMENT...: sets COMMAND, STATUS, OUT and ERR.
run_openssl() {
    COMMAND=(openssl "$@")
    STATUS=0
    timeout --kill-after=5 "$SECONDS_MAX" \
        env ${DEVID_PRELOAD:+LD_PRELOAD="$DEVID_PRELOAD"} "${COMMAND[@]}" \
        </dev/null >"$WORK/out.$$" 2>"$WORK/err.$$" || STATUS=$?
    # Up to a first NUL, and without a process for each.
    IFS= read -r -d '' OUT <"$WORK/out.$$"
    IFS= read -r -d '' ERR <"$WORK/err.$$"
    went runs
}

# Whatever the file: an end of its own, with a word where it failed.
check_end() {
    # storeutl's status is the number of its errors.
    [[ ${COMMAND[1]} != storeutl ]] || ((STATUS == 0 || STATUS >= 124)) ||
        STATUS=1
    case $STATUS in
    0) ;;
    1) [[ $ERR == *[a-z]* ]] || wrong "it failed without a word" ;;
    124 | 137) wrong "it did not end within $SECONDS_MAX s" ;;
    *) wrong "it ended with status $STATUS" ;;
    esac
    [[ $ERR != *Sanitizer* && $ERR != *"runtime error:"* ]] ||
        wrong "a sanitizer reports"
    # None of the files holds the private key of any software key.
    [[ ! $OUT =~ $SOFTWARE_KEY ]] ||
        wrong "there is a software key in the output"
}

# check_reason OURS: that a key of ours is refused in a sentence of ours. What
# has headers as of an encrypted key, OpenSSL's own reader may refuse first.
check_reason() {
    if [[ $ERR == *:error:*:devid:* ]]; then
        went refused_in_a_sentence_of_devid
    elif [[ $1 == ours && $ERR != *":PEM routines:"* ]]; then
        wrong "a key of devid is refused without a sentence of devid"
    elif [[ $ERR == *:error:* ]]; then
        went refused_by_OpenSSL_with_an_error
    else
        went refused_by_OpenSSL_as_no_key
    fi
}

# check_pkey OURS WANTED: its output is WANTED where it succeeded.
check_pkey() {
    check_end
    if ((STATUS != 0)); then
        check_reason "$1"
        return
    fi
    went loaded
    [[ $OUT =~ $2 ]] || wrong "there is no $2 in its output"
    [[ $ERR != *:error:* ]] || wrong "it succeeds and leaves an error"
}

# try_mutant NAME OURS: what is tried is a matter of the mutant's number.
try_mutant() {
    local number=$((10#${1%.*})) file=$WORK/mutants/$1 form=() pass=(-passin pass:x)
    OPENSSL_CONF=$WORK/first.cnf
    ((number & 8)) || OPENSSL_CONF=$WORK/last.cnf
    export OPENSSL_CONF
    [[ $1 == *.pem ]] || ((number & 16)) || form=(-inform DER)

    case $((number % 8)) in
    [0-3])
        run_openssl pkey -in "$file" "${form[@]}" "${pass[@]}" -pubout
        check_pkey "$2" "BEGIN PUBLIC KEY"
        ;;
    4 | 5)
        run_openssl pkey -in "$file" "${form[@]}" "${pass[@]}"
        check_pkey "$2" "BEGIN (TSS2 PRIVATE KEY|DEVID KEY REFERENCE)"
        ;;
    *)
        run_openssl pkey -in "$file" "${form[@]}" "${pass[@]}" -noout -text
        check_pkey "$2" "Private-Key: .*TPM"
        ;;
    esac
    case $((number % 8)) in
    3)
        run_openssl storeutl "${pass[@]}" "$file"
        check_end
        ;;
    7)
        run_openssl storeutl -keys -noout "${pass[@]}" "$file"
        check_end
        ;;
    5)
        run_openssl req -new -subj /CN=x -key "$file" "${pass[@]}"
        check_end
        ((STATUS != 0)) || wrong "it signed without a TPM"
        check_reason "$2"
        ;;
    esac
}

for MUTANT; do
    read -r name ours _ <<<"$MUTANT"
    try_mutant "$name" "$ours"
done
for how in "${!tally[@]}"; do
    printf '%s %d ' "$how" "${tally[$how]}"
done >"$WORK/tally.${1%% *}"
rm -f "$WORK/out.$$" "$WORK/err.$$"
((failures == 0))
