#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device is provisioned at a station, in one command. What it costs, what it
# says, and that it may be run again.
#
# Usage: line.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
make_line

say "In one go"
provision --operator Kim >out || fail "it ended with $?"
assert_equal "its steps" "station keys enrol activate nv disk test" \
    "$(awk '{ print $1 }' out | xargs)"
assert_equal "each with its time" "" \
    "$(grep -vE '^[a-z]+ +[0-9]+\.[0-9]{3} s  .' out || true)"
assert_equal "it took these commands" "GetCapability GetCapability ReadPublic\
 NV_ReadPublic GetCapability NV_Read\
 CreatePrimary CertifyCreation EvictControl FlushContext\
 CreatePrimary EvictControl FlushContext\
 StartAuthSession PolicySecret PolicyCommandCode PolicyOR Certify Sign\
 StartAuthSession PolicySecret PolicyCommandCode PolicyOR\
 StartAuthSession PolicySecret ActivateCredential\
 NV_DefineSpace NV_Write NV_Read NV_DefineSpace NV_Write NV_Read\
 ReadPublic Sign" "$(commands)"
assert_equal "which are 34" 34 "$(commands | wc -w)"
assert_equal "the station has it, and who was at the line" \
    "SN1|Gate|tested|1|Kim" "$(ledger \
        'select serial, model, state, attested, operator_name from unit')"
assert_whole "afterwards"
assert_equal "the certificate is for the key in the TPM" \
    "$(tpm2_readpublic -c 0x81020000 -f pem -o /dev/stderr 2>&1 >/dev/null)" \
    "$(openssl x509 -in id/cert.pem -noout -pubkey)"
UNIT=$(jq -r .unit id/unit.json)
assert_equal "the folder knows the station's id" "$UNIT" \
    "$(ledger 'select id from unit')"

say "Programs have it"
openssl_conf "$WORK/openssl.cnf"
OPENSSL_CONF=$WORK/openssl.cnf ask POST "/v1/units/$UNIT/state" \
    --cert id/chain.pem --key id/key.pem --data '{"state": "tested"}'
assert_equal "curl is the unit, with the folder's files" "200 tested" \
    "$STATUS $(json .state)"

say "Once more"
trace_reset
provision --json >out
assert_equal "the same unit" "done $UNIT" \
    "$(tail -n 1 out | jq -r '.event + " " + .unit')"
assert_equal "a line of JSON a step" "station keys enrol activate nv disk test" \
    "$(jq -r 'select(.event == "step") | .step' out | xargs)"
assert_equal "its commands" "GetCapability GetCapability\
 ReadPublic ReadPublic ReadPublic NV_ReadPublic GetCapability NV_Read\
 CreatePrimary CertifyCreation FlushContext\
 StartAuthSession PolicySecret PolicyCommandCode PolicyOR Certify Sign\
 StartAuthSession PolicySecret PolicyCommandCode PolicyOR\
 StartAuthSession PolicySecret ActivateCredential\
 NV_DefineSpace:0x14c NV_ReadPublic NV_Read\
 NV_DefineSpace:0x14c NV_ReadPublic NV_Read ReadPublic Sign" "$(commands)"
assert_whole "once more"

say "Labels"
LABEL="{\"serial\":\"SN1\",\"model\":\"Gate\",\"id\":\"$(
    "$DEVID" whoami --json | jq -r .id)\"}"
provision --label l.txt --label l.json --label l.png --label l.svg >out
assert_equal "a step each" "l.txt l.json l.png l.svg" \
    "$(sed -n 's/^label .* s  //p' out | xargs)"
assert_equal "JSON" "$LABEL" "$(<l.json)"
assert_equal "text" "$(jq -r 'to_entries[] | .key + ": " + .value' l.json)" \
    "$(<l.txt)"
assert_equal "a QR code, as a camera reads it" "$LABEL" \
    "$(zbarimg --quiet --raw l.png 2>/dev/null)"
