#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A renewal under fire, of an identity that nginx serves with: whatever happens
# nginx serves on, and one more run ends with a fresh certificate, and nothing
# left behind.
#
# Usage: fire.sh commands|network|token|rest [--report FILE]
#                [--build-dir DIR] [--keep]
#
#   commands  killed at each of its TPM commands
#   network   killed at each of its records on the network
#   token     killed before and after what it does to a token
#   rest      a TPM that is reset, a server that is killed, a disk that is full
source "$(dirname "$0")/common.sh"
report_option "${ARGS[@]}"
PART=${ARGS[0]:?commands, network, token or rest}
harness_dir
cd "$WORK" || exit
if [[ $PART == token ]]; then
    make_device token
else
    make_device tpm
fi
make_est
start_est
openssl_conf openssl.cnf
plain_openssl req -newkey rsa:2048 -nodes -keyout client.key -subj /CN=client \
    -out client.csr 2>/dev/null
sign_csr client.csr client.pem

# serves WHAT: nginx does, with the old identity or the new one.
serves() {
    local answer
    answer=$(OPENSSL_CONF=/dev/null curl_mtls client.key client.pem 2>&1) ||
        fail "$1: nginx does not serve: $answer"
}

# as_before: an identity that is due, by which nginx serves. Sets OLD. A TPM's
# is put back; a token's cannot be under nginx, and is made anew.
as_before() {
    if [[ $KIND == tpm ]]; then
        rm -rf root
        cp -a kept root
        kill -HUP "$NGINX_PID"
    else
        mode begun=3000
        enroll --force "${WISHES[@]}" >out 2>&1 || fail "$(<out)"
        mode ""
        share_token
    fi
    OLD=$(serial)
}

# check WHAT: one more run, and all is well.
check() {
    local left
    serves "$1"
    renew >out 2>&1 || fail "$1: run again: $(<out)"
    [[ $(serial) != "$OLD" ]] || fail "$1: the certificate is the old one"
    left=$(renew 2>&1)
    [[ ! $left ]] || fail "$1: there was more to do: $left"
    [[ $(cd root && echo *) == "unit $(readlink root/unit) unit.conf\
 unit.lock unit.state" ]] || fail "$1: left in the directory: $(ls root)"
    assert_equal "$1: nothing is pending" "false null null null" "$(jq -r \
        '[.hook_pending, .pending_key, .pending_label, .last_error]
            | map(tostring) | join(" ")' root/unit.state)"
    assert_keys "$1" 2
    serves "$1, and run again"
    SURVIVED=$((${SURVIVED:-0} + 1))
}

# begin [COMMAND...]: the renewal in the background, its process the tool's.
begin() {
    EXEC="exec" renew "$@" >out 2>&1 &
    RENEW=$!
}

# The next run deletes a token's old key: no worker may be left that signs with
# it, and nginx only begins to let them go when it is told.
cat >nginx.sh <<END
chmod -R a+rX $WORK/root ${TOKEN_DIR:-}
[[ -e $WORK/nginx/pid ]] || exit 0
source $HARNESS/lib.sh
reload_workers "\$(<$WORK/nginx/pid)"
END
WISHES=(--san DNS:localhost --after "bash $WORK/nginx.sh")
mode begun=3000
enroll "${WISHES[@]}" >out || fail "$(<out)"
mode ""
cp -a root kept
OPENSSL_CONF=$WORK/openssl.cnf start_nginx --key "$WORK/root/unit/key.pem" \
    --cert "$WORK/root/unit/chain.pem"
echo "$NGINX_PID" >nginx/pid

say "Not killed"
as_before
cost_reset
renew >out || fail "$(<out)"
COMMANDS=0
[[ $KIND == token ]] || COMMANDS=$(trace_count)
serves "not killed"
[[ $(serial) != "$OLD" ]] || fail "it was not renewed"

