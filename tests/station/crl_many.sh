#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A hundred thousand revoked certificates on one list, at one address: it is
# made anew when one more is revoked, and requests are answered meanwhile.
#
# Usage: crl_many.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/est_common.sh"
harness_dir
need sqlite3
cd "$WORK"
make_station
setting policy allow_pkcs10 yes
setting ca crl_shards 1
start_station
make_unit SN-1
stop_station
# As units that were retired would have left them; some have expired long ago.
ledger "WITH RECURSIVE n(i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100100)
    INSERT INTO certificate
        (number, subject, generation, expires_ms, revoked_ms, reason)
    SELECT upper(hex(randomblob(19))) || '7F', 'gone', 1,
        CASE WHEN i > 100000 THEN 1 ELSE 0 END, 1700000000000 + i, 5 FROM n"
start_station

# fetch: the list; sets COUNT.
fetch() {
    curl -sS --fail --noproxy '*' --cacert line/ca.pem -o many.crl \
        "https://localhost:$STATION_PORT/v1/crl/0.crl"
    COUNT=$(plain_openssl crl -inform DER -in many.crl -noout -text |
        grep -c 'Serial Number:')
}

fetch
assert_equal "all are on it but those that have expired" 100000 "$COUNT"
assert_contains "it is signed" "verify OK" "$(plain_openssl crl -inform DER \
    -in many.crl -CAfile line/ca.pem -noout 2>&1)"
before=$(sha256sum <many.crl)
"$STATION" revoke --dir line SN-1 --reason cessation
answered=0
is_new() {
    ask GET /v1/station
    [[ $STATUS == 200 ]] || fail "meanwhile: $STATUS"
    answered=$((answered + 1))
    curl -sS --fail --noproxy '*' --cacert line/ca.pem -o many.crl \
        "https://localhost:$STATION_PORT/v1/crl/0.crl"
    [[ $(sha256sum <many.crl) != "$before" ]]
}
await "the new list" "$STATION_PID" is_new
fetch
assert_equal "one more is, at the same address" 100001 "$COUNT"
say "  ok: $answered requests were answered meanwhile"
