#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The station's server against clients that are wrong, slow or many: nothing is
# served without TLS, and nobody holds it up. Needs no TPM.
#
# Usage: limits.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
make_station
setting server connections 30
setting server address_connections 8

# raw REQUEST: what the station answers to these bytes over TLS. It closes the
# connection where it does not like them; else a second passes.
raw() {
    { printf '%b' "$1"; sleep 1; } |
        plain_openssl s_client -quiet -connect "localhost:$STATION_PORT" \
            -CAfile line/ca.pem -verify_return_error 2>raw.log || true
}

# hold COUNT [BYTES]: so many clients connect, send BYTES, and stay. Sets HELD.
hold() {
    local i
    HELD=()
    for ((i = 0; i < $1; i++)); do
        # shellcheck disable=SC2016
        spawn "held" bash -c '{ printf "%b" "$1"; sleep 60; } |
            exec openssl s_client -quiet -connect "localhost:$2"' \
            - "${2:-}" "$STATION_PORT"
        HELD+=("$SPAWNED")
    done
}

# release: they go.
release() {
    local pid
    for pid in "${HELD[@]}"; do
        pkill -P "$pid" || true
        halt "$pid"
    done
}

# cut_off: how many of those that were ever held found no TLS.
cut_off() {
    grep -c -e 'errno=' -e 'SSL routines' held.log || true
}

# established: how many connections the station has.
established() {
    awk -v port="$(printf ':%04X' "$STATION_PORT")" \
        '$2 ~ port "$" && $4 == "01" { n++ } END { print n + 0 }' /proc/net/tcp
}

# has N: so many.
has() {
    (($(established) == $1))
}

start_station
say "TLS alone"
plain=$(printf 'GET /v1/station HTTP/1.1\r\nHost: x\r\n\r\n' |
    timeout 5 socat -t 2 - "TCP:127.0.0.1:$STATION_PORT" 2>/dev/null | tr -d '\0' ||
    true)
