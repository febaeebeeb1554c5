#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the station says without TLS: lists of revoked certificates and OCSP,
# one request a connection, to clients that are wrong, slow, many or gone.
#
# Usage: plain.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
make_station
http_port=$(free_port)
url=http://127.0.0.1:$http_port
list=/v1/crl/0.crl
setting server http_port "$http_port"
setting server connections 12
setting server address_connections 6
setting ca ocsp_url "$url/ocsp"
start_tpm --srk house
start_trace --name house
"$DEVID" keygen --out line/tpm.key
setting ca ocsp_key tpm.key
start_station

# raw REQUEST: what the station answers to these bytes until it closes the
# connection, which it must.
raw() {
    local fd
    exec {fd}<>"/dev/tcp/127.0.0.1/$http_port"
    # At once: what comes behind an answer breaks the connection.
    printf '%b' "$1" >raw.bytes
    { cat raw.bytes >&"$fd"; } 2>/dev/null || true
    timeout 40 cat <&"$fd" >raw.answer 2>/dev/null || (($? != 124)) ||
        fail "the connection does not end"
    exec {fd}>&-
    tr -d '\0' <raw.answer
}

# get PATH [CURL ARGUMENT...]: sets STATUS, OUTPUT.
get() {
    STATUS=$(curl --silent --max-time 60 --noproxy '*' --output answer \
        --write-out '%{http_code}' "${@:2}" "$url$1") || STATUS="curl $?"
    OUTPUT=$(tr -d '\0' <answer)
}

# hold COUNT: so many connect, and say nothing. Sets HELD.
hold() {
    local fd i
    HELD=()
    for ((i = 0; i < $1; i++)); do
        exec {fd}<>"/dev/tcp/127.0.0.1/$http_port"
        HELD+=("$fd")
    done
}
release() {
    local fd
    for fd in "${HELD[@]}"; do
        exec {fd}>&-
    done
}

# established [STATE]: how many connections the port has.
established() {
    awk -v port="$(printf ':%04X' "$http_port")" \
        '$2 ~ port "$" && $4 == "01" { n++ } END { print n + 0 }' /proc/net/tcp
}
has() {
    (($(established) == $1))
}

# logged PATH: how many lines of the log are of it.
logged() {
    grep -c "\"path\":\"$1\"" station.log || true
}
logged_more() {
    (($(logged "$1") > $2))
}

# It takes a minute; the others go on.
# shellcheck disable=SC2016
spawn trickle bash -c 'trap "" PIPE
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf "GET /v1/crl/0.crl HTTP/1.1\r\nX: " >&3
    for ((i = 0; i < 150; i++)); do
        printf x >&3 || break
        sleep 1
    done
    echo "$SECONDS" >trickled' - "$http_port"
await "who trickles" "$STATION_PID" has 1

