# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests with a CA that speaks CMP share.

# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export no_proxy='*'

# make_cmp: the CA in $WORK/cmp, a signer of its messages, and who may ask:
# devices of the factory, and its own.
make_cmp() {
    make_ca "$WORK/elsewhere"
    make_ca "$WORK/cmp"
    cp elsewhere/ca.pem cmp/extra.pem
    plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout cmp/cmp.key -subj /CN=cmp -out cmp/cmp.csr 2>/dev/null
    sign_csr cmp/cmp.csr cmp/cmp.pem both
    cat cmp/ca.pem factory/ca.pem >cmp/trusted.pem
}

# start_cmp [NAME=VALUE...]: the server. Sets CMP_PID, CMP_URL.
start_cmp() {
    rm -f cmp/port
    spawn cmp "$BUILD_DIR/tests/renew/cmp_server" cmp cmp/port "$@"
    CMP_PID=$SPAWNED
    await "the CMP server" "$CMP_PID" test -s cmp/port
    CMP_URL=http://127.0.0.1:$(<cmp/port)/pkix
}

# restart_cmp [NAME=VALUE...]: another one, at the address that is configured.
restart_cmp() {
    halt "$CMP_PID"
    start_cmp "$@"
    [[ ! -e root/unit.conf ]] || sed -i "s|^url = .*|url = $CMP_URL|" root/unit.conf
}

# cmp_did: what the CA has done since the last time, in one line.
cmp_did() {
    grep -E '^(ir|kur|confirmed|revoked|waiting)' cmp.log | xargs
    : >cmp.log
}

# enroll_cmp [OPTION...]: identity unit in $WORK/root.
enroll_cmp() {
    "$DEVID" enroll --cmp "$CMP_URL" --identity unit --root "$WORK/root" \
        "${DEVICE[@]}" "$@"
}
