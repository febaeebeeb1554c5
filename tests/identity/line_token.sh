#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device with a PKCS#11 token is provisioned by PKCS#10, where the station
# allows it, and decommissioned. What that costs in calls of the module.
#
# Usage: line_token.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
harness_dir
cd "$WORK" || exit
make_station
echo "$BATCH_TOKEN" >token
start_station
start_token factory

say "Where the station takes none without a TPM"
fails 3 "it is refused" "this station takes no request without a TPM" \
    --device "$TOKEN_URI"
stop_station
setting policy allow_pkcs10 yes
start_station

start_spy
say "In one go"
provision --device "$TOKEN_URI" >out || fail "$(<out)"
FIND="FindObjectsInit FindObjects FindObjectsFinal"
BEGIN="Initialize GetSlotList GetTokenInfo OpenSession Login"
READ=GetAttributeValue:0x12 # not each attribute is one of each object
SIGN="SignInit Sign"
STORE="OpenSession $FIND $READ $FIND CreateObject GetAttributeValue\
 GetAttributeValue CloseSession CloseSession Finalize"
HANDSHAKE="$BEGIN $FIND GetAttributeValue $SIGN"
END="CloseSession Finalize"
assert_equal "with a key that is there, these calls" \
    "$BEGIN $FIND $READ $READ $SIGN $STORE $HANDSHAKE $END" "$(spy_list)"
assert_equal "which are 39" 39 "$(spy_count)"
assert_equal "its steps" "station keys enrol token disk test" \
    "$(awk '{ print $1 }' out | xargs)"
assert_contains "the key of the refused run is taken" "there already" "$(<out)"
assert_contains "whose word it is, is said" "asserted by the operator" "$(<out)"
assert_equal "the station has it" "SN1|tested|0" \
    "$(ledger 'select serial, state, attested from unit')"
assert_equal "the certificate is on the token" "$(<id/cert.pem)" \
    "$("$DEVID" cert get --key id/key.pem --out -)"
assert_equal "the folder has no IAK" \
    "ca.pem cert.pem chain.pem combined.pem key.pem unit.json" "$(cd id && echo *)"
KEY=$(openssl x509 -in id/cert.pem -noout -pubkey)

say "Once more, with the PIN beside the URI"
provision --device "pkcs11:token=$TOKEN_LABEL" --module "$TOKEN_MODULE" \
    --auth-source "file:$TOKEN_PIN_FILE" >out 2>&1 || fail "$(<out)"
assert_equal "the same key" "$KEY" \
    "$(openssl x509 -in id/cert.pem -noout -pubkey)"
assert_equal "one unit, one certificate" "1 1" \
    "$(ledger 'select count(*) from unit') $(ledger \
        'select count(*) from certificate')"

say "What only a TPM has"
fails 2 "is not locked" "--lock and --ek are for a TPM" \
    --device "$TOKEN_URI" --lock
fails 2 "a PIN that is typed" "the PIN is needed more than once" \
    --device "$TOKEN_URI" --auth-source prompt

say "Decommissioned"
decommission() {
    "$DEVID" decommission --ca line/ca.pem --dir "$WORK/id" "$@"
}
# refused CODE WHAT SENTENCE [OPTION...]
refused() {
    local code=$1 what=$2 sentence=$3 status=0
    shift 3
    OUTPUT=$(decommission "$@" 2>&1) || status=$?
    assert_equal "$what: exit" "$code" "$status" >/dev/null
    assert_contains "$what" "$sentence" "$OUTPUT"
}
# objects: how many the token has.
objects() {
    pkcs11-tool --module "$DEVID_SPY_MODULE" --token-label "$TOKEN_LABEL" \
        --login --pin "$TOKEN_PIN" --list-objects 2>/dev/null |
        grep -cE '^[A-Z].* Object' || true
}
refused 2 "a TPM's authorisation" "are for a TPM; the identity of" --clear
refused 2 "a PIN that is typed" "the PIN is needed more than once" \
    --auth-source prompt
assert_equal "key, public half and certificate are there" 3 "$(objects)"
refused 5 "no PIN" "shows no private key, and none was given"
cp -rL id old
spy_reset
env -u DEVID_PKCS11_MODULE "$DEVID" decommission --ca line/ca.pem \
    --dir "$WORK/id" --module "$TOKEN_MODULE" \
    --auth-source "file:$TOKEN_PIN_FILE" --json >out
assert_equal "the device forgets" "retire device disk" \
    "$(jq -r 'select(.event == "step") | .step' out | xargs)"
WRITE="OpenSession Login:0x100 $FIND"
assert_equal "by these calls" "$BEGIN $FIND $READ $READ $READ $END\
 $HANDSHAKE GetSlotList GetTokenInfo\
 $WRITE $READ DestroyObject CloseSession\
 $WRITE $READ $FIND DestroyObject DestroyObject CloseSession\
 CloseSession Finalize" "$(spy_list)"
assert_equal "key, public half and certificate" 0 "$(objects)"
assert_equal "and its folder" "" "$(find . -maxdepth 1 -name 'id*')"
assert_equal "the station was told, and has revoked" "retired 1" "$(ledger \
    "select state || ' ' || count(*) from unit, certificate
        where revoked_ms > 0")"
decommission --device "$TOKEN_URI" >out
assert_contains "once more" "the key is gone" "$(<out)"

say "A new life"
fails 3 "a retired unit does not come back by itself" retired \
    --device "$TOKEN_URI"
provision --device "$TOKEN_URI" --new-owner >out 2>&1 || fail "$(<out)"
status=0
OUTPUT=$(env -u DEVID_PKCS11_MODULE \
    "$DEVID" decommission --ca line/ca.pem --dir "$WORK/old" \
    --device "$TOKEN_URI" 2>&1) || status=$?
assert_equal "the folder of a life that is over: exit" 1 "$status"
assert_contains "is not taken for its own" "is of another key than" "$OUTPUT"
assert_equal "and nothing is gone" 3 "$(objects)"

say "Killed when the certificate is gone"
touch hold
DEVID_SPY_FAULT=C_DestroyObject=after:$WORK/hold spawn killed "$DEVID" \
    decommission --ca line/ca.pem --dir "$WORK/id"
await "the certificate's end" "$SPAWNED" \
    grep -q 'C_DestroyObject:waits' "$SPY_LOG"
halt "$SPAWNED" KILL
rm hold
assert_equal "the pair is left" 2 "$(objects)"
decommission >out || fail "$(<out)"
assert_equal "run again it is gone too" 0 "$(objects)"

say "A key that is new"
spy_reset
provision --device "$TOKEN_URI" --new-owner >out 2>&1 || fail "$(<out)"
assert_equal "a new key, these calls" "$BEGIN $FIND $FIND\
 OpenSession GenerateKeyPair GetAttributeValue $READ CloseSession\
 $FIND GetAttributeValue $SIGN $STORE $HANDSHAKE $END" "$(spy_list)"
assert_equal "which are 49" 49 "$(spy_count)"
decommission --offline >out || fail "$(<out)"
assert_equal "without the station it goes too" 0 "$(objects)"
assert_equal "whose record stays" tested "$(ledger 'select state from unit')"
