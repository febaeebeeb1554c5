#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What goes wrong gets one sentence that says what to do, in openssl's error
# queue, in nginx's error log and from the tool.
#
# Usage: bad_input.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# says WHAT SENTENCE PROGRAM...: the program fails, with the sentence in what
# it prints.
says() {
    local what=$1 sentence=$2
    shift 2
    assert_fails "$what fails" "$@"
    assert_contains "$what" "$sentence" "$OUTPUT"
}

openssl_signs() {
    printf x | with_devid openssl dgst -sha256 -sign "$1" -out "$WORK/sig"
}
openssl_loads() {
    with_devid openssl pkey -in "$1" -noout
}

# signing KEY SENTENCE: openssl, the tool and nginx all say it when they sign.
signing() {
    says "openssl with $1" "$2" openssl_signs "$WORK/$1"
    says "devid with $1" "$2" \
        "$DEVID" csr --key "$WORK/$1" --subject /CN=x --out "$WORK/none.csr"
    [[ ! -e $WORK/none.csr ]] || fail "a failed csr left a file behind"
    [[ ${3:-} ]] || return 0
    : >"$WORK/nginx.log"
    with_devid start_nginx --key "$WORK/$1" --cert "$WORK/$3"
    curl_mtls "$WORK/plain.key" "$WORK/plain.pem" >/dev/null 2>&1 &&
        fail "nginx served with $1"
    stop_nginx
    assert_contains "nginx's log with $1" "$2" "$(<"$WORK/nginx.log")"
}

# loading KEY SENTENCE: openssl, the tool and nginx say it when they load.
loading() {
    says "openssl loading $1" "$2" openssl_loads "$WORK/$1"
    says "devid loading $1" "$2" "$DEVID" show "$WORK/$1"
    nginx_conf --key "$WORK/$1" --cert "$WORK/unit.pem"
    says "nginx -t loading $1" "$2" with_devid nginx_run -t
}

harness_dir
start_tpm --srk
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_identity unit server
make_identity fixed server --persist 0x81000100
make_identity moved server --persist 0x81000101
plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$WORK/plain.key" -subj /CN=plain -out "$WORK/plain.csr" 2>/dev/null
sign_csr "$WORK/plain.csr" "$WORK/plain.pem"

say "A key file that is damaged"
head -c 120 "$WORK/unit.key" >"$WORK/truncated.key"
loading truncated.key "is cut short or garbled"
sed '3s/./A/10;3s/./B/11;3s/./C/12' "$WORK/unit.key" |
    sed '2s/^..../AAAA/' >"$WORK/garbled.key"
loading garbled.key "TSS2 PRIVATE KEY"

say "A handle that is empty, a handle that holds another key"
"$DEVID" delete --yes tpm2:handle=0x81000100
signing fixed.key "there is nothing at handle 0x81000100" fixed.pem
"$DEVID" delete --yes tpm2:handle=0x81000101
"$DEVID" keygen --persist 0x81000101 --out "$WORK/stranger.key"
signing moved.key "handle 0x81000101 of this TPM holds another key" moved.pem
says "openssl pkey at an empty handle" \
    "there is nothing at handle 0x81000123" \
    with_devid openssl pkey -in tpm2:handle=0x81000123 -noout
says "openssl pkey at a malformed URI" "0x8100zzzz" \
    with_devid openssl pkey -in handle:0x8100zzzz -noout
says "openssl x509 at an NV index that is empty" \
    "there is nothing at NV index 0x01c90200" \
    with_devid openssl x509 -in tpm2:nv=0x01c90200 -noout
says "devid at an NV index that is empty" \
    "there is nothing at NV index 0x01c90200" "$DEVID" show tpm2:nv=0x01c90200

say "A key of another TPM"
start_tpm --srk other
signing unit.key "it was made in another TPM" unit.pem
start_tpm bare
signing unit.key "persistent handle 0x81000001, is not in this TPM" unit.pem

say "No TPM, and a TCTI string that is none"
stop_tpm
signing unit.key "no TPM answers at swtpm:host=127.0.0.1,port=$TPM_PORT" unit.pem
DEVID_TCTI=warp:drive signing unit.key "there is no TCTI library for 'warp'"
DEVID_TCTI=swtpm:wrong=1 signing unit.key "does not take the options in"
DEVID_TCTI=device:/dev/none signing unit.key "there is no TPM at /dev/none"
