#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The CMP server of the openssl program, which has one certificate for whoever
# asks: a device whose key that is for is renewed, another one refuses it.
#
# Usage: cmp_openssl.sh [--build-dir DIR] [--keep]
#
# It listens to the whole world, so that all of this runs in a network of its
# own, where one can be made.
if [[ ! ${OWN_NETWORK:-} ]]; then
    if ! unshare --net true 2>/dev/null; then
        echo "skipped: no network namespace can be made here"
        exit 77
    fi
    OWN_NETWORK=1 exec unshare --net "$0" "$@"
fi
source "$(dirname "$0")/common_cmp.sh"

# lo_up: the loopback interface of a new network is down.
lo_up() {
    python3 -c 'import fcntl, socket, struct
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), SIOCSIFFLAGS,
            struct.pack("16sh", b"lo", IFF_UP).ljust(40, b"\0"))'
}

# serve_cmp CERT: that server, which answers with CERT. Sets CMP_URL.
serve_cmp() {
    local port
    port=$(free_port)
    spawn mock env OPENSSL_CONF=/dev/null openssl cmp -config "" -port "$port" \
        -srv_cert cmp/cmp.pem -srv_key cmp/cmp.key -srv_trusted cmp/trusted.pem \
        -rsp_cert "$1" -rsp_capubs cmp/ca.pem
    MOCK_PID=$SPAWNED
    await "openssl cmp" "$MOCK_PID" grep -q ACCEPT mock.log
    CMP_URL=http://127.0.0.1:$port/pkix/
}

lo_up
harness_dir
cd "$WORK" || exit
make_device tpm
openssl_conf openssl.cnf
make_cmp
BY_IDEVID=(--idevid "$WORK/idevid" --ca "$WORK/cmp/ca.pem")

say "A certificate for somebody else's key"
serve_cmp elsewhere/ca.pem
fails 7 "it is refused" "is not for the key of this device" enroll_cmp "${BY_IDEVID[@]}"
[[ ! -e root/unit ]] || fail "something was kept of it"
halt "$MOCK_PID"

say "A certificate for the device's key"
start_cmp life=3600
enroll_cmp "${BY_IDEVID[@]}" --same-key >out || fail "$(<out)"
halt "$CMP_PID"
cp root/unit/cert.pem own.pem
serve_cmp own.pem
sed -i "s|^url = .*|url = $CMP_URL|" root/unit.conf
renew --force >out 2>&1 || fail "$(<out)"
assert_equal "it is what renews the identity" "$(<own.pem)" \
    "$(<root/unit/cert.pem)"
