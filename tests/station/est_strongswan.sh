#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# strongSwan's pki as client: the CA's certificates, an LDevID by a secret, one
# under the IDevID, its renewal, one that waits for a person.
#
# Usage: est_strongswan.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/est_common.sh"
harness_dir
need pki
cd "$WORK"
make_station
setting policy allow_pkcs10 yes
printf '[est.label]\n' >>line/station.conf
printf 'SN-1:open sesame\n' >line/users
chmod 600 line/users
setting est users users
start_station
make_unit SN-1
# By its address: pki takes the first that a name has, which may be ::1.
url=https://127.0.0.1:$STATION_PORT

# enrolled NAME [LABEL [ARGUMENT...]]: NAME.pem for NAME.key. Its name in the
# request is the unit's.
enrolled() {
    local name=$1 label=${2:-}
    shift $(($# > 1 ? 2 : 1))
    pki --req --in "$name.key" --dn serialNumber=SN-1 --outform pem >"$name.req"
    pki --est --url "$url${label:+/$label}" --in "$name.req" --outform pem \
        --cacert line/ca.pem "$@" >"$name.pem" 2>>pki.log
}

# new_key NAME
new_key() {
    pki --gen --type ecdsa --size 256 --outform pem >"$1.key"
}

# is_own NAME: whether the certificate is for the key, named as the unit.
is_own() {
    assert_equal "$1: its key and name" \
        "$(plain_openssl pkey -in "$1.key" -pubout) subject=serialNumber = SN-1" \
        "$(plain_openssl x509 -in "$1.pem" -noout -pubkey) $(plain_openssl x509 \
            -in "$1.pem" -noout -subject)"
    plain_openssl verify -x509_strict -CAfile line/ca.pem "$1.pem" >verify.log
}

pki --estca --url "$url" --cacert line/ca.pem --outform pem >ca.out 2>>pki.log
assert_equal "pki --estca has the CA" "$(plain_openssl x509 -in line/ca.pem)" \
    "$(plain_openssl x509 -in ca.out)"

say "pki --est"
for name in secret first renewed label slow; do
    new_key $name
done
enrolled secret "" --userpass "SN-1:open sesame"
is_own secret
enrolled first "" --cert SN-1.pem --key SN-1.key
is_own first
enrolled label label --cert SN-1.pem --key SN-1.key
is_own label
enrolled renewed "" --cert first.pem --key first.key
is_own renewed
status=0
enrolled slow "" --cert line/server.pem --key line/server.key || status=$?
((status)) || fail "the server's own certificate asks for an LDevID"
assert_contains "who is no unit is refused" '"status":403' "$(tail -n 1 station.log)"

say "One that waits"
# While it waits it asks without its label (5.9.8).
setting est approval manual
setting est retry_after 1s
stop_station
start_station
enrolled slow "" --cert SN-1.pem --key SN-1.key --interval 1 &
client=$!
waits() {
    [[ $("$STATION" pending --dir line) ]]
}
await "the request" "$STATION_PID" waits
"$STATION" approve --dir line \
    "$("$STATION" pending --dir line --json | jq -r '.[0].id')"
wait "$client" || fail "pki gave up: $(tail -n 5 pki.log)"
is_own slow
