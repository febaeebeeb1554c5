#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# OpenSSL's generators seeded by a TPM: what it costs, TLS, workers, keys whose
# own sessions draw on it, and what happens where the device does not answer.
#
# Usage: random.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# random_conf FILE ORDER [SETTING...]: openssl_conf with a seed from devid.
random_conf() {
    openssl_conf "$@"
    sed -i 's/^\[openssl_init\]/&\nrandom = random/' "$1"
    printf '[random]\nseed = DEVID-SEED\n' >>"$1"
}

# costs WHAT COMMANDS PROGRAM...: the program succeeds and takes just these TPM
# commands.
costs() {
    local what=$1 expected=$2
    shift 2
    trace_reset
    "$@" >"$WORK/out" 2>"$WORK/err" || fail "$what: $(<"$WORK/err")"
    assert_equal "$what" "$expected" "$(trace_list)"
}

harness_dir
start_tpm --srk
make_ca "$WORK/ca"
make_plain_client
make_identity server server
make_identity client client
printf 'a value' >"$WORK/auth"
make_key auth --auth-source "file:$WORK/auth"
start_trace

for order in first last; do
    say "devid $order"
    random_conf "$WORK/openssl.cnf" "$order" "random-source = tpm2:" \
        "auth-source = file:$WORK/auth"
    costs "activating the provider" "" with_devid openssl list -providers
    costs "random numbers" GetRandom with_devid openssl rand -hex 24
    first=$(<"$WORK/out")
    costs "and others" GetRandom with_devid openssl rand -hex 24
    [[ ${#first} == 48 && $first != "$(<"$WORK/out")" ]] ||
        fail "not random: $first"
    costs "many of them" GetRandom with_devid openssl rand -out "$WORK/many" \
        1000000
    costs "a key in software" GetRandom with_devid openssl genpkey -quiet \
        -algorithm EC -pkeyopt group:P-256 -out "$WORK/soft.key"
    # In newer versions of tpm2-tss sessions have a generator of their own.
    trace_reset
    with_devid openssl req -new -key "$WORK/auth.key" -subj /CN=x \
        >"$WORK/out" 2>&1 || fail "a key with a session: $(<"$WORK/out")"
    assert_equal "a key whose own session draws on it" \
        "ReadPublic Load ContextSave StartAuthSession Sign FlushContext" \
        "$(trace_list | sed 's/GetRandom //')"
done

say "TLS with it on both sides"
with_devid start_nginx --key "$WORK/server.key" --cert "$WORK/server.pem" \
    --workers 2
for version in 1.2 1.3; do
    for ((i = 0; i < 4; i++)); do
        got=$(with_devid curl_mtls "$WORK/client.key" "$WORK/client.pem" \
            "--tlsv$version" --tls-max $version) || fail "TLS $version: no answer"
        assert_contains "TLS $version" "TLSv$version " "$got"
    done
done
stop_nginx
with_devid start_nginx --key "$WORK/server.key" --cert "$WORK/server.pem"
plain_request >/dev/null || fail "no answer"
trace_reset
plain_request >/dev/null || fail "no answer"
assert_equal "a worker that has its seed asks for none" \
    "ContextLoad Sign FlushContext" "$(trace_list)"
stop_nginx
assert_equal "nothing is left in the TPM" "" "$(left_in_device)"

say "Where the TPM fails there are no random numbers"
fault "refuse GetRandom 0x101"
assert_fails "its own failure" with_devid openssl rand -hex 24
assert_contains "is a sentence" "the TPM did not give random numbers" "$OUTPUT"
fault "refuse GetRandom 0x922 times=2"
costs "what passes is asked again" "GetRandom:0x922 GetRandom:0x922 GetRandom" \
    with_devid openssl rand -hex 24
fault_clear
stop_trace
assert_fails "no TPM" env DEVID_TCTI=swtpm:host=127.0.0.1,port=1 \
    OPENSSL_CONF="$WORK/openssl.cnf" openssl rand -hex 24
assert_contains "is a sentence" "no TPM answers at" "$OUTPUT"

say "It is off unless both places say so"
random_conf "$WORK/openssl.cnf" last
assert_fails "a seed without a device" with_devid openssl rand -hex 24
assert_contains "is a sentence" "set random-source to tpm2:" "$OUTPUT"
openssl_conf "$WORK/openssl.cnf" last "random-source = tpm2:"
start_trace
costs "a device without a seed" "" with_devid openssl rand -hex 24
stop_trace

say "A token that draws on OpenSSL itself is no source, and hangs nobody"
start_token
start_spy
random_conf "$WORK/openssl.cnf" last "random-source = $TOKEN_URI"
assert_fails "SoftHSM" with_devid timeout 60 openssl rand -hex 24
assert_contains "is a sentence" ":devid:ask_device:" "$OUTPUT"
