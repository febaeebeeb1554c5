#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid-renew.service and its timer: the sandbox, by systemd's own judgement, and
# that it leaves a renewal what it needs. Where there is no systemd-analyze
# nothing is said.
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
assert_exposure "$unit" 3.0
cp "$unit" "$timer" .
assert_units ./devid-renew.timer ./devid-renew.service
assert_line "$unit" "DeviceAllow=/dev/tpmrm0 rw"
assert_line "$unit" "StateDirectory=devid"
assert_line "$unit" "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
grep -q '^PrivateDevices=yes' "$unit" && fail "it hides the TPM"
say "  ok: the TPM, the folder and the network are left to it"
assert_line "$timer" "Persistent=yes"
assert_equal "it is run each hour" 0 "$(systemd-analyze calendar hourly \
    >/dev/null; echo $?)"

# What it may not call, a renewal must not need.
need_strace "a renewal"
forbidden_calls
make_device tpm
make_est
start_est
enroll --after true >out
"${COUNT_CALLS[@]}" calls "$DEVID" renew --root "$WORK/root" --force >out ||
    fail "$(<out)"
assert_allowed calls
