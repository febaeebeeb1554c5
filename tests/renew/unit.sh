#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid-renew.service and its timer: the sandbox, by systemd's own judgement, and
# that it leaves a renewal what it needs. Where there is no systemd-analyze
# nothing is said.
#
# Usage: unit.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK" || exit
unit=$BUILD_DIR/tools/devid-renew.service
timer=$TOP/packaging/devid-renew.timer

if ! command -v systemd-analyze >/dev/null; then
    say "  skipped: there is no systemd-analyze"
    exit 0
fi

# holds FILE LINE: it has it.
holds() {
    grep -qxF -- "$2" "$1" || fail "${1##*/} has no line $2"
}

exposure=$(systemd-analyze security --offline=true "$unit" 2>/dev/null |
    sed -n 's/.*Overall exposure level[^0-9]*\([0-9.]*\) .*/\1/p')
[[ $exposure ]] || fail "systemd-analyze does not judge the unit"
awk -v exposure="$exposure" 'BEGIN { exit !(exposure < 3.0) }' ||
    fail "its exposure is $exposure, not below 3.0"
say "  ok: its exposure is $exposure"
cp "$unit" "$timer" .
assert_equal "systemd takes every line" "" \
    "$(systemd-analyze verify ./devid-renew.timer ./devid-renew.service 2>&1 |
        grep -F devid-renew | grep -vE 'is not executable|Command .man' || true)"
holds "$unit" "DeviceAllow=/dev/tpmrm0 rw"
holds "$unit" "StateDirectory=devid"
holds "$unit" "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
grep -q '^PrivateDevices=yes' "$unit" && fail "it hides the TPM"
say "  ok: the TPM, the folder and the network are left to it"
holds "$timer" "Persistent=yes"
assert_equal "it is run each hour" 0 "$(systemd-analyze calendar hourly \
    >/dev/null; echo $?)"

# calls_of SET...: the names in systemd's sets, and in the sets within.
calls_of() {
    local set
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

if ! command -v strace >/dev/null; then
    say "  skipped: there is no strace to see what a renewal calls"
    exit 0
fi
# What it may not call, a renewal must not need.
forbidden=$(calls_of @privileged @resources | sort -u |
    grep -vxE 'prlimit64|setrlimit')
[[ $forbidden == *fchown* ]] || fail "systemd-analyze does not say the sets"
make_device tpm
make_est
start_est
enroll --after true >out
strace -f -c -U name -o calls --signal=none "$DEVID" renew --root "$WORK/root" \
    --force >out || fail "$(<out)"
assert_equal "without a call that the unit forbids" "" \
    "$(comm -12 <(tr -d " " <calls | sort -u) <(echo "$forbidden"))"
