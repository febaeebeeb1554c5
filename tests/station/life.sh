#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A unit after it has its certificates: what it says of itself under them, its
# retirement, the lists of revoked certificates, a new owner; and units without a
# TPM, and TPMs without a vendor.
#
# Usage: life.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
start_tpm --ek
make_station
trust_vendor "$WORK/tpm"
setting policy allow_pkcs10 yes
setting ca crl_shards 2
setting ca subject '/O=Acme/OU={model}'
setting ca san 'DNS:{serial}.acme.example, URI:urn:acme:{batch}:{serial}'
start_station
openssl_conf openssl.cnf last

# say_as KEY CERT PATH BODY: a unit speaks under its certificate.
say_as() {
    OPENSSL_CONF=$WORK/openssl.cnf post "$3" "$4" --key "$1" --cert "$2"
}

# crl_of CERT: its list, fetched from where the certificate says: crl.pem.
crl_of() {
    local url
    url=$(openssl x509 -in "$1" -noout -ext crlDistributionPoints |
        sed -n 's/^ *URI://p')
    curl -sS --fail --noproxy '*' --cacert line/ca.pem -o crl.der "$url" &&
        openssl crl -inform DER -in crl.der -out crl.pem
}

# verdict CERT: of openssl, with its list.
verdict() {
    crl_of "$1"
    plain_openssl verify -x509_strict -crl_check -CAfile line/ca.pem \
        -CRLfile crl.pem "$1" 2>&1 || true
}

say "Names by template"
enrol gate SN-1
activate gate
take_certs gate
text=$(openssl x509 -in gate.idevid.pem -noout -text -nameopt oneline)
assert_contains "the subject" "Subject: O = Acme, OU = Gate, serialNumber = SN-1" \
    "$text"
assert_contains "the names" "DNS:SN-1.acme.example, URI:urn:acme:spring:SN-1" \
    "$text"

say "A unit says how far it has come"
OPENSSL_CONF=openssl.cnf openssl pkey -in tpm2:handle=0x81020000 -out idevid.key
plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout other.key -subj /CN=other -days 1 -out other.pem 2>req.log
path=/v1/units/$UNIT
say_as other.key other.pem "$path/state" '{"state": "installed"}'
assert_refused "another certificate is not its own" 403 certificate \
    "the client certificate is not the IDevID of the unit SN-1"
say_as idevid.key gate.idevid.pem "$path/state" '{"state": "tested"}'
assert_equal "tested" "200 tested" "$STATUS $(json .state)"
say_as idevid.key gate.idevid.pem "$path/state" '{"state": "installed"}'
assert_equal "it does not go back" "200 tested" "$STATUS $(json .state)"
say_as idevid.key gate.idevid.pem "$path/state" '{"state": "retired"}'
assert_refused "nor to where this path does not lead" 400 malformed \
    '"state" is installed, tested or locked'
say_as idevid.key gate.idevid.pem "$path/state" '{"state": "locked"}'
assert_refused "nor locks without an escrow" 409 state "(escrow)"
say_as idevid.key gate.idevid.pem "$path/state" '{"escrow": "AAAA"}'
assert_refused "which must be one" 400 malformed "no CMS EnvelopedData in DER"
printf 'auth values' | plain_openssl cms -encrypt -aes256 -binary \
    -outform DER -out escrow.der -recip other.pem
say_as idevid.key gate.idevid.pem "$path/state" \
    "{\"escrow\": \"$(base64_of escrow.der)\"}"
assert_equal "the escrow is kept" "200 tested" "$STATUS $(json .state)"
say_as idevid.key gate.idevid.pem "$path/state" '{"state": "locked"}'
assert_equal "then it is locked" "200 locked" "$STATUS $(json .state)"

say "Revocation"
for kind in idevid iak; do
    assert_equal "the list is signed, and the $kind not on it" \
        "gate.$kind.pem: OK" "$(verdict "gate.$kind.pem")"
done
assert_contains "a list says for which certificates it is" \
    "X509v3 Issuing Distribution Point: critical" \
    "$(openssl crl -in crl.pem -noout -text)"
