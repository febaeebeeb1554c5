# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What these tests share: a station with a batch, devices, and a client.

# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../swtpm-ci/lib.sh"
harness_options "$@"
STATION=$BUILD_DIR/tools/devid-station
DEVID=$BUILD_DIR/tools/devid
BATCH_TOKEN=token-of-the-spring

# use_ledger sqlite|postgres: what the next station has; the latter is the
# database line of a PostgreSQL that is started.
use_ledger() {
    LEDGER=$1
    LEDGER_OPTIONS=()
    if [[ $LEDGER == postgres ]]; then
        start_postgres
        postgres_sql postgres "CREATE DATABASE line"
        LEDGER_OPTIONS=(--ledger "${POSTGRES_URL/postgres\?/line?}")
    fi
}
LEDGER_OPTIONS=()

# init_station [OPTION...]: in $WORK/line, listening on a free port. Sets
# STATION_PORT.
init_station() {
    STATION_PORT=$(free_port)
    "$STATION" init --dir "$WORK/line" --name line-1 --host localhost \
        --host 127.0.0.1 --port "$STATION_PORT" "${LEDGER_OPTIONS[@]}" "$@" \
        >"$WORK/init.out"
    # Where listens looks for it.
    setting server address 127.0.0.1
}

# make_station [OPTION...]: init_station, and the batch spring: ten units of the
# model Gate.
make_station() {
    init_station "$@"
    open_batch spring Gate "$BATCH_TOKEN" 10
}

# ledger [SQL]: run it, or what is on standard input, behind the station's back,
# and print what the ledger says.
ledger() {
    if (($#)); then
        ledger <<<"$1"
    elif [[ ${LEDGER:-sqlite} == postgres ]]; then
        postgres_sql line
    else
        sqlite3 -batch -cmd '.timeout 10000' "$WORK/line/ledger.db"
    fi
}

# trust_vendor DIR: the station trusts the vendor of the TPM with that state.
trust_vendor() {
    cp "$1-ca/cert.pem" "$WORK/line/vendors/$(basename "$1").pem"
    cp "$1-ca/swtpm-localca-rootca-cert.pem" \
        "$WORK/line/vendors/$(basename "$1")-root.pem"
}

# open_batch NAME PRODUCT TOKEN QUOTA; close_batch NAME
open_batch() {
    printf '%s\n' "$3" >"$WORK/$1.batch-token"
    "$STATION" batch open --dir "$WORK/line" --name "$1" --product "$2" \
        --count "$4" --token-source "file:$WORK/$1.batch-token"
    rm "$WORK/$1.batch-token"
}
close_batch() {
    "$STATION" batch close --dir "$WORK/line" --name "$1"
}

# setting SECTION NAME VALUE: into station.conf, in place of what is there.
setting() {
    sed -i -e "/^\[$1\]/,/^\[/{/^$2 = /d}" -e "s|^\[$1\]|&\n$2 = $3|" \
        "$WORK/line/station.conf"
}

# start_station [COMMAND...]: serve, behind COMMAND. Sets STATION_PID.
start_station() {
    spawn station "$@" "$STATION" serve --dir "$WORK/line"
    STATION_PID=$SPAWNED
    await_port "$STATION_PID" "$STATION_PORT" ||
        fail "the station does not start: $(<"$WORK/station.log")"
}

# stop_station [SIGNAL]
stop_station() {
    halt "$STATION_PID" "${1:-TERM}"
}

# ask METHOD PATH [CURL ARGUMENT...]: sets STATUS and OUTPUT.
ask() {
    local method=$1 path=$2
    shift 2
    STATUS=$(curl --silent --show-error --max-time 60 --noproxy '*' \
        --cacert "$WORK/line/ca.pem" --request "$method" \
        --output "$WORK/answer" --write-out '%{http_code}' "$@" \
        "https://localhost:$STATION_PORT$path") || STATUS="curl $?"
    OUTPUT=$(cat "$WORK/answer" 2>/dev/null || true)
}

# post PATH BODY [CURL ARGUMENT...]: with the batch's token.
post() {
    local path=$1 body=$2
    shift 2
    printf '%s' "$body" >"$WORK/body"
    ask POST "$path" --header "Authorization: Bearer $BATCH_TOKEN" \
        --header 'Content-Type: application/json' --data-binary "@$WORK/body" \
        "$@"
}

# json FILTER: what jq makes of the last OUTPUT.
json() {
    jq -r "$@" <<<"$OUTPUT"
}

# base64_of FILE: on one line.
base64_of() {
    base64 -w 0 "$1"
}

# request_body FILE SERIAL [JQ FILTER]: the body of a request, as changed.
request_body() {
    jq -n --arg serial "$2" --rawfile request <(base64_of "$1") \
        '{serial: $serial, model: "Gate", request: $request}'"${3:+ | $3}"
}

# enrol NAME SERIAL: the TPM that is current asks, by the tool; sets UNIT.
# $WORK/NAME.req and NAME.challenge are what went over the line.
enrol() {
    "$DEVID" request --serial "$2" --model Gate --out "$WORK/$1.req" --force
    post /v1/units "$(request_body "$WORK/$1.req" "$2")"
    UNIT=$(json '.unit // empty')
    json '.challenge // empty' | base64 -d >"$WORK/$1.challenge"
}

# enrol_plain SERIAL [MODEL]: a device without a TPM asks, where the station's
# policy allows it. Sets UNIT.
enrol_plain() {
    plain_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout device.key -subj "/CN=x" -outform DER -out device.csr 2>req.log
    post /v1/units "$(jq -n --arg serial "$1" --arg model "${2:-Gate}" \
        --rawfile csr <(base64_of device.csr) \
        '{serial: $serial, model: $model, pkcs10: $csr}')"
    UNIT=$(json '.unit // empty')
}

# activate NAME: it answers.
activate() {
    "$DEVID" activate --challenge "$WORK/$1.challenge" \
        --out "$WORK/$1.answer" --force
    post "/v1/units/$UNIT/activate" \
        "{\"answer\": \"$(base64_of "$WORK/$1.answer")\"}"
}

# take_certs NAME: the certificates of the last OUTPUT, $WORK/NAME.idevid.pem
# and NAME.iak.pem.
take_certs() {
    local kind
    for kind in idevid iak; do
        json ".$kind // empty" | base64 -d >"$WORK/$1.$kind.der"
        [[ ! -s $WORK/$1.$kind.der ]] ||
            plain_openssl x509 -inform DER -in "$WORK/$1.$kind.der" \
                -out "$WORK/$1.$kind.pem"
    done
}

# assert_refused WHAT STATUS CODE SENTENCE: by the last answer.
assert_refused() {
    assert_equal "$1: its status" "$2" "$STATUS" >/dev/null
    assert_equal "$1: its code" "$3" "$(json .error.code)" >/dev/null
    assert_contains "$1" "$4" "$(json .error.message)"
}
