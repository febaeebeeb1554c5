#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The systemd unit: its sandbox, by systemd's own judgement, and that it leaves
# the station what it needs. Without systemd-analyze or strace it is skipped.
#
# Usage: service.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
# shellcheck source=../../swtpm-ci/lib-systemd.sh
source "$HARNESS/lib-systemd.sh"
harness_dir
cd "$WORK"
unit=$BUILD_DIR/tools/station/devid-station.service

need_systemd
assert_exposure "$unit" 2.0
assert_units "$unit"
for line in "StateDirectoryMode=0700" "UMask=0077" "LimitCORE=0" \
    "DeviceAllow=/dev/tpmrm0 rw" "SupplementaryGroups=tss" \
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"; do
    assert_line "$unit" "$line"
done
grep -q '^PrivateDevices=yes' "$unit" && fail "it hides the TPM"
say "  ok: the TPM, PostgreSQL's socket and the network are left to it"

# What it may not call, the station must not need.
need_strace "the station"
forbidden_calls prlimit64 setrlimit
# Of root's files alone SQLite keeps the owner.
((EUID)) || FORBIDDEN=$(grep -vx fchown <<<"$FORBIDDEN")
start_tpm --ek
make_station
trust_vendor "$WORK/tpm"
spawn station "${COUNT_CALLS[@]}" "$WORK/calls" "$STATION" serve --dir line
await "the station" "$SPAWNED" grep -q '"listening"' station.log
enrol gate SN-1
activate gate
assert_equal "a device has its certificates" "200 issued" \
    "$STATUS $(json .state)"
pkill -TERM -P "$SPAWNED"
await "its end" "$$" test -s calls
assert_allowed calls
