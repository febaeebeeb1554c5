#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid-renew.service and its timer: the sandbox, by systemd's own judgement, and
# that it leaves a renewal what it needs. Without systemd-analyze or strace it is
# skipped.
#
# Usage: unit.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
# shellcheck source=../../swtpm-ci/lib-systemd.sh
source "$HARNESS/lib-systemd.sh"
harness_dir
cd "$WORK" || exit
unit=$BUILD_DIR/tools/devid-renew.service
timer=$TOP/packaging/devid-renew.timer

need_systemd
assert_exposure "$unit" 2.0
cp "$unit" "$timer" .
assert_units ./devid-renew.timer ./devid-renew.service
assert_line "$unit" "DeviceAllow=/dev/tpmrm0 rw"
assert_line "$unit" "StateDirectory=devid"
assert_line "$unit" "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
grep -q '^PrivateDevices=yes' "$unit" && fail "it hides the TPM"
say "  ok: the TPM, the folder and the network are left to it"
assert_line "$unit" "SupplementaryGroups=tss"
assert_line "$timer" "Persistent=yes"
assert_line "$timer" "RandomizedDelaySec=60min"
assert_equal "it is run each hour" 0 "$(systemd-analyze calendar hourly \
    >/dev/null; echo $?)"

# What it may not call, a renewal must not need.
need_strace "a renewal"
forbidden_calls prlimit64
make_device tpm
make_est
start_est
enroll --after true >out
"${COUNT_CALLS[@]}" calls "$DEVID" renew --root "$WORK/root" --force >out ||
    fail "$(<out)"
assert_allowed calls

# What the unit leaves it of root's rights is enough, also for a command that
# sends another user's server a signal.
other=(setpriv --reuid 65534 --regid 65534 --clear-groups)
if ((EUID)) || ! "${other[@]}" true 2>/dev/null; then
    say "  skipped: only root has such rights"
    exit 0
fi
rights=$(sed -n 's/^CapabilityBoundingSet=CAP_//p' "$unit")
spawn other "${other[@]}" sleep 600
sed -i "s/^after = .*/after = kill $SPAWNED/" root/unit.conf
setpriv --bounding-set -all "$DEVID" renew --root "$WORK/root" --force \
    >out 2>&1 && fail "the command went well without a right to it"
assert_contains "it takes a right" "the command after that" "$(<out)"
setpriv --bounding-set "-all,+${rights,,}" "$DEVID" renew \
    --root "$WORK/root" >out || fail "$(<out)"
STATUS=0
wait "$SPAWNED" || STATUS=$?
assert_equal "which the unit leaves: a server of another user was told" \
    $((128 + 15)) "$STATUS"