say_as other.key other.pem "$path/retire" '{"reason": "cessation"}'
assert_refused "nobody else retires it" 403 certificate "is not the IDevID"
say_as idevid.key gate.idevid.pem "$path/retire" '{"reason": "boredom"}'
assert_refused "nor for no reason" 400 malformed '"reason" is unspecified'
say_as idevid.key gate.idevid.pem "$path/retire" '{"reason": "cessation"}'
assert_equal "it retires itself" "200 retired" "$STATUS $(json .state)"
is_revoked() {
    [[ $(verdict gate.idevid.pem) == *"certificate revoked"* ]]
}
await "the new list" "$STATION_PID" is_revoked
say "  ok: its IDevID is on the list"
assert_contains "its IAK too" "certificate revoked" "$(verdict gate.iak.pem)"
assert_contains "with the reason" "Cessation Of Operation" \
    "$(openssl crl -in crl.pem -noout -text)"
ask GET /v1/crl/7.crl
assert_refused "there are no others" 404 path \
    "there is no list of revoked certificates 7"
activate gate
assert_refused "a retired unit gets no certificates" 409 state "is retired"

say "A new owner"
enrol gate SN-1
assert_refused "is not the old one" 409 state \
    "it is enrolled again for a new owner alone"
post /v1/units "$(request_body gate.req SN-1 '.new_owner = true')"
assert_equal "says so" "201 certified" "$STATUS $(json .state)"
json .challenge | base64 -d >gate.challenge
UNIT=$(json .unit)
activate gate
take_certs gate
assert_equal "and has certificates that are not revoked" "gate.idevid.pem: OK" \
    "$(verdict gate.idevid.pem)"

say "A unit without a TPM"
plain_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout soft.key -subj /CN=SN-2 -outform DER -out soft.csr 2>req.log
body=$(jq -n --rawfile csr <(base64_of soft.csr) \
    '{serial: "SN-2", model: "Gate", pkcs10: $csr}')
post /v1/units "$body"
assert_equal "has its certificate at once" "201 issued false null" \
    "$STATUS $(json '"\(.state) \(.attested) \(.iak)"')"
take_certs soft
text=$(openssl x509 -in soft.idevid.pem -noout -text)
assert_contains "which says who speaks for it" "asserted by the operator" "$text"
[[ $text != *2.23.133.11* ]] || fail "it claims a TPM"
first=$(sha256sum soft.idevid.der)
post /v1/units "$body"
take_certs soft
assert_equal "and stays the same" "200 $first" \
    "$STATUS $(sha256sum soft.idevid.der)"
sed 's/SN-2/SN-3/' soft.csr >forged.csr
post /v1/units "$(jq -n --rawfile csr <(base64_of forged.csr) \
    '{serial: "SN-3", model: "Gate", pkcs10: $csr}')"
assert_refused "a request that was altered" 422 pkcs10 \
    'the signature of "pkcs10" is not by its key'
post /v1/units "$(jq '.serial = "SN_2"' <<<"$body")"
assert_refused "a serial number that no certificate takes" 422 serial \
    "(prodSerial) has 0x5f at character 3"

say "A list of EKs"
start_tpm --ek listed
"$DEVID" whoami --json >whoami.json
printf '# what came in by the truck\n%s  the new ones\n' \
    "$(jq -r .id whoami.json)" >line/eks
stop_station
rm line/vendors/*
setting station ek_list eks
start_station
enrol listed SN-4
activate listed
assert_equal "vouches for a TPM whose vendor is unknown" "200 issued" \
    "$STATUS $(json .state)"
start_tpm bare
OUTPUT=$("$DEVID" request --serial SN-5 --model Gate --out bare.req 2>&1)
tpm2_readpublic -Q -c 0x81010001 -f der -o ek.der
post /v1/units "$(request_body bare.req SN-5 \
    ".ek_public = \"$(base64_of ek.der)\"")"
assert_refused "not for another" 422 ek-not-allowed "is not on the list"
"$DEVID" whoami --json | jq -r .id >>line/eks
stop_station
start_station
post /v1/units "$(request_body bare.req SN-5 \
    ".ek_public = \"$(base64_of ek.der)\"")"
assert_equal "for one without a certificate it does" "201 certified" \
    "$STATUS $(json .state)"
UNIT=$(json .unit)
json .challenge | base64 -d >bare.challenge
activate bare
take_certs bare
assert_equal "which gets its certificates" "200 issued" "$STATUS $(json .state)"
assert_contains "that name its EK" "EK:$(tail -n 1 line/eks)" \
    "$(openssl asn1parse -inform DER -in bare.idevid.der -strparse \
        "$(openssl asn1parse -inform DER -in bare.idevid.der | awk -F: '
            /Subject Alternative Name/ { found = 1; next }
            found && /OCTET STRING/ { print $1 + 0; exit }')")"
