#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device with a PKCS#11 token is provisioned by PKCS#10, where the station
# allows it.
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

say "In one go"
provision --device "$TOKEN_URI" >out || fail "$(<out)"
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
