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

say "The whole way"
"$DEVID" request --serial SN-1 --model Gate --out stick/unit.req
OUTPUT=$(station import --batch spring --in stick/unit.req)
assert_equal "the request is taken" "new unit SN-1: certified" "$OUTPUT"
station challenge --in stick/unit.req --out stick/unit.challenge
"$DEVID" activate --challenge stick/unit.challenge --out stick/unit.answer
station issue --serial SN-1 --answer stick/unit.answer \
    --idevid stick/idevid.pem --iak stick/iak.pem
for kind in idevid iak; do
    assert_equal "openssl verifies the $kind" "stick/$kind.pem: OK" \
        "$(plain_openssl verify -x509_strict -CAfile line/ca.pem \
            "stick/$kind.pem")"
done

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
