#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What programs cost in TPM commands: the design's table, exactly.
#
# Usage: budget.sh bare|managed [--build-dir DIR] [--keep]
#
# managed: keys stay loaded, as behind a resource manager. The commands are
# counted where they reach the manager, so here there is none.
source "$(dirname "$0")/common.sh"
SHARING=${ARGS[0]:?bare or managed}

# check PLACE FIRST LATER END: the first signature of a process takes FIRST,
# each further one LATER; END is what a whole short program adds at its exit.
check() {
    local place=$1 first=$2 later=$3 end=$4
    local key=$WORK/$place-client.key

    costs "$place: openssl pkey -pubout" "" \
        with_devid openssl pkey -in "$key" -pubout
    costs "$place: openssl x509 matches key and certificate" "" \
        with_devid openssl pkey -in "$key" -noout -text
    costs "$place: devid show" "" "$DEVID" show "$key"

    trace_reset
    with_devid start_nginx --key "$WORK/$place-server.key" \
        --cert "$WORK/$place-server.pem"
    with_devid nginx_run -t 2>/dev/null
    assert_equal "$place: nginx -t and nginx start" "" "$(trace_list)"
    costs "$place: nginx's first handshake" "$first" plain_request
    costs "$place: nginx's second handshake" "$later" plain_request
    costs "$place: nginx's third handshake" "$later" plain_request
    stop_nginx

    OPENSSL_CONF=/dev/null start_nginx --key "$WORK/plain.key" \
        --cert "$WORK/plain.pem"
    costs "$place: a whole curl" "$first$end" one_request "$place"
    stop_nginx
    costs "$place: a CSR by openssl req" "$first$end" \
        with_devid openssl req -new -key "$key" -subj /CN=x
    costs "$place: a CSR by devid" "$first$end" \
        "$DEVID" csr --key "$key" --subject /CN=x --out -
}

harness_dir
start_tpm --srk
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
handle=0x81000100
for purpose in server client; do
    make_identity "owner-$purpose" $purpose --parent owner
    make_identity "srk-$purpose" $purpose
    make_identity "persistent-$purpose" $purpose \
        --persist "$(printf 0x%08x "$handle")" --algorithm rsa-2048
    handle=$((handle + 1))
done
plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$WORK/plain.key" -subj /CN=plain -addext \
    subjectAltName=DNS:localhost -out "$WORK/plain.csr" 2>/dev/null
plain_openssl x509 -req -in "$WORK/plain.csr" -CA "$CA_DIR/ca.pem" \
    -CAkey "$CA_DIR/ca.key" -copy_extensions copy -days 30 \
    -out "$WORK/plain.pem" 2>/dev/null
start_trace
export DEVID_TPM2_SHARING=$SHARING

costs "activating the provider" "" with_devid openssl list -providers
assert_contains "the provider is active" "name: devid" "$(<"$WORK/out")"

check persistent "ReadPublic Sign" "Sign" ""
case $SHARING in
managed)
    check srk "ReadPublic Load Sign" "Sign" " FlushContext"
    check owner "CreatePrimary Load FlushContext Sign" "Sign" " FlushContext"
    ;;
bare)
    check srk "ReadPublic Load ContextSave Sign FlushContext" \
        "ContextLoad Sign FlushContext" ""
    check owner "CreatePrimary Load FlushContext ContextSave Sign FlushContext" \
        "ContextLoad Sign FlushContext" ""
    ;;
*) fail "bare or managed, not $SHARING" ;;
esac

assert_equal "no object was left in the TPM" "" \
    "$(tpm2_getcap handles-transient)"
