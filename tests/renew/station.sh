#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device is provisioned at a station, gets its LDevID there by EST, and renews
# it: our tool and our station.
#
# Usage: station.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../identity/line_common.sh"

# forget_retry NAME: that identity may ask its CA at once.
forget_retry() {
    jq 'del(.retry_at)' "root/$1.state" >state
    cp state "root/$1.state"
}

make_line
stop_station
setting est lifetime 1h
printf '[est.short]\nlifetime = 8s\n[est.asked]\n%s\n' \
    'approval = manual' >>line/station.conf
start_station
provision >out || fail "$(<out)"
openssl_conf openssl.cnf

# enroll NAME [OPTION...]: who vouches for the station is the IDevID's CA.
enroll() {
    "$DEVID" enroll --est "https://localhost:$STATION_PORT" --identity "$1" \
        --root "$WORK/root" --idevid "$WORK/id" "${@:2}"
}

renew() {
    "$DEVID" renew --root "$WORK/root" --identity "$@"
}

# of NAME OPTION...: what openssl says of its certificate.
of() {
    plain_openssl x509 -in "root/$1/cert.pem" -noout "${@:2}"
}

# known NAME: the station knows it for a unit's.
known() {
    OPENSSL_CONF=$WORK/openssl.cnf ask GET /.well-known/est/cacerts \
        --cert "root/$1/chain.pem" --key "root/$1/key.pem"
    assert_equal "the station takes it in a handshake" 200 "$STATUS"
}

say "Enrolled"
trace_reset
enroll unit >out || fail "$(<out)"
assert_equal "its steps" "key server enroll test disk" \
    "$(awk '{ print $1 }' out | xargs)"
# The key under the owner's primary and the request's signature; the IDevID's,
# which is persistent; the new key's.
assert_equal "its commands" "ReadPublic:0x18b CreatePrimary Create FlushContext\
 CreatePrimary Load FlushContext ContextSave Sign FlushContext\
 ReadPublic Sign\
 CreatePrimary Load FlushContext ContextSave Sign FlushContext" "$(commands)"
assert_equal "it has the unit's name" "subject=serialNumber = SN1" \
    "$(of unit -subject)"
assert_equal "and a key of its own" different "$([[ $(of unit -pubkey) == \
"$(plain_openssl x509 -in id/cert.pem -noout -pubkey)" ]] || echo different)"
known unit

cp -a id id.* root
status=0
OUTPUT=$(enroll id 2>&1) || status=$?
assert_equal "the IDevID is not written over" "2 devid: $WORK/root/id is the\
 identity that a station gave this device: another name is needed for this one" \
    "$status $OUTPUT"
rm -r root/id root/id.*

say "Renewed"
BEFORE=$(of unit -pubkey)
assert_equal "not before it is due" "" "$(renew unit 2>&1)"
renew unit --force >out || fail "$(<out)"
[[ $(of unit -pubkey) != "$BEFORE" ]] || fail "the key is the old one"
assert_equal "under the same name" "subject=serialNumber = SN1" \
    "$(of unit -subject)"
known unit
assert_equal "the station has both on record" "issued issued" \
    "$(ledger "select state from ldevid order by rowid" | xargs)"

say "Expired"
enroll short --label short >out || fail "$(<out)"
BEFORE=$(of short -serial)
gone() {
    ! of short -checkend 0 >/dev/null
}
await "it to expire" $$ gone
renew short >out 2>&1 || fail "$(<out)"
[[ $(of short -serial) != "$BEFORE" ]] || fail "the certificate is the old one"
say "  ok: it is enrolled again"

say "Asked for"
# fails_enroll COMMAND...: it ends with 4, and says when to ask again.
fails_enroll() {
    local status=0
    OUTPUT=$("$@" 2>&1) || status=$?
    [[ $status == 4 ]] || fail "it ended with $status: $OUTPUT"
    assert_contains "who asks waits" "wants to be asked again in" "$OUTPUT"
}
fails_enroll enroll asked --label asked --timeout 1
KEY=$(jq -r .pending_key root/asked.state)
forget_retry asked
fails_enroll enroll asked --label asked --timeout 1
assert_equal "by one key" "$KEY" "$(jq -r .pending_key root/asked.state)"
"$STATION" pending --dir line --json >waiting
"$STATION" approve --dir line "$(jq -r '.. | .id? // empty' waiting)" >out
forget_retry asked
enroll asked --label asked >out 2>&1 || fail "$(<out)"
assert_equal "until somebody approves it" "$KEY" "$(<root/asked/key.pem)"
known asked

say "Whoever the station does not know"
mkdir other
plain_openssl req -x509 -newkey rsa:2048 -nodes -keyout other/key.pem \
    -out other/chain.pem -subj /CN=other -days 1 2>/dev/null
cp other/chain.pem other/cert.pem
status=0
OUTPUT=$("$DEVID" enroll --est "https://localhost:$STATION_PORT" --identity no \
    --root root --idevid other --ca line/ca.pem 2>&1) || status=$?
assert_equal "is refused" 3 "$status"