say "A request"
before=$(logged "$list")
answer=$(raw "GET $list HTTP/1.1\r\nHost: x\r\n\r\n")
assert_contains "HTTP/1.1: it is answered" "HTTP/1.1 200 OK" "$answer"
assert_contains "with its type" "Content-Type: application/pkix-crl" "$answer"
assert_contains "and ends" "Connection: close" "$answer"
answer=$(raw "GET $list HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
assert_contains "HTTP/1.0: it is answered" "HTTP/1.0 200 OK" "$answer"
assert_contains "with its length" "Content-Length: " "$answer"
assert_equal "and ends whatever was asked for" "Connection: close" \
    "$(grep -ai '^connection' <<<"$answer" | tr -d '\r')"
twice="GET $list HTTP/1.1\r\nHost: x\r\n\r\n"
assert_equal "of two in a row one is answered" 1 \
    "$(raw "$twice$twice" | grep -ac '^HTTP/1')"
get "$list" --proxy "$url" --noproxy ''
assert_equal "as a proxy is asked" 200 "$STATUS"
assert_equal "each is a line of the log" 4 "$(($(logged "$list") - before))"

say "What is refused"
get /v1/station
assert_refused "another path" 404 path "there is no such path here without TLS"
get /.well-known/est/cacerts
assert_refused "EST" 404 path "there is no such path here without TLS"
get /v1/crl/99999.crl
assert_refused "a list that there is not" 404 path \
    "there is no list of revoked certificates 99999"
get "$list" --data x
assert_refused "POST of a list" 404 path "there is no such path here without TLS"
get /ocsp
assert_refused "GET without a request" 405 method "this path takes POST alone"
get /ocsp --request PUT --data x
assert_refused "PUT" 405 method "this path takes POST alone"
before=$(logged /none)
get /none
assert_equal "that is a line of the log, too" 1 "$(($(logged /none) - before))"
head -c 4096 /dev/zero >body
get /ocsp --data-binary @body
assert_equal "a body of 4 KiB is read" 200 "$STATUS"
printf x >>body
get /ocsp --data-binary @body
assert_equal "one byte more is not" 413 "$STATUS"
head -c 9000 /dev/zero | tr '\0' x >long
get "$list" -H "X: $(<long)"
assert_equal "nor are headers of 9 KB" 400 "$STATUS"
assert_contains "two lengths" "there is more than one Content-Length" "$(raw \
    'POST /ocsp HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx')"
assert_contains "chunks" "a body comes with Content-Length alone" "$(raw \
    'POST /ocsp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n')"
assert_contains "HTTP/2" " 400 Bad Request" \
    "$(raw 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')"
assert_contains "no HTTP at all" " 400 Bad Request" \
    "$(raw 'EHLO somebody.example\r\n\r\n')"
assert_fails "TLS, which ends at once or when nothing more comes" timeout 40 \
    openssl s_client -connect "127.0.0.1:$http_port" </dev/null
[[ $OUTPUT == *'no peer certificate available'* ]] ||
    fail "TLS on this port: $OUTPUT"

say "Many connections"
await "the one that trickles alone" "$STATION_PID" has 1
hold 5
await "6 of them" "$STATION_PID" has 6
answer=$(raw "GET $list HTTP/1.1\r\nHost: x\r\n\r\n")
assert_equal "one more of that address is closed" "" "$answer"
ask GET /v1/station
assert_refused "and they count for TLS, too" 429 rate "there are too many"
start=$SECONDS
await "who says nothing to be closed" "$STATION_PID" has 1
((SECONDS - start <= 40)) || fail "who says nothing stays"
release
get "$list"
assert_equal "afterwards all is well" 200 "$STATUS"

# ocsp_request NAME: one with a nonce, which costs a signature.
ocsp_request() {
    plain_openssl ocsp -issuer line/ca.pem -serial 1 -reqout "$1" >ocsp.out 2>&1
}
# ocsp_client NAME: POST it. Sets SPAWNED.
ocsp_client() {
    spawn client curl --silent --noproxy '*' --max-time 120 --output got \
        --write-out '%{http_code}\n' --data-binary "@$1" "$url/ocsp"
}
ocsp_request one.req

say "Clients that leave before the answer"
for signal in TERM KILL; do
    before=$(logged /ocsp)
    fault "hold Sign times=1"
    ocsp_client one.req
    fault_holds "$STATION_PID"
    get "$list"
    assert_equal "one waits for the TPM, others for nothing" 200 "$STATUS"
    halt "$SPAWNED" "$signal"
    fault_clear
    await "the answer to nobody" "$STATION_PID" logged_more /ocsp "$before"
    get /ocsp --data-binary @one.req
    assert_equal "one that left by $signal harms nobody" 200 "$STATUS"
done
{
    printf 'POST /ocsp HTTP/1.1\r\nContent-Length: %d\r\n\r\n' \
        "$(stat -c %s one.req)"
    cat one.req
} >one.raw
for ((i = 0; i < 60; i++)); do
    socat -u FILE:one.raw "TCP:127.0.0.1:$http_port,linger=0"
done
# They count until they are answered.
is_served() {
    get /ocsp --data-binary @one.req
    [[ $STATUS == 200 ]]
}
await "the next after 60 that break off" "$STATION_PID" is_served
say "  ok: nor do 60 that break off"

say "In total"
await "the one that trickles alone" "$STATION_PID" has 1
kill -0 "$STATION_PID" || fail "the station has ended"
for ((i = 0; i < 100; i++)); do
    [[ ! -e trickled ]] || break
    sleep 1
done
[[ -e trickled ]] || fail "who trickles is not closed"
took=$(<trickled)
((took >= 58 && took <= 90)) || fail "who trickles is closed after $took seconds"
say "  ok: who says one byte a second is closed after 60"
stop_station
setting server connections 4
setting server address_connections 100
start_station
hold 7
await "4 of 7" "$STATION_PID" has 4
assert_equal "4 of 7 stay, and libevent wonders at nothing" 0 \
    "$(grep -c 'cannot get connection' station.log || true)"
release
await "none" "$STATION_PID" has 0

say "An end while one is answered"
fault "hold Sign times=1"
: >client.log
ocsp_client one.req
fault_holds "$STATION_PID"
hold 1
kill -TERM "$STATION_PID"
fault_clear
wait "$SPAWNED" || fail "it got no answer"
assert_equal "it gets its answer" 200 "$(<client.log)"
wait "$STATION_PID" || fail "the station's end is not well: $?"
release
