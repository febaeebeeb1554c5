#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A line without a network: devid-station import, challenge and issue, and files
# on a stick.
#
# Usage: offline.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
need sqlite3
start_tpm --ek
make_station
trust_vendor "$WORK/tpm"
mkdir stick

# station COMMAND ARGUMENT...
station() {
    "$STATION" "$1" --dir line "${@:2}"
}

# installed SERIAL FILE: the device takes the certificates in FILE, and is then
# that unit.
installed() {
    rm -rf identity*
    "$DEVID" install --in "$2" --serial "$1" --dir "$WORK/identity"
    assert_equal "the device has its IDevID in NV" "$(<identity/cert.pem)" \
        "$(tpm2_nvread 0x01c90200 2>/dev/null | plain_openssl x509 -inform DER)"
    assert_equal "and its IAK" "$(<identity/iak.pem)" \
        "$(tpm2_nvread 0x01c90100 2>/dev/null | plain_openssl x509 -inform DER)"
    assert_equal "whose issuer is the station" "identity/cert.pem: OK" \
        "$(plain_openssl verify -CAfile identity/ca.pem identity/cert.pem)"
    assert_equal "it knows what the station calls it" \
        "$(ledger "SELECT id FROM unit WHERE serial = '$1'")" \
        "$(jq -r .unit identity/unit.json)"
    "$DEVID" csr --key identity/key.pem --subject /CN=x --out signed.csr --force
    assert_equal "and signs with the key that this is for" \
        "$(plain_openssl x509 -in identity/cert.pem -noout -pubkey)" \
        "$(plain_openssl req -in signed.csr -verify -noout -pubkey 2>/dev/null)"
}

# by_stick SERIAL FILE: a request, in FILE, goes the whole way.
by_stick() {
    OUTPUT=$(station import --batch spring --in "$2")
    assert_equal "the request is taken" "new unit $1: certified" "$OUTPUT"
    station challenge --in "$2" --out stick/unit.challenge --force
    "$DEVID" activate --challenge stick/unit.challenge \
        --out stick/unit.answer --force
    station issue --serial "$1" --answer stick/unit.answer \
        --certificates stick/unit.json --force
    installed "$1" stick/unit.json
}

say "The whole way"
"$DEVID" request --serial SN-1 --model Gate --out stick/unit.req
OUTPUT=$(station import --batch spring --in stick/unit.req)
assert_equal "the request is taken" "new unit SN-1: certified" "$OUTPUT"
station challenge --in stick/unit.req --out stick/unit.challenge
"$DEVID" activate --challenge stick/unit.challenge --out stick/unit.answer
station issue --serial SN-1 --answer stick/unit.answer \
    --idevid stick/idevid.pem --iak stick/iak.pem --certificates stick/unit.json
for kind in idevid iak; do
    assert_equal "openssl verifies the $kind" "stick/$kind.pem: OK" \
        "$(plain_openssl verify -x509_strict -CAfile line/ca.pem \
            "stick/$kind.pem")"
done
installed SN-1 stick/unit.json
assert_equal "of the station's making" "$(<stick/idevid.pem)" \
    "$(<identity/cert.pem)"

say "Again"
OUTPUT=$(station import --batch spring --in stick/unit.req)
assert_equal "the unit is there" "unit SN-1: issued" "$OUTPUT"
cp stick/idevid.pem first.pem
station challenge --in stick/unit.req --out stick/unit.challenge --force
"$DEVID" activate --challenge stick/unit.challenge --out stick/unit.answer \
    --force
station issue --serial SN-1 --answer stick/unit.answer --force \
    --idevid stick/idevid.pem
assert_equal "its certificate stays" "$(<first.pem)" "$(<stick/idevid.pem)"
start_station
assert_fails "beside a station that serves as well" station issue \
    --serial SN-1 --answer stick/unit.answer --idevid stick/idevid.pem
assert_contains "a file is not overwritten" "stick/idevid.pem exists" "$OUTPUT"
stop_station

