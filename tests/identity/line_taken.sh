#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Two devices on one line: what makes a unit one of its own, its MAC address
# among it, is the other's already. The program says whose.
#
# Usage: line_taken.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
harness_dir
cd "$WORK" || exit
make_station
echo "$BATCH_TOKEN" >token
for name in one two; do
    start_tpm --ek "$name"
    trust_vendor "$WORK/$name"
done
start_station
FIRST=02:00:5E:00:53:0a SECOND=02:00:5e:00:53:0b

# device NAME SERIAL: from now on provision is its, with a folder of its own.
device() {
    use_tpm "$1"
    FOLDER=$WORK/$1.id
    SERIAL=$2
}
provision() {
    "$DEVID" provision --station "https://localhost:$STATION_PORT" \
        --ca line/ca.pem --serial "$SERIAL" --model Gate \
        --token-source file:token --dir "$FOLDER" "$@"
}

# units: what the station has of each.
units() {
    ledger "select serial || ' ' || coalesce(mac, '-') || ' ' || state
        from unit order by serial" | xargs
}

# taken WHAT UNIT SERIAL [OPTION...]: it collides in WHAT with that unit.
taken() {
    local what=$1 unit=$2
    SERIAL=$3
    shift 3
    fails 3 "the $what is $unit's" "the station refuses: the $what of unit $SERIAL is\
 that of unit $unit, enrolled at line-1 on $DAY in batch spring (duplicate, HTTP\
 status 409)" "$@"
}

say "A MAC address for the record"
device one SN1
fails 3 "one that is none is refused" "\"mac\" is not of the form\
 02:00:00:00:00:01 (malformed, HTTP status 400)" --mac 02-00-5e-00-53-0a
provision --mac "$FIRST" >out 2>&1 || fail "$(<out)"
assert_equal "it is there, in small letters" "SN1 ${FIRST,,} tested" "$(units)"
provision --mac "$FIRST" >out 2>&1 || fail "$(<out)"
assert_equal "said again it is the unit's own" "SN1 ${FIRST,,} tested" "$(units)"

DAY=$(ledger "select date(enrolled_ms / 1000, 'unixepoch') from unit")

say "Another device"
device two SN2
taken "MAC address" SN1 SN2 --mac "${FIRST^^}"
taken "serial number" SN1 SN1 --mac "$SECOND"
OUTPUT=$(provision --mac "$FIRST" --json 2>&1) && fail "it was taken"
assert_equal "for programs" "duplicate enrol" \
    "$(tail -n 1 <<<"$OUTPUT" | jq -r '.code + " " + .step')"
assert_equal "nothing was issued to it" "SN1 ${FIRST,,} tested 2" \
    "$(units) $(ledger 'select count(*) from certificate')"
assert_equal "nor kept" "" "$(ls -d two.id 2>/dev/null || true)$(
    tpm2_getcap handles-nv-index | grep -i 0x1c90 || true)"
assert_contains "the log has why" "the MAC address of unit SN2 is that of unit SN1" \
    "$("$STATION" show --dir line SN2)"
SERIAL=SN2
provision --mac "$SECOND" >out 2>&1 || fail "$(<out)"
assert_equal "with its own it is a unit" \
    "SN1 ${FIRST,,} tested SN2 $SECOND tested" "$(units)"

say "A new owner"
"$DEVID" decommission --ca line/ca.pem --dir "$FOLDER" >out
taken "MAC address" SN1 SN2 --new-owner --mac "$FIRST"
assert_equal "does not come by it either" \
    "SN1 ${FIRST,,} tested SN2 $SECOND retired" "$(units)"
provision --new-owner --mac "$SECOND" >out 2>&1 || fail "$(<out)"
assert_equal "but with the old one" "SN1 ${FIRST,,} tested SN2 $SECOND tested" \
    "$(units)"
device one SN1
taken "endorsement key" SN1 SN3 --mac 02:00:5e:00:53:0c
OUTPUT=$("$STATION" verify-log --dir line 2>&1) || fail "the log: $OUTPUT"
