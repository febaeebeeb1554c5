#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# haproxy keeps to the list of devid trust, with the lines that it prints.
#
# Usage: haproxy.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/servers.sh"
need haproxy jq
harness_dir
cd "$WORK"
TARGET=haproxy
RELOAD=USR2
make_devices
name_devices

start_server() {
    PORT=$(free_port)
    cat >haproxy.cfg <<END
global
    stats socket $WORK/haproxy.sock mode 600
frontend devices
    mode http
    timeout client 30s
    bind 127.0.0.1:$PORT ssl crt $WORK/server.both $(
        sed -n 's/^# \(ca-file .*\)/\1/p' <<<"$LINES")
$(grep -v '^#' <<<"$LINES" | sed 's/^/    /')
    http-request return status 200 content-type text/plain string hello
END
    assert_equal "haproxy has nothing to complain of" "" \
        "$(haproxy -c -f "$WORK/haproxy.cfg" 2>&1 | grep -v valid || true)"
    spawn haproxy haproxy -W -db -f "$WORK/haproxy.cfg"
    SERVER_PID=$SPAWNED
    await "haproxy" "$SERVER_PID" has_begun
}

# has_begun: its worker listens.
has_begun() {
    [[ $(status by-serial 2>/dev/null) == 200 ]]
}

start_server
everybody_gets_theirs

say "What nginx cannot have"
trust remove --cert by-tpm.pem
trust add --fingerprint "$(of_cert by-tpm -fingerprint -sha256)"
trust add --fingerprint "$(of_cert unnamed -fingerprint -sha1)"
write
reload_server
gets unnamed 200 "a device by its SHA-1"
gets by-tpm 200 "a device by its SHA-256 alone"