say "A chip that holds its maker's intermediate certificate"
start_tpm --ek chained
rm line/vendors/*
cp chained-ca/swtpm-localca-rootca-cert.pem line/vendors/chained-root.pem
plain_openssl x509 -in chained-ca/cert.pem -outform DER -out chain.der
tpm2_nvdefine -Q -C o -s "$(wc -c <chain.der)" -a 'ownerread|ownerwrite|authread' \
    0x01c00100
tpm2_nvwrite -Q -C o -i chain.der 0x01c00100
OUTPUT=$("$DEVID" request --serial SN-4 --model Gate --out stick/chained.req 2>&1)
assert_contains "the TCG's request has no room for it, which is said" \
    "holds the issuers of its endorsement key's certificate" "$OUTPUT"
assert_fails "so that the station knows no issuer" station import \
    --batch spring --in stick/chained.req
assert_contains "says so" "the EK's certificate is issued by" "$OUTPUT"
"$DEVID" request --serial SN-4 --model Gate --json --mac 02:00:00:00:00:AB \
    --operator Kim --out stick/chained.json
by_stick SN-4 stick/chained.json
assert_equal "the ledger has what was said of it" "02:00:00:00:00:ab Kim" \
    "$(station show SN-4 --json | jq -r '"\(.mac) \(.operator)"')"

say "A TPM whose EK is on a list, and has no certificate"
start_tpm bare
OUTPUT=$("$DEVID" request --serial SN-5 --model Gate --out stick/bare.req 2>&1)
assert_contains "the TCG's request has no room for it, which is said" \
    "with --json the endorsement key itself goes along" "$OUTPUT"
"$DEVID" whoami --json | jq -r .id >line/eks
setting station ek_list eks
assert_fails "so that the station has no EK" station import --batch spring \
    --in stick/bare.req
assert_contains "says so" "there is no EK certificate: nobody vouches for this TPM" "$OUTPUT"
"$DEVID" request --serial SN-5 --model Gate --json --out stick/bare.json
by_stick SN-5 stick/bare.json
sed -i '/^ek_list = /d' line/station.conf

say "What is refused"
assert_fails "another batch" station import --batch autumn --in stick/unit.req
assert_equal "says so" "devid-station: there is no batch autumn" "$OUTPUT"
assert_fails "a file that is none" station import --batch spring --in first.pem
assert_contains "says so" \
    "first.pem is neither what devid request writes, nor a PKCS#10" "$OUTPUT"
assert_fails "a wrong answer" station issue --serial SN-1 --answer first.pem \
    --idevid none.pem
assert_contains "says so" "this is not what the challenge of the unit SN-1 held" \
    "$OUTPUT"
[[ ! -e none.pem ]] || fail "and a file was written"
assert_fails "no answer" station issue --serial SN-1 --idevid none.pem
assert_contains "says so" "its answer to the challenge is wanted" "$OUTPUT"
assert_fails "an unknown unit" station issue --serial SN-7 --answer first.pem \
    --idevid none.pem
assert_contains "says so" "there is no unit SN-7" "$OUTPUT"

assert_fails "nowhere to write to" station issue --serial SN-1 \
    --answer stick/unit.answer
assert_contains "says so" "--idevid FILE or --certificates FILE is wanted" \
    "$OUTPUT"
echo '{"serial": "SN-6", "model": "Gate"' >half.json
assert_fails "JSON that ends too early" station import --batch spring \
    --in half.json
assert_contains "says so" "half.json is no JSON: line " "$OUTPUT"
echo '{"serial": "SN-6", "model": "Gate"}' >empty.json
assert_fails "JSON without a request" station import --batch spring \
    --in empty.json
assert_contains "says so" 'one of "request" and "pkcs10" is wanted' "$OUTPUT"
assert_fails "a record's text in the TCG's request" "$DEVID" request \
    --serial SN-6 --model Gate --operator Kim --out none.req
assert_contains "says so" "--mac, --operator and --new-owner want --json" \
    "$OUTPUT"

say "A unit without a TPM"
plain_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout soft.key -subj /CN=x -out soft.csr 2>req.log
assert_fails "needs a policy that allows it" station import --batch spring \
    --in soft.csr --serial SN-2 --model Gate
assert_contains "says so" "takes no request without a TPM (allow_pkcs10)" \
    "$OUTPUT"
setting policy allow_pkcs10 yes
assert_fails "and its name" station import --batch spring --in soft.csr
assert_contains "says so" "give --serial and --model" "$OUTPUT"
OUTPUT=$(station import --batch spring --in soft.csr --serial SN-2 --model Gate)
assert_equal "it is taken" "new unit SN-2: issued" "$OUTPUT"
station issue --serial SN-2 --idevid soft.pem
assert_equal "and has its certificate" "soft.pem: OK" \
    "$(plain_openssl verify -CAfile line/ca.pem soft.pem)"

say "A station that is killed between a unit's row and its certificate"
plain_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout other.key -subj /CN=x -out other.csr 2>req.log
cp -a line line.before
for ((moment = 1; moment < 100; moment++)); do
    rm -rf line
    cp -a line.before line
    {
        LD_PRELOAD="$BUILD_DIR/tests/station/kill_at.so" \
            DEVID_KILL_AT="$moment" "$STATION" import --dir line \
            --batch spring --in other.csr --serial SN-3 --model Gate || true
    } >import.out 2>&1
    [[ $(ledger "SELECT state FROM unit WHERE serial = 'SN-3'") != seen ]] ||
        break
done
((moment < 100)) || fail "it was never killed there"
assert_fails "it has none to write" station issue --serial SN-3 \
    --idevid other.pem
assert_equal "says so" "devid-station: the unit SN-3 has no certificate yet: \
give its request to devid-station import again" "$OUTPUT"
[[ ! -e other.pem ]] || fail "and a file was written"
OUTPUT=$(station import --batch spring --in other.csr --serial SN-3 --model Gate)
assert_equal "imported again it is issued" "unit SN-3: issued" "$OUTPUT"
station issue --serial SN-3 --idevid other.pem
assert_equal "and has its certificate" "other.pem: OK" \
    "$(plain_openssl verify -CAfile line/ca.pem other.pem)"
