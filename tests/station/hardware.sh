#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The station's own keys in a TPM and on a token; a slow one holds nobody up.
#
# Usage: hardware.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"

# serve_alone: start_station; what it knows of devices is in its settings.
serve_alone() {
    start_station env -u DEVID_TCTI -u TPM2TOOLS_TCTI
}

# verified: a new device, $WORK/unit, gets certificates that openssl verifies.
verified() {
    enrol unit "$1"
    assert_equal "a device is taken" 201 "$STATUS"
    activate unit
    take_certs unit
    for kind in idevid iak; do
        assert_equal "its $kind verifies" "unit.$kind.pem: OK" \
            "$(plain_openssl verify -x509_strict -CAfile line/ca.pem \
                "unit.$kind.pem")"
    done
}

say "The CA's key in a TPM"
start_tpm --srk house
start_trace --name house
make_station --ca-device tpm2: --tcti "$DEVID_TCTI"
assert_contains "its file holds no secret" "BEGIN TSS2 PRIVATE KEY" \
    "$(<line/ca.key)"
setting ca crl_shards 1
start_tpm --ek unit
trust_vendor "$WORK/unit"
HOUSE_LOG=$TRACE_LOG
: >"$HOUSE_LOG"
serve_alone
signs() {
    awk '$3 == "Sign" && $4 == "0x000" { n++ } END { print n + 0 }' "$HOUSE_LOG"
}
assert_equal "it signs the list of revoked certificates" 1 "$(signs)"
verified SN-1
assert_equal "and two certificates" 3 "$(signs)"
activate unit
assert_equal "not again where they are there" 3 "$(signs)"
stop_station

say "A slow TPM"
setting server workers 1
setting server queue 1
start_tpm --ek second
trust_vendor "$WORK/second"
serve_alone
fault 'delay Sign 1500'
enrol unit SN-2
"$DEVID" activate --challenge unit.challenge --out unit.answer --force
jq -n --rawfile answer <(base64_of unit.answer) '{answer: $answer}' >slow.body
for i in 1 2 3; do
    curl -s --noproxy '*' --cacert line/ca.pem --data-binary @slow.body \
        --dump-header "slow.$i.head" -o "slow.$i" \
        "https://localhost:$STATION_PORT/v1/units/$UNIT/activate" &
    slow[i]=$!
    sleep 0.4
done
ask GET /v1/station
assert_equal "others are answered" 200 "$STATUS"
kill -0 "${slow[1]}" || fail "while it signs: it has signed already"
wait "${slow[@]}"
busy=$(grep -l '503' slow.?.head | wc -l)
assert_equal "of three that need it one is told to come again" 1 "$busy"
assert_contains "in a second" "Retry-After: 1" \
    "$(cat "$(grep -l 503 slow.?.head)")"
assert_equal "the others have the same certificates" 1 \
    "$(for i in 1 2 3; do jq -r '.idevid // empty' "slow.$i"; done |
        sort -u | wc -l)"
fault_clear
stop_station

say "The server's key in a TPM"
rm -rf line
start_tpm --srk other
make_station
"$DEVID" keygen --out line/tpm.key
"$DEVID" csr --key line/tpm.key --subject /CN=localhost --san DNS:localhost \
    --out tpm.csr
plain_openssl x509 -req -in tpm.csr -CA line/ca.pem -CAkey line/ca.key -days 9 \
    -copy_extensions copy -out line/tpm.pem 2>x509.log
setting server key tpm.key
setting server certificate tpm.pem
start_station
assert_equal "has more loops, since it holds each up" 16 \
    "$(grep '"listening"' station.log | tail -n 1 | jq -r .loops)"
ask GET /v1/station
assert_equal "and serves" 200 "$STATUS"
setting server key server.key
stop_station
assert_fails "with another's certificate it does not start" "$STATION" serve \
    --dir line
assert_contains "it says why" "line/tpm.pem does not go with the server's key" \
    "$OUTPUT"

say "The audit log's key in a TPM that goes away"
rm -rf line
start_tpm --srk log
make_station
"$DEVID" keygen --out line/log.key
setting station chain_key log.key
setting policy allow_pkcs10 yes
start_station
# says SENTENCE: the station has said it since it was started.
says() {
    grep -qF "$1" station.log
}
# all_signed: the log is whole, to its last entry.
all_signed() {
    [[ $("$STATION" verify-log --dir line --json | jq .unsealed) == 0 ]]
}
enrol_plain SN-10
assert_equal "a unit is taken" 201 "$STATUS"
await "its entries to be signed" "$STATION_PID" all_signed
stop_tpm KILL
enrol_plain SN-11
assert_equal "another without the TPM" 201 "$STATUS"
await "the station to say it" "$STATION_PID" says \
    "the station's key cannot sign the head of its audit log"
assert_contains "and what that means" \
    "what is recorded of them is not signed until chain_key can be used again" \
    "$(<station.log)"
launch_tpm
enrol_plain SN-12
assert_equal "a third with the TPM" 201 "$STATUS"
await "the station to say that it signs" "$STATION_PID" says \
    "the head of the audit log is signed again"
await "all entries to be signed" "$STATION_PID" all_signed
assert_equal "once each" "1 1" \
    "$(grep -c "cannot sign the head" station.log) $(grep -c "is signed again" \
        station.log)"
stop_station

say "The CA's key on a token"
rm -rf line
start_token
make_station --ca-device "pkcs11:token=$TOKEN_LABEL" --module "$TOKEN_MODULE" \
    --auth-source "file:$TOKEN_PIN_FILE"
assert_contains "where the PIN is stands in the settings" \
    "pin-source = file:$TOKEN_PIN_FILE" "$(<line/station.conf)"
start_tpm --ek third
trust_vendor "$WORK/third"
serve_alone
verified SN-3
stop_station
