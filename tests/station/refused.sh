#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a station refuses: each with its own sentence, and nothing is issued. What
# was asked with a batch's token, or of a unit, and understood has an entry in the
# ledger that says why. What is not even that (no token of a batch, a body that is
# none, no such path or unit, no client certificate) is in the log of requests
# alone: else who reaches the port could fill the ledger.
#
# Usage: refused.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
need sqlite3
cd "$WORK"
make_station
open_batch small Gate token-of-the-small 1
start_tpm --ek one
start_tpm --ek two
trust_vendor "$WORK/one"
trust_vendor "$WORK/two"
"$BUILD_DIR/tests/station/craft" none X-1 none.req line/vendors/craft.pem
start_station

# craft FLAW SERIAL: a request with that flaw is posted.
craft() {
    "$BUILD_DIR/tests/station/craft" "$1" "$2" "$1.req" "$1.root"
    post /v1/units "$(request_body "$1.req" "$2" \
        ".creation = \"$(base64_of "$1.req.creation")\"")"
}

ON_RECORD=0
UNHEARD=0
CERTIFICATES=0
# nothing_issued WHAT: and the ledger has as many refusals as there were.
nothing_issued() {
    assert_equal "$1: certificates, and refusals in the ledger" \
        "$CERTIFICATES $ON_RECORD" "$(ledger "SELECT (SELECT count(*)
            FROM certificate) || ' ' || (SELECT count(*) FROM audit
            WHERE event = 'refuse')")" >/dev/null
}

# refused WHAT STATUS CODE SENTENCE: by the last answer; the ledger says it, too.
refused() {
    ON_RECORD=$((ON_RECORD + 1))
    assert_refused "$@"
    nothing_issued "$1"
    assert_contains "$1: why, in the ledger" "$(json .error.message)" \
        "$(ledger "SELECT detail FROM audit WHERE event = 'refuse'
            ORDER BY seq DESC LIMIT 1")" >/dev/null
}

# unheard WHAT STATUS CODE SENTENCE: likewise, and the ledger says nothing.
unheard() {
    UNHEARD=$((UNHEARD + 1))
    assert_refused "$@"
    nothing_issued "$1"
}

say "Who has no right to ask"
use_tpm one
"$DEVID" request --serial SN-1 --model Gate --out one.req
BATCH_TOKEN='' post /v1/units "$(request_body one.req SN-1)"
unheard "no token" 401 token "the request has no batch's token"
BATCH_TOKEN=guessed post /v1/units "$(request_body one.req SN-1)"
unheard "a token that is none" 401 token \
    "the token is no batch's of this station"

say "Bodies"
post /v1/units '{"serial": "SN-1", "model": "Gate"'
unheard "half a body" 400 malformed "the body is no JSON: line 1"
post /v1/units '["serial"]'
unheard "a list" 400 malformed "the body is JSON, but no object"
post /v1/units "$(request_body one.req SN-1 '. + {serail: "x"}')"
unheard "a mistyped member" 400 malformed \
    'there is no member "serail" in this body'
post /v1/units '{"serial": "a", "serial": "b"}'
unheard "a member twice" 400 malformed "duplicate object key"
post /v1/units "$(request_body one.req SN-1 'del(.model)')"
unheard "a missing member" 400 malformed \
    'the member "model" is missing'
post /v1/units "$(request_body one.req SN-1 '.request += "\n"')"
unheard "base64 with a line end" 400 malformed \
    '"request" is not base64 on one line'
post /v1/units "$(request_body one.req SN-1 '.mac = "02-00"')"
unheard "a MAC that is none" 400 malformed '"mac" is not of the form'
post /v1/units "$(request_body one.req SN-1 '.pkcs10 = .request')"
unheard "two requests" 400 malformed \
    'one of "request" and "pkcs10" is wanted'

say "Requests"
head -c 1000 one.req >half.req
post /v1/units "$(request_body half.req SN-1)"
refused "half a request" 422 request "it is cut short"
post /v1/units "$(request_body one.req SN-2)"
refused "another serial number than its own" 422 request \
    'is not what the request says'
sed 's/Gate/Date/' one.req >forged.req
post /v1/units "$(request_body forged.req SN-1 '.model = "Date"')"
refused "a model that is not the batch's" 422 model \
    "the batch spring is of Gate, not of Date"
post /v1/units '{"serial": "SN-1", "model": "Gate", "pkcs10": "MAA="}'
refused "a request without a TPM" 422 pkcs10 \
    "this station takes no request without a TPM (allow_pkcs10)"

say "Devices"
mv line/vendors/craft.pem .
stop_station
start_station
craft none X-1
refused "a made-up EK" 422 ek-issuer-unknown \
    "the EK's certificate is issued by 'CN = Vendor', of which there is no"
mv craft.pem line/vendors
stop_station
start_station
craft without-ek X-1
refused "no EK certificate" 422 ek-missing \
    "there is no EK certificate: nobody vouches for this TPM"
