#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device whose TPM is locked, by values that it does not know itself, gets an
# LDevID all the same, and renews it.
#
# Usage: locked.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../identity/line_common.sh"
make_line
stop_station
setting est lifetime 1h
start_station
provision --lock >out || fail "$(<out)"

trace_reset
"$DEVID" enroll --est "https://localhost:$STATION_PORT" --identity unit \
    --root "$WORK/root" --idevid "$WORK/id" >out || fail "$(<out)"
assert_equal "its key is under the storage key" "ReadPublic Create\
 ReadPublic Load ContextSave Sign FlushContext\
 ReadPublic Sign\
 ReadPublic Load ContextSave Sign FlushContext" "$(commands)"
BEFORE=$(<root/unit/cert.pem)
"$DEVID" renew --root "$WORK/root" --force >out || fail "$(<out)"
[[ $(<root/unit/cert.pem) != "$BEFORE" ]] || fail "it was not renewed"
assert_nothing_left