[[ $plain != *HTTP/* ]] || fail "it answered without TLS: $plain"
say "  ok: plain HTTP gets no answer of HTTP's"
ask GET /v1/station --tlsv1.2 --tls-max 1.2
assert_equal "TLS 1.2" 200 "$STATUS"
ask GET /v1/station --tlsv1.3
assert_equal "TLS 1.3" 200 "$STATUS"
# old_tls VERSION PORT: a client that speaks that alone.
old_tls() {
    plain_openssl s_client "-$1" -cipher ALL:@SECLEVEL=0 \
        -connect "localhost:$2" </dev/null
}
for version in tls1 tls1_1; do
    port=$(free_port)
    spawn old env OPENSSL_CONF=/dev/null openssl s_server -www "-$version" \
        -cipher ALL:@SECLEVEL=0 -cert line/server.pem -key line/server.key \
        -accept "127.0.0.1:$port"
    await_port "$SPAWNED" "$port" || fail "no server speaks $version"
    assert_contains "a client speaks $version" "Cipher is ECDHE" \
        "$(old_tls "$version" "$port" 2>&1)"
    halt "$SPAWNED"
    assert_fails "the station does not speak it" old_tls "$version" "$STATION_PORT"
    assert_contains "it says so" "alert protocol version" "$OUTPUT"
done
stop_station
start_station env LD_PRELOAD="$BUILD_DIR/tests/station/fail_tls.so" \
    DEVID_FAIL_TLS="$WORK/fail"
touch fail
plain=$(printf 'GET /v1/station HTTP/1.1\r\nHost: x\r\n\r\n' |
    timeout 5 socat -t 2 - "TCP:127.0.0.1:$STATION_PORT" 2>/dev/null || true)
assert_equal "where TLS cannot be set up the connection is closed" "" "$plain"
rm fail
ask GET /v1/station
assert_equal "and the next is served" 200 "$STATUS"
stop_station
start_station

say "What no request is"
post='POST /v1/units HTTP/1.1\r\nHost: x\r\n'
assert_contains "two lengths" "there is more than one Content-Length" \
    "$(raw "${post}Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}")"
assert_contains "two hosts" "there is more than one Host" \
    "$(raw "${post}Host: y\r\nContent-Length: 2\r\n\r\n{}")"
assert_contains "a name with a space behind it" "a header's name is empty, or" \
    "$(raw 'GET /v1/station HTTP/1.1\r\nHost : x\r\n\r\n')"
assert_contains "an empty name" "a header's name is empty, or" \
    "$(raw 'GET /v1/station HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n')"
assert_contains "HTTP/1.15" "the version of HTTP is neither 1.0 nor 1.1" \
    "$(raw 'GET /v1/station HTTP/1.15\r\nHost: x\r\n\r\n')"
assert_contains "chunks" "a body comes with Content-Length alone" \
    "$(raw "${post}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")"
answers=$(raw "${post}Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}GET\
 /v1/station HTTP/1.1\r\nHost: x\r\n\r\n" | grep -c '^HTTP/1')
assert_equal "what stands behind one is not read" 1 "$answers"

say "Sizes"
head -c 65536 /dev/zero | tr '\0' ' ' >full
ask POST /v1/units --data-binary @full -H 'Authorization: Bearer x'
assert_refused "a body of 64 KiB is read" 401 token "no batch's"
printf ' ' >>full
ask POST /v1/units --data-binary @full
assert_equal "one byte more is not" 413 "$STATUS"
head -c 7000 /dev/zero | tr '\0' x >long
ask GET /v1/station -H "X: $(<long)"
assert_equal "headers of 7 KB are read" 200 "$STATUS"
head -c 9000 /dev/zero | tr '\0' x >long
ask GET /v1/station -H "X: $(<long)"
assert_equal "of 9 KB they are not" 400 "$STATUS"

say "A connection that stays"
start=$EPOCHREALTIME
ask GET "/v1/station?[1-200]"
took=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000000))
assert_equal "200 requests are answered" 200 "$(grep -o 200 <<<"$STATUS" | wc -l)"
((took < 5)) || fail "they took $took seconds: do answers wait for the peer?"

say "Many connections"
hold 8
await "8 of them" "$STATION_PID" has 8
ask GET /v1/station --dump-header headers
assert_refused "one more of that address" 429 rate \
    "there are too many connections from 127.0.0.1"
assert_contains "is told when to come again" "Retry-After: 5" "$(<headers)"
release
await "none" "$STATION_PID" has 0
ask GET /v1/station
assert_equal "afterwards all is well" 200 "$STATUS"

stop_station
setting server connections 10
setting server address_connections 100
start_station
before=$(cut_off)
hold 13
cut_3() {
    (($(cut_off) == before + 3))
}
await "the end of 3 of 13" "$STATION_PID" cut_3
await "the 10 that stay" "$STATION_PID" has 10
say "  ok: more than that in total are closed"
release
await "none" "$STATION_PID" has 0

say "Slow ones"
start=$SECONDS
hold 1
idle=${HELD[0]}
# shellcheck disable=SC2016
spawn trickle bash -c '{ printf "GET /v1/station HTTP/1.1\r\nX: "
    for ((i = 0; i < 40; i++)); do printf x; sleep 1; done; } |
    exec openssl s_client -quiet -connect "localhost:$1"' - "$STATION_PORT"
later=$SECONDS
await "both" "$STATION_PID" has 2
for ((i = 0; i < 250; i++)); do
    has 0 && break
    sleep 0.1
    has 2 || idle_ended=${idle_ended:-$((SECONDS - start))}
done
all_ended=$((SECONDS - later))
# From before the connection, which takes its time on a busy machine.
((idle_ended >= 9 && idle_ended <= 20)) ||
    fail "who says nothing is closed after $idle_ended seconds, not 10"
say "  ok: who says nothing is closed after 10 seconds"
((all_ended >= 14 && all_ended <= 25)) ||
    fail "who says little is closed after $all_ended seconds, not 15"
say "  ok: who says one byte a second is closed after 15"
pkill -P "$SPAWNED" || true
pkill -P "$idle" || true
stop_station

say "No more descriptors"
setting server address_connections 100
start_station prlimit --nofile=40:40
hold 60
sleep 3
ticks() {
    awk '{ print $14 + $15 }' "/proc/$STATION_PID/stat"
}
before=$(ticks)
sleep 2
used=$(($(ticks) - before))
((used < 100)) || fail "without descriptors it spins: $used ticks in 2 seconds"
say "  ok: it does not spin"
release
await "none" "$STATION_PID" has 0
sleep 0.5
ask GET /v1/station
assert_equal "afterwards it serves" 200 "$STATUS"
stop_station
assert_fails "a second station on the port is refused" bash -c "
    '$STATION' serve --dir '$WORK/line' & first=\$!
    sleep 1
    '$STATION' serve --dir '$WORK/line'; status=\$?
    kill \$first; wait \$first
    exit \$status"
assert_contains "it says why" "cannot listen on 127.0.0.1, port $STATION_PORT" \
    "$OUTPUT"
