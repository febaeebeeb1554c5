#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What devid doctor prints, and how it ends. Needs no TPM.
#
# Usage: output.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
unset DEVID_TCTI TPM2TOOLS_TCTI NO_COLOR

# dump FILTER: what is judged, of which FILTER makes something.
dump() {
    jq -n --argjson now "$(date -d 2026-12-01 +%s)" \
        "{format: 1, now: \$now} | $1" >"$WORK/dump.json"
}

# people ARGUMENT...: the output for people on it. Sets OUTPUT and STATUS.
people() {
    STATUS=0
    OUTPUT=$("$DEVID" doctor --from "$WORK/dump.json" "$@" 2>&1) || STATUS=$?
}

service() {
    printf '.service.units = [{name: "gate.service", openssl_conf: "/x",
        private_devices: %s}] | %s' "$1" "${2:-.}"
}

say "Nothing wrong"
packages=$(jq -r '[.advisories[].rules[].package // empty] | reduce .[] as $p
    ([]; if index($p) then . else . + [$p] end) | join(", ")' \
    "$TOP/tools/doctor/advisories.json")
dump "$(service false)"
people
assert_equal "a line a finding, and one that counts" \
    "note  there is no identity in /var/lib/devid: programs have no key of\
 devid's there; one elsewhere is named by --identity -> devid keygen --out\
 /var/lib/devid/unit/key.pem
ok    gate.service may reach the TPM
ok    none of $(jq '.advisories | length' \
        "$TOP/tools/doctor/advisories.json") known vulnerabilities applies\
 to what was compared with them\
 (data of $(jq -r .date "$TOP/tools/doctor/advisories.json"))
note  not compared with known vulnerabilities: the TPM, $packages: nothing here\
 says which versions they are of
0 bad, 0 to be looked at, 2 notes, 2 ok" \
    "$OUTPUT"
assert_equal "ends with 0" 0 "$STATUS"

say "Something to be looked at"
dump '.p11kit.configs = [{file: {path: "/a", mode: "0644"},
    module: {path: "/b", exists: false}}]'
people
assert_contains "has its mark" $'\nwarn  /a names /b, which is not there' \
    $'\n'"$OUTPUT"
assert_equal "ends with 1" 1 "$STATUS"
people --accept p11kit.module
assert_contains "accepted it is a note" "note  /a names /b" "$OUTPUT"
assert_contains "that says so" "(accepted)" "$OUTPUT"
assert_equal "and ends with 0" 0 "$STATUS"
people --accept p11kit
assert_equal "under its own name alone" 1 "$STATUS"

say "Something bad"
dump "$(service true)"
people
assert_contains "has its mark" "bad   gate.service has PrivateDevices=yes" \
    "$OUTPUT"
assert_contains "and is counted" "1 bad, 0 to be looked at" "$OUTPUT"
assert_equal "ends with 1" 1 "$STATUS"
doctor --from "$WORK/dump.json"
assert_equal "as JSON" "1 0 bad service.devices" "$(jq -r '"\(.bad)" + " " +
    "\(.warnings) \(.findings[] | select(.level == "bad") |
    .level + " " + .id)"' <<<"$OUTPUT")"

say "Colour"
people
[[ $OUTPUT != *$'\033'* ]] || fail "there is colour where no terminal is"
need script
colour=$(TERM=xterm script -qec \
    "'$DEVID' doctor --from '$WORK/dump.json'" /dev/null || true)
assert_contains "is on a terminal" $'\033[31;1mbad ' "$colour"
colour=$(NO_COLOR=1 TERM=xterm script -qec \
    "'$DEVID' doctor --from '$WORK/dump.json'" /dev/null || true)
[[ $colour != *$'\033'* ]] || fail "there is colour in spite of NO_COLOR"

say "What steers a terminal"
dump '.service.units = [{name: "a\u001b[2Jb", openssl_conf: "/x"}]'
people
assert_contains "is spelt out" 'a\x1b[2Jb may reach' "$OUTPUT"

say "Dumps"
a_root
STATUS=0
doctor_of_root --dump "$WORK/own.json"
first=$OUTPUT
doctor --from "$WORK/own.json"
assert_equal "are judged as what was looked at" "$first" "$OUTPUT"
STATUS=0
"$DEVID" doctor --root "$ROOT" --dump "$WORK/own.json" >/dev/null \
    2>"$WORK/errors" || STATUS=$?
assert_equal "are not overwritten" 1 "$STATUS"
assert_contains "unless asked" own.json "$(<"$WORK/errors")"
doctor_of_root --dump "$WORK/own.json" --force
# refuses WHAT SENTENCE CODE ARGUMENT...: it ends with CODE and says so.
refuses() {
    local status=0 text
    text=$("$DEVID" doctor "${@:4}" 2>&1 >/dev/null) || status=$?
    assert_equal "$1" "$3" "$status"
    assert_contains "  and says so" "$2" "$text"
}
printf '{"format": 2}' >"$WORK/new.json"
printf 'no json' >"$WORK/garbled.json"
refuses "of another format" "is not 1" 1 --from "$WORK/new.json"
refuses "that are garbled" "is no dump" 1 --from "$WORK/garbled.json"
refuses "that are not there" "nowhere" 1 --from "$WORK/nowhere"
refuses "of a dump" "--dump" 2 --from "$WORK/own.json" --dump "$WORK/a"
for part in access tpm ek token identity service openssl p11kit package; do
    for wrong in '"text"' '[1]' '{"list": 1, "units": {}, "files": [3],
        "configs": {"a": 1}, "properties": 7, "keys": "k", "devices": [[]]}'
    do
        dump ".$part = $wrong"
        doctor --from "$WORK/dump.json"
    done
done
say "  ok: of another shape are read as far as they go"

say "The data of vulnerabilities"
dump .
refuses "that are garbled" "is no data" 1 --advisories "$WORK/garbled.json"
refuses "of another format" "is not 1" 1 --advisories "$WORK/new.json"
printf '{"format": 1, "date": "2020-01-01", "advisories": []}' \
    >"$WORK/old.json"
people --advisories "$WORK/old.json"
assert_contains "that are old" "are of 2020-01-01" "$OUTPUT"
dump '.now = 1000000000'
people
assert_contains "that are of a day to come: the clock" \
    "bad   this machine's clock" "$OUTPUT"

say "The manual"
ids=$(grep -ohzE 'is_(ok|note|warning|bad)\(\s*doctor,\s*"[a-z0-9_.]+"' \
    "$TOP"/tools/doctor/*.c | tr -d '\0' | grep -oE '"[a-z0-9_.]+"' |
    tr -d '"' | sort -u)
[[ $(wc -w <<<"$ids") -gt 50 ]] || fail "the checks were not found"
assert_equal "has the id of each finding, and no others" "$ids" \
    "$(sed -n '/^\.Sh FINDINGS/,/^\.Sh KNOWN/s/^\.It Li //p' \
        "$TOP/man/devid-doctor.1" | sed 's/ , /\n/g' | sort -u)"
