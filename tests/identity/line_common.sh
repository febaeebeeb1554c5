# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of devid provision share: a station that keeps authorisations,
# a device on its line.

# shellcheck source=../station/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../station/common.sh"

# make_line: a station with an escrow certificate, a TPM whose vendor it
# trusts, a trace in front of that. The station runs; $WORK is where we are. With
# LEDGER=postgres its ledger is in the database line of a PostgreSQL.
make_line() {
    harness_dir
    cd "$WORK" || exit
    openssl req -x509 -newkey rsa:2048 -nodes -keyout escrow.key \
        -out escrow.pem -subj /CN=escrow -days 30 2>/dev/null
    use_ledger "${LEDGER:-sqlite}"
    make_station --escrow-cert escrow.pem
    echo "$BATCH_TOKEN" >token
    start_tpm --ek "$@"
    trust_vendor "$WORK/tpm"
    start_station
    start_trace --raw-log "$WORK/raw"
}

# provision [OPTION...]: the unit SN1 at the port $PORT, or the station's own.
# With EXEC=exec in the background its process is the tool's.
provision() {
    ${EXEC:-} "$DEVID" provision --station "https://localhost:${PORT:-$STATION_PORT}" \
        --ca line/ca.pem --serial "${SERIAL:-SN1}" --model Gate \
        --token-source file:token --dir "$WORK/id" "$@"
}

# fails CODE WHAT SENTENCE [OPTION...]: provision ends so. Sets OUTPUT.
fails() {
    local code=$1 what=$2 sentence=$3 status=0
    shift 3
    OUTPUT=$(provision "$@" 2>&1) || status=$?
    [[ $status == "$code" ]] ||
        fail "$what: ended with $status, not $code: $OUTPUT"
    assert_contains "$what" "$sentence" "$OUTPUT"
}

# ledger_cert: the one unit's IDevID certificate there, as hex_of prints it.
ledger_cert() {
    if [[ ${LEDGER:-} == postgres ]]; then
        ledger "select upper(encode(idevid_cert, 'hex')) from unit"
    else
        ledger 'select hex(idevid_cert) from unit'
    fi
}

# has_record: the station has it, and a moment to do what it asks.
has_record() {
    [[ -e held ]] && sleep 0.15
}

# killed_at_record N [OPTION...]: when the station has it. False: there is none.
killed_at_record() {
    local record=$1 relay status=0
    shift
    rm -f port held
    spawn relay "$BUILD_DIR/tests/identity/relay" port "$STATION_PORT" \
        "$record" held
    relay=$SPAWNED
    await "the relay" "$relay" test -s port
    EXEC="exec" PORT=$(<port) provision "$@" >out 2>&1 &
    kill_when $! has_record || status=1
    halt "$relay"
    return "$status"
}

# commands: those since the reset, in one line. swtpm puts off the first signature
# after its start by TPM_RC_RETRY; that answer is left out.
commands() {
    trace_list | sed -E 's/[A-Za-z]+:0x922 //'
}

# in_nv INDEX: the certificate there, in PEM.
in_nv() {
    tpm2_nvread "$1" 2>/dev/null | openssl x509 -inform DER
}

# assert_nothing_left [WHEN]: no loaded object, no session, no seed.
assert_nothing_left() {
    [[ ! $(tpm2_getcap handles-transient)$(tpm2_getcap \
        handles-loaded-session) ]] ||
        fail "${1:-afterwards} something is loaded in the TPM"
    [[ $(tpm2_getcap handles-nv-index) != *0x1800D1D* ]] ||
        fail "${1:-afterwards} the seed of authorisations is left"
}

# assert_whole WHEN: one unit, one pair of certificates, the same everywhere.
assert_whole() {
    local when=$1
    [[ $(ledger 'select count(*) from unit') == 1 ]] ||
        fail "$when: units: $(ledger 'select id, serial from unit')"
    [[ $(ledger 'select count(*) from certificate') == 2 ]] ||
        fail "$when: certificates: $(ledger 'select number from certificate')"
    [[ $(ledger_cert) == \
    "$(openssl x509 -in id/cert.pem -outform DER | hex_of -)" ]] ||
        fail "$when: the folder's certificate is not the station's"
    [[ $(in_nv 0x01c90200) == "$(<id/cert.pem)" ]] ||
        fail "$when: the certificate in NV is not the folder's"
    [[ $(in_nv 0x01c90100) == "$(<id/iak.pem)" ]] ||
        fail "$when: the IAK's certificate in NV is not the folder's"
    [[ $(echo id*) == "id $(readlink id)" ]] ||
        fail "$when: left beside the folder: $(echo id*)"
    assert_nothing_left "$when"
}

# hex_of FILE: its bytes, as the ledger prints them.
hex_of() {
    od -An -v -tx1 "$1" | tr -d ' \n' | tr a-f A-F
}
