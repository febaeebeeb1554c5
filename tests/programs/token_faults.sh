#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A token that is taken away and put back; PINs that are wrong, locked or
# missing; a module that does not load. One sentence each, one login at most.
#
# Usage: token_faults.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# log_says WHAT TEXT: nginx's log holds it.
log_says() {
    assert_contains "$1" "$2" "$(<"$WORK/nginx.log")"
}

# refused WHAT SENTENCE LOGINS: a CSR fails so, after that many calls of C_Login.
refused() {
    spy_reset
    assert_fails "$1" "$DEVID" csr --key "$WORK/server.key" --subject /CN=x \
        --out -
    assert_contains "$1: it says why" "$2" "$OUTPUT"
    assert_equal "$1: logins" "$3" "$(spy_count C_Login)"
    # shellcheck disable=SC2153  # start_token sets it
    [[ $OUTPUT != *"$TOKEN_PIN"* && $OUTPUT != *wrong-pin* ]] ||
        fail "$1: the PIN stands in \"$OUTPUT\""
}

harness_dir
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_plain_client
start_token faults
start_spy
make_identity server server --device "$TOKEN_URI"
share_token

say "The token is taken away and put back"
with_devid start_nginx --workers 2 --key "$WORK/server.key" \
    --cert "$WORK/server.pem"
# load: requests without end, to both workers.
load() {
    while true; do
        plain_request >/dev/null 2>&1 && echo served || echo refused
    done
}
workers=$(pgrep -P "$NGINX_PID" | sort | xargs)
loads=()
for ((i = 0; i < 3; i++)); do
    load >"$WORK/load.$i" &
    loads+=($!)
    STARTED+=($!)
done
for ((i = 0; i < 6; i++)); do
    plain_request >/dev/null
done
take_token_away
assert_fails "without its token nginx refuses" plain_request
for ((i = 0; i < 8; i++)); do
    assert_fails "and again" plain_request
done
log_says "nginx's log names the token" "token=faults"
put_token_back
for ((i = 0; i < 50; i++)); do
    if plain_request >/dev/null 2>&1; then break; fi
    sleep 0.1
done
say "  it served again after $i tries"
((i < 50)) || fail "nginx does not serve again"
sleep 1.2
for ((i = 0; i < 12; i++)); do
    plain_request >/dev/null || fail "nginx serves only now and then"
done
for ((i = 0; i < 3; i++)); do
    halt "${loads[i]}"
    # Each worker comes back for itself.
    [[ $(uniq "$WORK/load.$i" | xargs) =~ ^served\ refused\ .*served$ ]] ||
        fail "a client under way saw: $(uniq "$WORK/load.$i" | xargs)"
    say "  ok: a client under way saw it go and come back"
done
assert_equal "the workers are the same" "$workers" \
    "$(pgrep -P "$NGINX_PID" | sort | xargs)"
stop_nginx

# worker_that_waits: print the one that the spy holds up in C_Login.
worker_that_waits() {
    awk '$2 == "C_Login:waits" { pid = $1 } END { print pid }' "$SPY_LOG"
}
one_waits() {
    [[ $(worker_that_waits) ]]
}
worker_has_gone() {
    ! kill -0 "$1" 2>/dev/null
}

# killed_in_login WHERE: a worker is killed while it logs in, before or after the
# module has the call; the other, which waits for what it learns, and one that
# takes its place serve.
killed_in_login() {
    local pid
    : >"$WORK/hold"
    spy_reset
    DEVID_SPY_FAULT=C_Login=$1:$WORK/hold with_devid start_nginx --workers 2 \
        --key "$WORK/server.key" --cert "$WORK/server.pem"
    for ((i = 0; i < 4; i++)); do
        plain_request --max-time 5 >/dev/null 2>&1 &
        STARTED+=($!)
    done
    await "a worker in C_Login" "$NGINX_PID" one_waits
    pid=$(worker_that_waits)
    kill -KILL "$pid"
    await "worker $pid to end" "$NGINX_PID" worker_has_gone "$pid"
    rm "$WORK/hold"
    for ((i = 0; i < 12; i++)); do
        plain_request >/dev/null ||
            fail "a worker killed $1 C_Login: nginx does not serve"
    done
    say "  ok: a worker killed $1 C_Login: twelve of twelve are served"
    stop_nginx
}