grep -o 'M[0-9]* [0-9]*h' l.svg | tr -d Mh | awk '
    { ink[$1, $2] = 1; if ($1 > max) max = $1 }
    END {
        width = (max + 5) * 4
        print "P1", width, width
        for (y = 0; y < width; y++)
            for (x = 0; x < width; x++)
                print ((int(x / 4), int(y / 4)) in ink) ? 1 : 0
    }' >l.pbm
assert_equal "the same in the SVG" "$LABEL" \
    "$(zbarimg --quiet --raw l.pbm 2>/dev/null)"
fails 2 "no kind of label" "whose name ends in .txt" --label l.gif

say "After TPM2_Clear"
KEY=$(openssl x509 -in id/cert.pem -noout -pubkey)
tpm2_clear -Q
rm -r id id.*
provision >out
assert_equal "the same identity comes back" "$KEY" \
    "$(openssl x509 -in id/cert.pem -noout -pubkey)"
assert_whole "after TPM2_Clear"

say "Who the station is"
FINGERPRINT=$(openssl x509 -in line/server.pem -noout -fingerprint -sha256)
OUTPUT=$("$DEVID" provision --station "https://127.0.0.1:$STATION_PORT/" \
    --station-fingerprint "${FINGERPRINT#*=}" --serial SN1 --model Gate \
    --token-source env:TOKEN --dir id 2>&1) && fail "a token came from nowhere"
assert_contains "a token that is not there" "there is no TOKEN in the environment" \
    "$OUTPUT"
TOKEN=$BATCH_TOKEN "$DEVID" provision \
    --station "https://127.0.0.1:$STATION_PORT/" --station-fingerprint \
    "${FINGERPRINT#*=}" --serial SN1 --model Gate --token-source env:TOKEN \
    --dir id >out
say "  ok: by its fingerprint"
status=0
OUTPUT=$("$DEVID" provision --station "https://localhost:$STATION_PORT" \
    --station-fingerprint "$(openssl x509 -in line/ca.pem -noout -fingerprint \
        -sha256 | sed 's/.*=//')" --serial SN1 --model Gate \
    --token-source file:token --dir id 2>&1) || status=$?
assert_equal "another fingerprint is not trusted" \
    "7 devid: what answers at https://localhost:$STATION_PORT is not the station\
 with the certificate of --station-fingerprint" "$status $OUTPUT"
status=0
OUTPUT=$("$DEVID" provision --station "https://localhost:$STATION_PORT" \
    --serial SN1 --model Gate --token-source file:token --dir id 2>&1) ||
    status=$?
assert_equal "nor one that nobody vouches for" 7 "$status"
assert_contains "which is said" "--ca names the station's" "$OUTPUT"

say "What is refused, and is not tried again"
start=$SECONDS
echo wrong >token
fails 3 "a wrong token" "the station refuses: " --json
assert_equal "with the station's word" "token enrol" \
    "$(tail -n 1 <<<"$OUTPUT" | jq -r '.code + " " + .step')"
echo "two words" >token
fails 1 "no token at all" "it is one word on one line"
echo "$BATCH_TOKEN" >token
SERIAL=SN2 fails 3 "another unit's TPM" "SN1"
((SECONDS - start < 30)) || fail "a refusal was tried again"

say "A station that is not there"
PORT=$(free_port) fails 4 "for long" "cannot be reached" --timeout 1
stop_station
provision --timeout 60 >out 2>&1 &
PROVISION=$!
sleep 1
start_station
wait "$PROVISION" || fail "it was not waited for: $(<out)"
assert_contains "for a moment, which is said" "does not answer: it is tried\
 again for" "$(<out)"
assert_whole "a moment later"

say "A TPM that is not there"
TCTI="swtpm:host=127.0.0.1,port=$(free_port)"
fails 5 "is the device's fault" "TPM" --tcti "$TCTI"

trace_reset
fault "refuse Sign 0x101 after=1"
fails 5 "a TPM that does not sign the handshake" \
    "the device did not sign the handshake"
fault_clear

say "Command lines"
fails 2 "a time of nothing" "--timeout is a number of seconds" --timeout 0
fails 2 "an NV of no kind" "--nv is required or optional" --nv no
fails 2 "two ways to trust" "exclude each other" --station-fingerprint 00
