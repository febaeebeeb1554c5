#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# LDevIDs that a person approves or refuses, and those that are revoked: by
# themselves, all of a unit, with their unit.
#
# Usage: est_approval.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/est_common.sh"
harness_dir
cd "$WORK"
make_station
setting policy allow_pkcs10 yes
setting est approval manual
setting est retry_after 7s
printf '[est.vpn]\napproval = auto\n' >>line/station.conf
start_station
make_unit SN-1

# pending FILTER: what jq makes of what waits.
pending() {
    "$STATION" pending --dir line --json | jq -r "$1"
}

# retry: the header's.
retry() {
    sed -n 's/^Retry-After: \(.*\)\r$/\1/p' headers
}

say "What waits"
for name in one two; do
    make_csr $name /
    enrol_est SN-1 $name
    assert_equal "$name is to ask again" "202 7" "$STATUS $(retry)"
    assert_contains "and is told why" "the LDevID of unit SN-1 waits for approval as " \
        "$OUTPUT"
done
enrol_est SN-1 one
assert_equal "each key waits once" "202 2" "$STATUS $(pending length)"
one=$(pending '.[0].id')
two=$(pending '.[1].id')
assert_equal "its key is named" \
    "SN-1 $(plain_openssl pkey -in one.key -pubout -outform DER | sha256sum | cut -d ' ' -f 1)" \
    "$(pending '.[0] | "\(.serial) \(.key_sha256)"')"
assert_contains "for people too" "$two" "$("$STATION" pending --dir line)"
make_csr vpn /
est POST /vpn/.well-known/est/simpleenroll --key SN-1.key --cert SN-1.pem \
    --data-binary "$(base64 vpn.der)"
assert_equal "another label waits for nobody" 200 "$STATUS"
certs_of answer >vpn.pem

say "What a person says"
"$STATION" approve --dir line "$one"
"$STATION" refuse --dir line --because "not ours" "$two"
assert_equal "nothing waits" 0 "$(pending length)"
enrol_est SN-1 one
assert_equal "what was approved is issued" 200 "$STATUS"
certs_of answer >one.pem
enrol_est SN-1 two
assert_equal "what was refused is not" \
    "403 the LDevID of unit SN-1 was refused, as $two" "$STATUS $OUTPUT"
assert_contains "the log says why" "not ours" "$("$STATION" show --dir line SN-1)"
status=0
"$STATION" refuse --dir line "$one" 2>errors || status=$?
assert_equal "what is issued cannot be refused" \
    "1 devid-station: the LDevID $one of unit SN-1 is issued: it cannot be refused" \
    "$status $(<errors)"
"$STATION" approve --dir line 00 2>errors || status=$?
assert_contains "nor what is not there" "there is no LDevID 00" "$(<errors)"
make_csr one /serialNumber=SN-1 one.key
renew_est one one
assert_equal "a renewal is nobody's to approve" 200 "$STATUS"
certs_of answer >renewed.pem
cp one.key renewed.key
"$STATION" approve --dir line "$two"
enrol_est SN-1 two
assert_equal "who refused may approve" 200 "$STATUS"
certs_of answer >two.pem

assert_equal "show has them, the newest first" "issued issued issued vpn" \
    "$("$STATION" show --dir line --json SN-1 |
        jq -r '.ldevids | "\(map(.state) | .[0:3] | join(" ")) \(map(.label // empty) | join(" "))"')"
assert_contains "and for people" \
    "$(plain_openssl x509 -in two.pem -noout -serial | cut -d = -f 2)" \
    "$("$STATION" show --dir line SN-1)"

say "Revoked"
# number_of CERT
number_of() {
    plain_openssl x509 -in "$1" -noout -serial | cut -d = -f 2
}
# revoked NAME...: whether all are on the lists that they name.
revoked() {
    local name url
    for name; do
        url=$(plain_openssl x509 -in "$name.pem" -noout -ext crlDistributionPoints |
            sed -n 's/^ *URI://p')
        curl -sS --fail --noproxy '*' --cacert line/ca.pem "$url" |
            plain_openssl crl -inform DER -noout -text >crl.text
        grep -qF "$(number_of "$name.pem")" crl.text || return 1
    done
}
# with_colons NUMBER
with_colons() {
    sed 's/../&:/g; s/:$//' <<<"${1,,}"
}
"$STATION" revoke --dir line --number "$(with_colons "$(number_of two.pem)")" \
    --reason compromise
await "the list" "$STATION_PID" revoked two
say "  ok: one is on its list"
assert_contains "with the reason" "Key Compromise" "$(<crl.text)"
if revoked SN-1 || revoked renewed; then fail "others are too"; fi
make_csr two /serialNumber=SN-1 two.key
renew_est two two
assert_contains "it renews nothing" \
    "403 the LDevID $(number_of two.pem) of unit SN-1 is revoked" "$STATUS $OUTPUT"
make_csr two / two.key
enrol_est SN-1 two
assert_equal "and its key gets no other" \
    "403 the LDevID $(number_of two.pem) of unit SN-1 is revoked: its key gets no other" \
    "$STATUS $OUTPUT"
status=0
"$STATION" revoke --dir line --number "$(number_of SN-1.pem)" \
    --reason compromise 2>errors || status=$?
assert_contains "an IDevID is revoked with its unit" \
    "1 devid-station: there is no LDevID $(number_of SN-1.pem) in the ledger; an IDevID is revoked with its unit" \
    "$status $(<errors)"
"$STATION" revoke --dir line --number zz --reason compromise 2>errors || status=$?
assert_contains "what is no number" "'zz' is no serial number" "$(<errors)"
"$STATION" revoke --dir line SN-1 --ldevids --reason superseded
await "the list" "$STATION_PID" revoked one renewed vpn
say "  ok: all of a unit are on their lists"
if revoked SN-1; then fail "its IDevID is too"; fi
make_csr three /
enrol_est SN-1 three
assert_equal "the unit may ask for others" 202 "$STATUS"
"$STATION" revoke --dir line SN-1 --reason cessation
await "the list" "$STATION_PID" revoked SN-1
say "  ok: with its unit the IDevID is"
"$STATION" approve --dir line "$(pending '.[0].id')" 2>errors || status=$?
assert_contains "a retired unit gets none" "the unit SN-1 is retired" "$(<errors)"
"$STATION" verify-log --dir line >verify.out
say "  ok: $(head -n 1 verify.out)"