say "A worker is killed while it logs in"
protect_token
killed_in_login before
killed_in_login after

say "A wrong PIN, four workers"
cp "$TOKEN_PIN_FILE" "$WORK/right.pin"
printf 'wrong-pin\n' >"$TOKEN_PIN_FILE"
spy_reset
with_devid start_nginx --workers 4 --key "$WORK/server.key" \
    --cert "$WORK/server.pem"
for ((i = 0; i < 12; i++)); do
    plain_request >/dev/null 2>&1 && fail "nginx served with a wrong PIN"
done
assert_equal "four workers log in once" 1 "$(spy_count C_Login)"
log_says "it says that the PIN was refused" "refused the PIN"
stop_nginx
refused "a wrong PIN" "refused the PIN (CKR_PIN_INCORRECT)" 1

say "No PIN, an empty PIN file, none that can be read"
: >"$TOKEN_PIN_FILE"
refused "an empty PIN file" "it is empty" 0
rm "$TOKEN_PIN_FILE"
refused "no PIN file" "cannot be read: No such file" 0
cp "$WORK/right.pin" "$TOKEN_PIN_FILE"
"$DEVID" csr --key "$WORK/server.key" --subject /CN=x --out - >/dev/null
say "  ok: the right PIN still signs"

say "What SoftHSM never answers: a PIN that is locked, a token that is full"
DEVID_SPY_FAULT=C_Login=0xa4 refused "a locked PIN" "has locked its PIN" 1
DEVID_SPY_FAULT=C_Login=0x102 refused "no PIN, where there was one" \
    "has no user PIN yet" 6
touch "$WORK/once"
spy_reset
DEVID_SPY_FAULT=C_Login=0x102:$WORK/once "$DEVID" csr --key "$WORK/server.key" \
    --subject /CN=x --out - >/dev/null
assert_equal "no PIN for a moment, as another program logs in: logins" 2 \
    "$(spy_count C_Login)"
DEVID_SPY_FAULT=C_Sign=0x32 refused "a token removed" \
    "the token 'faults' did not sign: the token was removed" 5
DEVID_SPY_FAULT=C_Initialize=0x5 refused "a module that does not start" \
    "does not start: C_Initialize answered 0x5, CKR_GENERAL_ERROR" 0
# full CALL COMMAND...: the token has no room for what that call makes.
full() {
    DEVID_SPY_FAULT=$1=0x31 assert_fails "a token that is full, $1" \
        "$DEVID" "${@:2}"
    assert_contains "$1: it says why" "the token 'faults' did not" "$OUTPUT"
    assert_contains "$1: and what helps" "has no room left" "$OUTPUT"
}
full C_GenerateKeyPair keygen --device "$TOKEN_URI" --out "$WORK/none.key"
full C_CreateObject cert put --key "$WORK/server.key" --cert "$WORK/server.pem"
[[ ! -e $WORK/none.key ]] || fail "a failure left a key file"

say "A module that does not load"
DEVID_SPY_MODULE=/nonexistent refused "a module that gives no functions" \
    "does not load" 0

say "A module that crashes"
DEVID_SPY_FAULT=C_Initialize=crash refused "in C_Initialize" \
    "pkcs11-spy.so crashed (signal 11) in C_Initialize" 0
DEVID_SPY_FAULT=C_Sign=crash refused "in another call" \
    "pkcs11-spy.so crashed (signal 11)" 1
DEVID_SPY_FAULT=C_Initialize=crash assert_fails "devid token" \
    "$DEVID" token list --module "$TOKEN_MODULE"
assert_equal "devid token: it says why" "devid: the PKCS#11 module \
$TOKEN_MODULE crashed (signal 11) in C_Initialize" "$OUTPUT"
"$DEVID" csr --key "$WORK/server.key" --subject /CN=x --out - >/dev/null
say "  ok: the right module still signs"
