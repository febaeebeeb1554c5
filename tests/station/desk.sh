#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The commands that work on the ledger, beside a server that serves devices:
# batches, a unit's history, reports, manifests, revocation, the audit log.
#
# Usage: desk.sh [--build-dir DIR] [--keep] [postgres]
source "$(dirname "$0")/common.sh"
harness_dir
need jq curl
cd "$WORK"
use_ledger "${ARGS[0]:-sqlite}"
init_station
setting policy allow_pkcs10 yes

# desk ARGUMENT...: a command on the station in line; sets OUTPUT.
desk() {
    OUTPUT=$("$STATION" "$@" --dir line 2>errors) ||
        fail "devid-station $*: $(<errors)"
}

# refuses WHAT SENTENCE ARGUMENT...: it ends with 1 and one sentence.
refuses() {
    local what=$1 sentence=$2 status=0
    shift 2
    "$STATION" "$@" --dir line >output 2>errors || status=$?
    assert_equal "$what: its exit code" 1 "$status" >/dev/null
    assert_contains "$what" "$sentence" "$(<errors)"
}

say "Batches"
desk batch open --name spring --product Gate --count 3 --token-out spring.token
assert_equal "a new token is its owner's alone, and nobody sees it" "600 " \
    "$(stat -c %a spring.token) $OUTPUT"
BATCH_TOKEN=$(<spring.token)
assert_equal "and nobody guesses it" 64 "${#BATCH_TOKEN}"
! grep -rqF "$BATCH_TOKEN" line || fail "the token itself stands in the folder"
desk batch open --name gift --product '<b>&"x"' --count 5 \
    --token-source file:<(echo a-token-of-the-line)
desk batch list --json
assert_equal "they are listed" "spring 0 3 open, gift 0 5 open" \
    "$(json 'map("\(.name) \(.used) \(.count) \(.state)") | join(", ")')"
refuses "a token is not overwritten" "spring.token exists" batch open \
    --name more --product Gate --count 3 --token-out spring.token
refuses "a name is taken once" "there is a batch spring already, of 3 units" \
    batch open --name spring --product Gate --count 4 --token-out other.token
[[ ! -e other.token ]] || fail "a token without a batch was left behind"
refuses "a token is long enough" "at least 16 are needed" batch open \
    --name short --product Gate --count 4 --token-source file:<(echo short)

say "Units, while the server runs"
start_station
for serial in SN-1 SN-2 SN-3; do
    enrol_plain "$serial" Gate
    assert_equal "$serial is enrolled" 201 "$STATUS"
done
enrol_plain SN-4 Gate
assert_equal "the batch's fourth of three is not" 429 "$STATUS"
BATCH_TOKEN=a-token-of-the-line
enrol_plain '=1+1' '<b>&"x"'
assert_equal "a unit with names that are formula and markup is" 201 "$STATUS"
desk show SN-1
assert_contains "a unit's history has its enrolment" "enrol" "$OUTPUT"
assert_contains "and its certificates" "issue" "$OUTPUT"
desk show SN-4
assert_contains "one that was refused says so" "No unit SN-4 is enrolled." \
    "$OUTPUT"
assert_contains "and why" "the batch spring is used up" "$OUTPUT"
desk show SN-1 --json
assert_equal "as JSON, too" "SN-1 Gate issued false spring line-1" \
    "$(json '"\(.serial) \(.model) \(.state) \(.attested) \(.batch) \(.station)"')"
refuses "a unit that nobody knows" "there is no unit SN-9 in the ledger" \
    show SN-9

say "Reports"
desk report
assert_equal "a row for each unit, and a head" 5 "$(wc -l <<<"$OUTPUT")"
assert_contains "what a spreadsheet would run is text, quotes are doubled" \
    "\"'=1+1\",\"<b>&\"\"x\"\"\"" "$OUTPUT"
desk report --format html --batch gift
assert_contains "what a browser would run is text" \
    "<td>=1+1</td><td>&lt;b&gt;&amp;&quot;x&quot;</td>" "$OUTPUT"
desk report --format json --batch spring --state issued --model Gate \
    --since "$(date -u +%F)"
assert_equal "by batch, state, model and day" 'SN-1 SN-2 SN-3' \
    "$(json 'map(.serial) | join(" ")')"
desk report --format json --since 2100-01-01
assert_equal "none is none" 0 "$(json length)"

say "Manifest"
desk manifest --out units.jsonl
plain_openssl cms -verify -binary -inform DER -in units.jsonl.p7s \
    -content units.jsonl -CAfile line/ca.pem -out /dev/null 2>verify.log ||
    fail "openssl does not verify the manifest: $(<verify.log)"
say "  ok: openssl verifies it by the CA's certificate alone"
assert_equal "a line for each unit" 4 "$(wc -l <units.jsonl)"
jq -r 'select(.serial == "SN-1").idevid.pem' units.jsonl >SN-1.pem
assert_equal "with its certificate and fingerprint" \
    "$(jq -r 'select(.serial == "SN-1").idevid.sha256' units.jsonl)" \
    "$(plain_openssl x509 -in SN-1.pem -outform DER | sha256sum | cut -d ' ' -f 1)"
plain_openssl verify -CAfile line/ca.pem SN-1.pem >/dev/null ||
    fail "the certificate in the manifest is not by the CA"
sed -i s/SN-1/SN-7/ units.jsonl
assert_fails "one that was changed does not verify" \
    openssl cms -verify -binary -inform DER -in units.jsonl.p7s \
    -content units.jsonl -CAfile line/ca.pem -out /dev/null

say "Revocation"
desk revoke SN-1 --reason compromise
desk show SN-1 --json
assert_equal "the unit is retired, and the log says by whom" \
    "retired compromise $(id -un) here" \
    "$(json '"\(.state) \(.history[-1].detail) \(.history[-1].peer)"')"
desk manifest --out units.jsonl --force
assert_equal "and no manifest has it" 3 "$(wc -l <units.jsonl)"
refuses "one that nobody knows" "there is no unit SN-9" \
    revoke SN-9 --reason compromise
desk batch close --name gift
enrol_plain SN-5 Gate
assert_equal "a closed batch's token opens nothing" 401 "$STATUS"

say "The audit log"
desk verify-log
assert_contains "it is whole while the server runs" \
    "The audit log is whole:" "$OUTPUT"
stop_station
desk verify-log --json
assert_equal "and signed to its end" "0 1" "$(json '"\(.unsealed) \(.heads | length)"')"
assert_equal "it tells its head, for who keeps it elsewhere" \
    "line-1 $(json .entries)" "$(json '.heads[0] | "\(.station) \(.entry)"')"
ledger "UPDATE unit SET state = 'issued' WHERE serial = 'SN-1'"
refuses "a unit's row that was changed is found" \
    "the ledger was changed behind its log: the row of unit SN-1 is not what" \
    verify-log
ledger "UPDATE unit SET state = 'retired' WHERE serial = 'SN-1'"
desk verify-log
ledger "UPDATE audit SET detail = 'superseded' WHERE detail = 'compromise'"
refuses "and so is an entry" "(retire of unit SN-1) is not as it was written" \
    verify-log
