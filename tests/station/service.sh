#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The systemd unit: its sandbox, by systemd's own judgement, and that it leaves
# the station what it needs. Where there is no systemd-analyze nothing is said.
#
# Usage: service.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
unit=$BUILD_DIR/tools/station/devid-station.service

if ! command -v systemd-analyze >/dev/null; then
    say "  skipped: there is no systemd-analyze"
    exit 0
fi

# holds LINE: the unit has it.
holds() {
    grep -qxF -- "$1" "$unit" || fail "the unit has no line $1"
}

exposure=$(systemd-analyze security --offline=true "$unit" 2>/dev/null |
    sed -n 's/.*Overall exposure level[^0-9]*\([0-9.]*\) .*/\1/p')
[[ $exposure ]] || fail "systemd-analyze does not judge the unit"
awk -v exposure="$exposure" 'BEGIN { exit !(exposure < 2.0) }' ||
    fail "its exposure is $exposure, not below 2.0"
say "  ok: its exposure is $exposure"
assert_equal "systemd takes every line" "" \
    "$(systemd-analyze verify "$unit" 2>&1 | grep -F devid-station.service |
        grep -vE 'is not executable|Command .man')"
holds "StateDirectoryMode=0700"
holds "UMask=0077"
holds "LimitCORE=0"
holds "DeviceAllow=/dev/tpmrm0 rw"
holds "SupplementaryGroups=tss"
holds "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
grep -q '^PrivateDevices=yes' "$unit" && fail "it hides the TPM"
say "  ok: the TPM, PostgreSQL's socket and the network are left to it"

# calls_of SET...: the names in systemd's sets, and in the sets within.
calls_of() {
    local set
    for set; do
        systemd-analyze syscall-filter "$set" | sed -n 's/^ *\([a-z@][a-z0-9_-]*\)$/\1/p' |
            while read -r name; do
                case $name in
                "$set") ;;
                @*) calls_of "$name" ;;
                *) echo "$name" ;;
                esac
            done
    done
}

# What it may not call, the station must not need.
forbidden=$(calls_of @privileged @resources | sort -u |
    grep -vxE 'prlimit64|setrlimit')
[[ $forbidden == *fchown* ]] || fail "systemd-analyze does not say the sets"
# Of root's files alone SQLite keeps the owner.
((EUID)) || forbidden=$(grep -vx fchown <<<"$forbidden")
if ! command -v strace >/dev/null; then
    say "  skipped: there is no strace to see what the station calls"
    exit 0
fi
start_tpm --ek
make_station
trust_vendor "$WORK/tpm"
spawn station strace -f -c -U name -o "$WORK/calls" --signal=none \
    "$STATION" serve --dir line
await "the station" "$SPAWNED" grep -q '"listening"' station.log
enrol gate SN-1
activate gate
assert_equal "a device has its certificates" "200 issued" \
    "$STATUS $(json .state)"
pkill -TERM -P "$SPAWNED"
await "its end" "$$" test -s calls
assert_equal "without a call that the unit forbids" "" \
    "$(comm -12 <(tr -d " " <calls | sort -u) <(echo "$forbidden"))"