craft unrestricted X-1
refused "an IAK that is not restricted" 422 iak-attributes restricted
craft outside X-1
refused "an IDevID that was made outside" 422 idevid-attributes \
    "sensitiveDataOrigin"
craft swapped X-1
refused "another signature of the IAK's" 422 idevid-info-signature "IAK"
craft other-name X-1
refused "a statement about another key" 422 idevid-info-name \
    "certifies another key than signingPub"
craft unproven X-1
refused "no proof of the IAK's creation" 422 iak-proof-missing "IAK"
craft other-creation X-1
refused "another key's creation" 422 iak-creation \
    "atCertifyInfo is not the SHA2-256 of the creation data"
craft owners X-1
refused "a creation by the owner" 422 iak-creation \
    "the IAK is no primary key of the endorsement hierarchy"
craft outside-info X-1
refused "a creation with somebody's word" 422 iak-creation \
    "the outsideInfo in the IAK's creation data has 5 bytes"
craft locality X-1
refused "a creation in the firmware's locality" 422 iak-creation \
    "the locality in the IAK's creation data is 0x08"
post /v1/units "$(request_body locality.req X-1 '.creation = "AAE="')"
refused "half a creation" 422 iak-creation "creation data"
post /v1/units '{"serial": "SN-1", "model": "Gate", "pkcs10": "MAA=",
    "creation": "AAE="}'
unheard "a creation without a TPM" 400 malformed \
    '"creation" goes with "request" alone'

say "Answers"
enrol one SN-1
assert_equal "a device is taken" 201 "$STATUS"
post "/v1/units/$UNIT/activate" "{\"answer\": \"$(base64_of one.req)\"}"
refused "a wrong answer" 422 answer \
    "this is not what the challenge of the unit SN-1 held"
post "/v1/units/0123/activate" '{"answer": "AAAA"}'
unheard "an unknown unit" 404 unit "there is no unit 0123"
use_tpm two
"$DEVID" request --serial SN-2 --model Gate --out two.req
post /v1/units "$(request_body one.req SN-1)"
assert_equal "another device repeats its request" 200 "$STATUS"
json .challenge | base64 -d >stolen.challenge
assert_fails "but its TPM does not answer the challenge" "$DEVID" activate \
    --challenge stolen.challenge --out stolen.answer
assert_contains "it says why" "this challenge is not for this device" "$OUTPUT"
assert_equal "nor does it take it from the device: it is the one that is open" \
    "$(sha256sum <one.challenge)" "$(sha256sum <stolen.challenge)"
use_tpm one
activate one
assert_equal "which answers it" "200 issued" "$STATUS $(json .state)"
CERTIFICATES=2

say "Names that are taken"
use_tpm two
enrol two SN-1
refused "another device of the same serial number" 409 duplicate \
    "the serial number of unit SN-1 is that of unit SN-1, enrolled at line-1"
assert_equal "the answer names the unit" SN-1 "$(json .error.unit)"
use_tpm one
enrol one SN-9
refused "the same device under another" 409 duplicate \
    "the endorsement key of unit SN-9 is that of unit SN-1"

stop_station
setting policy challenge_seconds 1
start_station
say "Batches"
use_tpm two
BATCH_TOKEN=token-of-the-small enrol two SN-2
assert_equal "a batch of one takes one" 201 "$STATUS"
BATCH_TOKEN=token-of-the-small enrol two SN-2
assert_equal "which may ask again" 200 "$STATUS"
use_tpm one
BATCH_TOKEN=token-of-the-small craft none X-1
refused "but no second one" 429 quota "the batch small is used up"
stop_station
close_batch spring
start_station
craft none X-2
refused "a batch that is closed" 401 token "the batch spring is closed"

say "Challenges that are late"
use_tpm two
BATCH_TOKEN=token-of-the-small enrol two SN-2
sleep 1.1
BATCH_TOKEN=token-of-the-small activate two
refused "an answer after its time" 422 answer \
    "the challenge of the unit SN-2 expired at 20"

say "Paths"
ask GET /v1/units
unheard "the wrong method" 405 method "this path takes POST alone"
ask GET /v2/units
unheard "an unknown path" 404 path "there is no such path here"
ask POST "/v1/units/$UNIT/state" --data '{"state": "installed"}'
unheard "a state without a client's certificate" 403 certificate \
    "the unit's IDevID certificate is wanted"

say "The log"
assert_equal "has a line of JSON for each request" "" \
    "$(grep -v '^{' station.log)"
assert_equal "of those that were refused" $((ON_RECORD + UNHEARD)) \
    "$(jq -r 'select(.code) | .code' station.log | wc -l)"
assert_equal "with the codes" "1" "$(jq -r 'select(.code == "ek-missing") |
    .status' station.log | grep -c 422)"
assert_equal "and no token" "" "$(grep -E "$BATCH_TOKEN|guessed" station.log)"
