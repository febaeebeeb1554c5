#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The server's certificate is renewed while devices are served: no request
# fails, and what cannot be used changes nothing.
#
# Usage: renew.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
need curl openssl
make_station
start_station

# served: the fingerprint of the certificate that a new connection gets.
served() {
    plain_openssl s_client -connect "127.0.0.1:$STATION_PORT" </dev/null \
        2>/dev/null | fingerprint
}
fingerprint() {
    plain_openssl x509 -noout -fingerprint -sha256
}
# takes_up WHAT: the server has what is in its file, and says so.
takes_up() {
    await "$1" "$STATION_PID" is_served
    assert_equal "$1" "$(fingerprint <line/server.pem)" "$(served)"
}
is_served() {
    [[ $(served) == "$(fingerprint <line/server.pem)" ]]
}
# said SENTENCE: how often the station did.
said() {
    grep -cF "$1" station.log || true
}

# said_more SENTENCE TIMES: more often than that.
said_more() {
    (($(said "$1") > $2))
}

# Who asks without an end, each time over a new connection.
cat >load.sh <<'E2'
while [[ ! -e load.end ]]; do
    curl --silent --show-error --fail --max-time 30 --noproxy '*' \
        --cacert line/ca.pem --output /dev/null \
        "https://localhost:$1/v1/station" 2>>load.errors || echo failed
    echo asked
done
E2
for i in 1 2 3; do
    spawn "asking.$i" bash load.sh "$STATION_PORT"
    LOAD+=("$SPAWNED")
done
# One connection that stays.
mkfifo requests
# shellcheck disable=SC2016 # it is expanded there
spawn client bash -c 'OPENSSL_CONF=/dev/null exec openssl s_client -quiet \
    -connect "127.0.0.1:$1" -servername localhost <requests >answers' \
    client "$STATION_PORT"
CLIENT=$SPAWNED
exec {REQUESTS}>requests
request() {
    printf 'GET /v1/station HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"$REQUESTS"
}
answered() {
    (($(grep -c '^HTTP/1.1 200' answers) == $1))
}
request
await "an answer" "$CLIENT" answered 1

say "Renewed, under load"
FIRST=$(served)
KEY=$(sha256sum <line/server.key)
for ((i = 0; i < 3; i++)); do
    "$STATION" renew-server --dir line
    takes_up "certificate $((i + 2)) is taken up"
    # One that says nothing for ten seconds is closed.
    request
    await "an answer" "$CLIENT" answered $((i + 2))
    say "  ok: the connection from before goes on"
done
[[ $(served) != "$FIRST" ]] || fail "it is the first certificate"
touch load.end
wait "${LOAD[@]}"
assert_equal "no request failed" "" "$(cat load.errors)$(grep failed asking.?.log || true)"
asked=$(cat asking.?.log | grep -c asked)
((asked > 30)) || fail "only $asked requests were made"
exec {REQUESTS}>&-
assert_equal "its key is what it was" "$KEY" "$(sha256sum <line/server.key)"
assert_equal "it is for the names of the one before" \
    "DNS:localhost, IP Address:127.0.0.1" "$(plain_openssl x509 \
        -in line/server.pem -noout -ext subjectAltName | tail -n 1 | xargs)"
assert_equal "by the station's CA" "line/server.pem: OK" "$(plain_openssl verify \
    -x509_strict -purpose sslserver -CAfile line/ca.pem line/server.pem)"
"$STATION" renew-server --dir line --host localhost --host line.example
takes_up "one for other names"
assert_equal "has them" "DNS:localhost, DNS:line.example" "$(plain_openssl x509 \
    -in line/server.pem -noout -ext subjectAltName | tail -n 1 | xargs)"

say "Told to"
# Nothing has changed: a signal has it read all the same.
TIMES=$(said "was read again")
kill -HUP "$STATION_PID"
await "the certificate to be read" "$STATION_PID" said_more "was read again" \
    "$TIMES"
assert_equal "it goes on" "$(fingerprint <line/server.pem)" "$(served)"

say "What does not serve"
cp line/server.pem good.pem
good=$(served)
plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout other.key -out other.pem -subj /CN=other -days 5 2>/dev/null
cp other.pem line/server.pem
await "the sentence" "$STATION_PID" said_more "stays the one that it was" 0
assert_contains "another key's certificate is told of" \
    "server.pem does not go with the server's key" "$(<station.log)"
assert_equal "and the one before stays" "$good" "$(served)"
assert_fails "one of another CA" "$STATION" renew-server --dir line
assert_contains "is not renewed here" "is not of this station's CA: it is to be\
 renewed where it came from" "$OUTPUT"
cp other.key line/server.key
takes_up "with its key it is taken"
assert_contains "and when it ends is said" \
    "ends within a month: devid-station renew-server makes another one" \
    "$(<station.log)"
