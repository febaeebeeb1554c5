#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid provision with a PKCS#11 token is killed: after each of its calls of the
# module, and at each of its records on the network, when the station has it. Run
# again, it comes to one unit, one key pair and one certificate.
#
# Usage: line_token_crash.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
harness_dir
cd "$WORK" || exit
make_station
setting policy allow_pkcs10 yes
open_batch tokens Gate token-of-the-tokens 200
echo token-of-the-tokens >token
start_station
start_token factory
cp -a "$TOKEN_DIR" new
start_spy

# objects: how many the token has.
objects() {
    pkcs11-tool --module "$DEVID_SPY_MODULE" --token-label "$TOKEN_LABEL" \
        --login --pin "$TOKEN_PIN" --list-objects 2>/dev/null |
        grep -cE '^[A-Z].* Object' || true
}

# another: the next device, whose token is empty.
NUMBER=0
another() {
    rm -rf "$TOKEN_DIR" id id.*
    cp -a new "$TOKEN_DIR"
    SERIAL=SN$((NUMBER += 1))
    spy_reset
}

# check WHEN: run again, all is well.
check() {
    provision --device "$TOKEN_URI" >out 2>&1 || fail "$1: run again: $(<out)"
    [[ $(objects) == 3 ]] || fail "$1: the token has $(objects) objects, not 3"
    [[ $(ledger "select state || ' ' || count(*) from unit
        where serial = '$SERIAL'") == "tested 1" ]] ||
        fail "$1: units: $(ledger 'select serial, state from unit')"
    [[ $(ledger "select count(*) from certificate") == "$NUMBER" ]] ||
        fail "$1: certificates: $(ledger 'select * from certificate')"
    [[ $(ledger "select hex(idevid_cert) from unit
        where serial = '$SERIAL'") == \
    "$(openssl x509 -in id/cert.pem -outform DER | hex_of -)" ]] ||
        fail "$1: the folder's certificate is not the station's"
    [[ $("$DEVID" cert get --key id/key.pem --out -) == "$(<id/cert.pem)" ]] ||
        fail "$1: the certificate beside the key is not the folder's"
    [[ $(echo id*) == "id $(readlink id)" ]] ||
        fail "$1: left beside the folder: $(echo id*)"
}

say "Not killed"
another
provision --device "$TOKEN_URI" >out || fail "$(<out)"
CALLS=$(spy_count)
assert_equal "its calls" 49 "$CALLS"
check "not killed"

say "Killed after each of them"
for ((n = 1; n < CALLS; n++)); do
    another
    status=0
    {
        DEVID_SPY_FAULT="kill=$n" provision --device "$TOKEN_URI" >out 2>&1 ||
            status=$?
    } 2>/dev/null
    last=$(tail -n 1 "$SPY_LOG")
    [[ $status == 137 && $(spy_count) == "$n" ]] ||
        fail "it was to be killed at call $n: $status after $(spy_list)"
    check "killed after call $n, ${last#* }"
done
say "  ok: $((n - 1)) times"

say "Killed at each of its records"
for ((n = 1; n < 100; n++)); do
    another
    killed_at_record "$n" --device "$TOKEN_URI" || break
    check "killed at record $n"
done
((n > 6)) || fail "there were but $n records"
say "  ok: $((n - 1)) times"
OUTPUT=$("$STATION" verify-log --dir line 2>&1) || fail "the log: $OUTPUT"