if [[ $PART == commands ]]; then
    ((COMMANDS >= 17)) || fail "it took but $COMMANDS commands"
    for ((n = 0; n < COMMANDS; n++)); do
        as_before
        serves "before command $((n + 1))"
        trace_reset
        fault "hold * after=$n times=1"
        begin
        kill_when "$RENEW" test -e "$TRACE_FAULTS.held" ||
            fail "it ended before command $((n + 1)): $(<out)"
        fault_clear
        ((n % 2)) || restart_tpm KILL
        KILLED=1 check "killed at command $((n + 1))"
    done
fi

if [[ $PART == network ]]; then
    for ((n = 1; n < 100; n++)); do
        as_before
        rm -f port held
        spawn relay "$BUILD_DIR/tests/identity/relay" port "$(<est/port)" "$n" \
            held
        RELAY=$SPAWNED
        await "the relay" "$RELAY" test -s port
        sed -i "s|localhost:[0-9]*|localhost:$(<port)|" root/unit.conf
        begin
        kill_when "$RENEW" test -e held || break
        halt "$RELAY"
        sed -i "s|localhost:[0-9]*|localhost:$(<est/port)|" root/unit.conf
        check "killed at record $n"
    done
    ((n > 8)) || fail "there were but $n records"
fi

if [[ $PART == token ]]; then
    for when in before after; do
        for call in GenerateKeyPair Sign DestroyObject; do
            as_before
            touch hold
            spy_reset
            DEVID_SPY_FAULT="C_$call=$when:$WORK/hold" begin
            kill_when "$RENEW" grep -q "C_$call:waits" "$SPY_LOG" ||
                fail "it ended before C_$call: $(<out)"
            rm hold
            check "killed $when C_$call"
        done
    done
fi

if [[ $PART == rest ]]; then
    say "A TPM that is reset while it works"
    as_before
    trace_reset
    fault "hold * after=12 times=1"
    begin
    fault_holds "$RENEW"
    restart_tpm KILL
    fault_clear
    wait "$RENEW" || say "  it failed: $(grep devid: out)"
    check "reset"

    say "A server that is killed while it works"
    as_before
    touch est/hold
    rm -f est/held
    mode hold=simplereenroll
    begin --timeout 1
    await "the request" "$RENEW" test -e est/held
    stop_est KILL
    wait "$RENEW" && fail "it was renewed by nobody"
    mode ""
    rm est/hold
    serves "a server that was killed"
    start_est
    check "a server that was killed"

    say "An answer that is lost, when the CA has issued"
    as_before
    mode drop=simplereenroll
    renew --timeout 1 >out 2>&1 && fail "it was renewed by nobody"
    mode ""
    check "an answer that was lost"

    say "A disk that is full"
    for size in 0 512 1024 2048 4096; do
        as_before
        (
            trap '' XFSZ
            exec prlimit --fsize="$size:" "$DEVID" renew --root "$WORK/root"
        ) 2>&1 >/dev/null | cat >err && continue
        grep -q "devid: .*File too large" err ||
            fail "$size bytes: $(<err)"
        NOTICED=1
        check "with $size bytes a file"
    done
    [[ ${NOTICED:-} ]] || fail "a full disk was not noticed"

    say "A clock that was wrong"
    as_before
    jq '.retry_at = "2099-01-01T00:00:00Z" | .next_renewal =
        "2099-01-01T00:00:00Z" | .last_attempt = "2099-01-01T00:00:00Z"' \
        root/unit.state >s
    cp s root/unit.state
    check "a state from the future"
    as_before
    echo "{" >root/unit.state
    renew >out 2>&1
    assert_contains "a state that is no state" "it is begun anew" "$(<out)"
    as_before
    rm root/unit.state
    check "no state"
fi
report "Who is killed, at whatever he does, is run again and all is well" \
    "renew.fire-$PART" "kills survived: $SURVIVED${NOTICED:+, full disks among them}"
