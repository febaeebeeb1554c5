#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device with a TPM gets its certificates from a station, and each of those
# that must not is refused with its own sentence.
#
# Usage: enrol.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
start_tpm --ek
make_station
trust_vendor "$WORK/tpm"
start_station
cd "$WORK"

say "The station says who it is"
ask GET /v1/station
assert_equal "to anybody" 200 "$STATUS"
assert_equal "by its name" line-1 "$(json .station)"
assert_equal "and its CA's certificate" "$(openssl x509 -in line/ca.pem \
    -outform DER | sha256sum)" "$(json '.ca[0]' | base64 -d | sha256sum)"

say "A device"
enrol gate SN-1
assert_equal "is taken" "201 certified" "$STATUS $(json .state)"
activate gate
assert_equal "answers the challenge, and has its certificates" \
    "200 issued true" "$STATUS $(json '"\(.state) \(.attested)"')"
take_certs gate
for kind in idevid iak; do
    assert_equal "openssl verifies its $kind" "gate.$kind.pem: OK" \
        "$(plain_openssl verify -x509_strict -CAfile line/ca.pem \
            "gate.$kind.pem")"
done
for key in idevid:0x81020000 iak:0x81020001; do
    assert_equal "the ${key%:*}'s key is that at ${key#*:}" \
        "$(tpm2_readpublic -Q -c "${key#*:}" -f pem -o key.pub &&
            openssl pkey -pubin -in key.pub -outform DER | sha256sum)" \
        "$(openssl x509 -in "gate.${key%:*}.pem" -noout -pubkey |
            openssl pkey -pubin -outform DER | sha256sum)"
done
text=$(openssl x509 -in gate.idevid.pem -noout -text -nameopt oneline)
assert_contains "the certificate says who it is" "serialNumber = SN-1" "$text"
assert_contains "that a TPM holds its key" "Policy: 2.23.133.11.1.2" "$text"
assert_contains "and where its list of revoked ones is" \
    "URI:https://localhost:$STATION_PORT/v1/crl/" "$text"

say "Again, as after a crash of the device"
first=$UNIT
certs=$(sha256sum gate.*.der)
activate gate
assert_equal "the same answer gives the same certificates" "$certs" \
    "$(take_certs gate; sha256sum gate.*.der)"
enrol gate SN-1
assert_equal "the same request comes to the same unit" "200 $first issued" \
    "$STATUS $UNIT $(json .state)"
activate gate
assert_equal "whose certificates are the same" "$certs" \
    "$(take_certs gate; sha256sum gate.*.der)"

say "A chip that brings its maker's intermediate certificate along"
stop_station
rm line/vendors/*
cp tpm-ca/swtpm-localca-rootca-cert.pem line/vendors
start_station
enrol gate SN-1
assert_refused "without it the root does not help" 422 ek-issuer-unknown \
    "the EK's certificate is issued by"
openssl x509 -in tpm-ca/cert.pem -outform DER -out chain.der
post /v1/units "$(request_body gate.req SN-1 \
    ".ek_chain = [\"$(base64_of chain.der)\", \"AAAA\"]")"
assert_equal "with it the device is taken" "200 $first" "$STATUS $(json .unit)"
post /v1/units "$(request_body gate.req SN-1 '.ek_chain = ["AAAA"]')"
assert_refused "what is no certificate does not help" 422 ek-issuer-unknown \
    "the EK's certificate is issued by"
openssl x509 -in tpm-ca/swtpm-localca-rootca-cert.pem -outform DER -out root.der
rm line/vendors/*
stop_station
start_station
post /v1/units "$(request_body gate.req SN-1 ".ek_chain = \
    [\"$(base64_of chain.der)\", \"$(base64_of root.der)\"]")"
assert_refused "nor does a root of its own" 422 ek-chain "leads to no root"
