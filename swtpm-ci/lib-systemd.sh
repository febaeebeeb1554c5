# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Units of systemd, judged by systemd's own programs; none of them is started.
# For scripts that source it behind lib.sh.

# need_systemd: the script ends here, as a test that is skipped, where there is no
# systemd-analyze.
need_systemd() {
    if ! command -v systemd-analyze >/dev/null; then
        say "skipped: there is no systemd-analyze; run swtpm-ci/install"
        exit 77
    fi
}

# assert_line FILE LINE: a unit has it.
assert_line() {
    grep -qxF -- "$2" "$1" || fail "${1##*/} has no line $2"
}

# assert_exposure UNIT LIMIT: its sandbox is judged to leave less than that open.
assert_exposure() {
    local exposure
    exposure=$(systemd-analyze security --offline=true "$1" 2>/dev/null |
        sed -n 's/.*Overall exposure level[^0-9]*\([0-9.]*\) .*/\1/p')
    [[ $exposure ]] || fail "systemd-analyze does not judge ${1##*/}"
    awk -v exposure="$exposure" -v limit="$2" \
        'BEGIN { exit !(exposure < limit) }' ||
        fail "the exposure of ${1##*/} is $exposure, not below $2"
    say "  ok: its exposure is $exposure"
}

# assert_units UNIT...: systemd takes every line of them. The programs that they
# name are not installed here.
assert_units() {
    assert_equal "systemd takes every line" "" \
        "$(systemd-analyze verify "$@" 2>&1 | grep -F devid |
            grep -vE 'is not executable|Command .man' || true)"
}

# calls_of SET...: the names in systemd's sets, and in the sets within.
calls_of() {
    local set name
    for set; do
        systemd-analyze syscall-filter "$set" |
            sed -n 's/^ *\([a-z@][a-z0-9_-]*\)$/\1/p' |
            while read -r name; do
                case $name in
                "$set") ;;
                @*) calls_of "$name" ;;
                *) echo "$name" ;;
                esac
            done
    done
}

# forbidden_calls CALL...: set FORBIDDEN to what the units' SystemCallFilter takes
# away, which leaves those calls.
forbidden_calls() {
    FORBIDDEN=$(calls_of @privileged @resources | sort -u |
        grep -vxF "$(printf '%s\n' "$@")")
    [[ $FORBIDDEN == *fchown* ]] || fail "systemd-analyze does not say the sets"
}

# need_strace WHAT: the script ends here, as a test that is skipped, where there is
# no strace to see what that calls.
need_strace() {
    if ! command -v strace >/dev/null; then
        say "skipped: there is no strace to see what $1 calls; run" \
            "swtpm-ci/install"
        exit 77
    fi
    # shellcheck disable=SC2034 # scripts run it
    COUNT_CALLS=(strace -f -c -U name --signal=none -o)
}

# assert_allowed FILE: what COUNT_CALLS wrote there has no call of FORBIDDEN.
assert_allowed() {
    assert_equal "without a call that the unit forbids" "" \
        "$(comm -12 <(tr -d " " <"$1" | sort -u) <(echo "$FORBIDDEN"))"
}
