#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Programs that were killed in the middle of an operation leave keys, primary
# keys and sessions in a TPM with nothing before it. Whoever finds the slots
# full makes room, takes away nothing of other programs, and burns no try of
# the TPM's dictionary-attack counter.
#
# Usage: orphans.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/serving.sh"

sign() {
    with_devid openssl dgst -sha256 -sign "$WORK/$1.key" \
        -passin "file:$WORK/value" -out "$WORK/$2" "$WORK/data"
}

# signs WHAT KEY: openssl does, and the signature is right.
signs() {
    sign "$2" sig || fail "$1: openssl does not sign"
    assert_equal "$1" "Verified OK" "$(plain_openssl dgst -sha256 -verify \
        "$WORK/$2.pub" -signature "$WORK/sig" "$WORK/data")"
}

# came COMMAND: the TPM has done that since the last trace_reset.
came() {
    (($(trace_count "$1")))
}

# killed KEY COMMAND [RULE...]: a program that signs is killed by KILL while
# COMMAND is under way, which the TPM does all the same unless RULE says else.
killed() {
    trace_reset
    fault "hold $2" "${@:3}"
    spawn killed env OPENSSL_CONF="$WORK/openssl.cnf" openssl dgst -sha256 \
        -sign "$WORK/$1.key" -passin "file:$WORK/value" -out "$WORK/none" \
        "$WORK/data"
    fault_holds "$SPAWNED"
    halt "$SPAWNED" KILL
    fault_clear
    await "the TPM to do $2" "$TRACE_PID" came "$2"
}

# handles KIND: how many handles of that kind are in the TPM.
handles() {
    tpm2_getcap "handles-$1" | grep -c 0x || true
}

# counter: where the TPM's dictionary-attack counter stands.
counter() {
    echo $(($(tpm2_getcap properties-variable |
        awk '$1 == "TPM2_PT_LOCKOUT_COUNTER:" { print $2 }')))
}

# no_session: the TPM holds none, loaded or saved.
no_session() {
    assert_equal "no session was left in the TPM" "0 0" \
        "$(handles loaded-session) $(handles saved-session)"
}

harness_dir
start_tpm --srk
start_trace
printf 'to be signed\n' >"$WORK/data"
printf 'a value\n' >"$WORK/value"
chmod 644 "$WORK/value"
openssl_conf "$WORK/openssl.cnf"
make_ca "$WORK/ca"
make_plain_client
export DEVID_AUTH_SOURCE="file:$WORK/value"
make_identity blob server
make_identity owner server --parent owner
make_identity auth server --persist 0x81000100 \
    --auth-source "file:$WORK/value" --dictionary-attack
make_identity auth-blob server --auth-source "file:$WORK/value" \
    --dictionary-attack
unset DEVID_AUTH_SOURCE
for key in blob owner auth auth-blob; do
    with_devid openssl x509 -in "$WORK/$key.pem" -noout -pubkey \
        >"$WORK/$key.pub"
done

say "Programs that were killed between Load and FlushContext"
for orphan in 1 2; do
    killed blob Sign
    assert_equal "a killed program leaves an object behind" $orphan \
        "$(handles transient)"
done
# As other programs make it: not from our template.
tpm2_createprimary -Q -C o -G ecc -c "$WORK/slot.ctx"
assert_equal "with another client's the slots are full" 3 "$(handles transient)"
signs "the next program with that key finds room" blob
assert_equal "it left the other client's object alone" 1 "$(handles transient)"
tpm2_flushcontext -t

say "Programs that were killed between CreatePrimary and FlushContext"
killed owner Load
assert_equal "the hierarchy's primary and the key stay behind" 2 \
    "$(handles transient)"
signs "the next program finds room" owner
assert_equal "it took no more away than it needed" 1 "$(handles transient)"
tpm2_flushcontext -t
for orphan in 1 2 3; do
    killed owner Load "refuse Load 0x922"
    assert_equal "a primary alone stays behind" $orphan "$(handles transient)"
done
signs "the next program finds room among three" owner
nothing_left
for _ in 1 2 3; do
    killed owner Load "refuse Load 0x922"
done
"$DEVID" keygen --parent owner --out "$WORK/new.key"
say "  ok: the next keygen finds room"
nothing_left

say "Programs that were killed between StartAuthSession and its use"
for key in auth auth-blob; do
    for orphan in 1 2 3; do
        killed $key StartAuthSession
        assert_equal "a killed program leaves a session behind" $orphan \
            "$(handles loaded-session)"
        tpm2_flushcontext -t
    done
    signs "$key: the next program has a session" $key
    assert_equal "$key: it took no more away than it needed" "2 0" \
        "$(handles loaded-session) $(handles saved-session)"
    tpm2_flushcontext -l
done

say "A session that is taken from a program that lives"
trace_reset
fault "hold Sign times=1"
sign auth sig 2>"$WORK/sign.log" &
signing=$!
fault_holds $signing
tpm2_flushcontext -l
fault_clear
wait $signing || fail "it does not sign: $(<"$WORK/sign.log")"
assert_equal "it starts another" "2 Sign:0x918 0" \
    "$(trace_count StartAuthSession) $(trace_list | grep -o 'Sign:[^ ]*') $(counter)"
no_session

say "A session of a program that stood still is taken for an orphan"
trace_reset
fault "hold StartAuthSession times=1"
spawn still env OPENSSL_CONF="$WORK/openssl.cnf" openssl dgst -sha256 \
    -sign "$WORK/auth.key" -passin "file:$WORK/value" -out "$WORK/still" \
    "$WORK/data"
still=$SPAWNED
fault_holds "$still"
kill -STOP "$still"
fault_clear
await "its session" "$TRACE_PID" came StartAuthSession
for _ in 1 2; do
    killed auth StartAuthSession
done
signs "another program has a session" auth
trace_reset
kill -CONT "$still"
wait "$still" || fail "it does not sign: $(<"$WORK/still.log")"
assert_equal "it finds that out and starts another, and no try is burnt" \
    "Sign:0x918 FlushContext:0x1cb ReadPublic ReadPublic StartAuthSession Sign; 0" \
    "$(trace_list); $(counter)"
tpm2_flushcontext -l
no_session

say "Workers that were killed in the middle of a signature, twenty times"
with_devid start_nginx --key "$WORK/auth-blob.key" \
    --cert "$WORK/auth-blob.pem" --workers 2 \
    --server "ssl_password_file $WORK/value;"
served "before"
for ((k = 0; k < 20; k++)); do
    trace_reset
    fault "hold Sign times=1"
    plain_request >/dev/null 2>&1 &
    request=$!
    # Where the slots are full already it takes its time.
    fault_holds "$NGINX_PID"
    pkill -KILL -P "$NGINX_PID"
    fault_clear
    wait $request || true
    await "the TPM to sign" "$NGINX_PID" came Sign
done
say "  $(handles transient) objects and $(handles loaded-session) sessions \
stayed behind"
served "afterwards, with no reload"
assert_equal "no try was burnt" 0 "$(counter)"
no_alerts
stop_nginx QUIT
no_session
