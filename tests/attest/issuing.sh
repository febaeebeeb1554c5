#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Certificates of IDevIDs and IAKs as the openssl program sees them, by a CA
# whose key is a file, and by one whose key is in a TPM.
#
# Usage: issuing.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir
cd "$WORK"
DEVID=$BUILD_DIR/tools/devid

# ca NAME: the certificate of a CA with the key NAME.key, NAME.pem and NAME.der.
ca() {
    openssl req -x509 -new -key "$1.key" -days 30 -subj "/O=Acme/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE,pathlen:0 \
        -addext keyUsage=critical,keyCertSign,cRLSign -out "$1.pem"
    plain_openssl x509 -in "$1.pem" -outform DER -out "$1.der"
}

# issued CA KIND: the CA's certificate for device.spki, CA-KIND.der, is what the
# profile says.
issued() {
    local cert=$1-$2.pem text policy=2.23.133.11.1.2
    [[ $2 != iak ]] || policy=2.23.133.11.1.3
    "$BUILD_DIR/tests/attest/issue" "$1.der" "$1.key" ek.der device.spki "$2" \
        "$1-$2.der"
    plain_openssl x509 -inform DER -in "$1-$2.der" -out "$cert"
    assert_equal "openssl verify" "$cert: OK" \
        "$(plain_openssl verify -x509_strict -CAfile "$1.pem" "$cert")"
    text=$(plain_openssl x509 -in "$cert" -noout -text -nameopt oneline)
    assert_contains "its subject" "Subject: O = Acme, serialNumber = SN-123" \
        "$text"
    assert_contains "it never expires" "Not After : Dec 31 23:59:59 9999 GMT" \
        "$text"
    assert_contains "it is no CA's" "CA:FALSE" "$text"
    assert_contains "its policy" "Policy: $policy" "$text"
    assert_contains "its list of revoked certificates" \
        "URI:http://ca.example/2.crl" "$text"
    assert_equal "its key" "$(sha256sum <device.spki)" \
        "$(plain_openssl x509 -in "$cert" -noout -pubkey |
            plain_openssl pkey -pubin -outform DER | sha256sum)"
    text=$(plain_openssl asn1parse -inform DER -in "$1-$2.der" \
        -strparse "$(san_offset "$1-$2.der")")
    assert_contains "the TPM's name" "$MODULE" "$text"
    assert_contains "its EK's certificate" \
        "$(sha256sum ek.der | cut -d ' ' -f 1)" "$text"
}

# san_offset FILE: where the value of its subjectAltName begins.
san_offset() {
    plain_openssl asn1parse -inform DER -in "$1" | awk -F: '
        /Subject Alternative Name/ { found = 1; next }
        found && /OCTET STRING/ { print $1 + 0; exit }'
}

start_vendor_tpm
tpm2_nvread -Q -C o 0x01c00002 -o ek.der 2>nvread.log
# The maker of swtpm is no text, so its digits stand for it.
ek=$(plain_openssl x509 -inform DER -in ek.der -noout -serial \
    -ext authorityKeyIdentifier)
aki=$(grep -oE '([0-9A-F]{2}:)+[0-9A-F]{2}' <<<"$ek" | tail -n 1)
MODULE="00001014:${aki//:/}:$(sed -n 's/^serial=//p' <<<"$ek")"
plain_openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 |
    plain_openssl pkey -pubout -outform DER -out device.spki

say "A CA with its key in a file"
plain_openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 \
    -out file.key
ca file
issued file idevid
issued file iak
for i in 1 2 3; do
    "$BUILD_DIR/tests/attest/issue" file.der file.key ek.der device.spki \
        idevid "number-$i.der"
    plain_openssl x509 -inform DER -in "number-$i.der" -noout -serial
done >numbers
assert_equal "serial numbers are new each time" 3 "$(sort -u numbers | wc -l)"

say "A CA with its key in a TPM"
persist_srk
openssl_conf openssl.cnf last
export OPENSSL_CONF=$WORK/openssl.cnf
"$DEVID" keygen --algorithm ec-p256 --out tpm.key
ca tpm
start_trace
issued tpm idevid
assert_equal "one signature by the TPM" 1 "$(trace_count Sign)"
stop_tpm
OUTPUT=$("$BUILD_DIR/tests/attest/issue" tpm.der tpm.key ek.der device.spki \
    idevid none.der 2>&1) && fail "it issues without its TPM"
assert_contains "without its TPM it says so" \
    "the issuer's key does not sign the certificate: " "$OUTPUT"
