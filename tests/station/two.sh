#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Two stations on one ledger, in PostgreSQL: what one has begun the other ends.
#
# Usage: two.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
start_postgres
start_tpm --ek

# make NAME [OPTION...]: a station, in the folder of its name.
make() {
    port[$1]=$(free_port)
    "$STATION" init --dir "$1" --name "$1" --host localhost \
        --port "${port[$1]}" --ledger "$POSTGRES_URL" "${@:2}" >init.out
    sed -i 's/^\[server\]/&\naddress = 127.0.0.1/' "$1/station.conf"
    cp tpm-ca/cert.pem tpm-ca/swtpm-localca-rootca-cert.pem "$1/vendors"
}

# serve NAME: it runs; ask and post speak to it from now on.
serve() {
    spawn "$1" "$STATION" serve --dir "$1"
    await_port "$SPAWNED" "${port[$1]}" || fail "$1: $(<"$1.log")"
    speak_to "$1"
}
speak_to() {
    STATION_PORT=${port[$1]}
    ln -sfn "$1" line
}

declare -A port
make east
make west --ca-key east/ca.key --ca-cert east/ca.pem
cp east/ca.pem west # for curl
export BATCH_TOKEN=token-of-spring-2026
"$STATION" batch open --dir east --name spring --product Gate --count 10 \
    --token-source env:BATCH_TOKEN >batch.out
serve east
serve west

say "A device"
speak_to east
enrol gate SN-1
assert_equal "asks in the east" "201 certified" "$STATUS $(json .state)"
speak_to west
activate gate
assert_equal "answers in the west, and has its certificates" "200 issued" \
    "$STATUS $(json .state)"
take_certs gate
assert_equal "which openssl verifies" "gate.idevid.pem: OK" \
    "$(plain_openssl verify -x509_strict -CAfile east/ca.pem gate.idevid.pem)"
first=$(sha256sum gate.*.der)
speak_to east
activate gate
take_certs gate
assert_equal "answers in the east too: they are the same" "$first" \
    "$(sha256sum gate.*.der)"
enrol gate SN-1
assert_equal "and asks again: it is the same unit" "200 issued" \
    "$STATUS $(json .state)"

say "What each has done is in its own chain"
printf '\n[stations]\nwest = %s\n' "$WORK/west/chain.pub" >>east/station.conf
assert_contains "and both are whole" "of 2 stations" \
    "$("$STATION" verify-log --dir east)"
