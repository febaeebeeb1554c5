#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The rules of the known vulnerabilities, on chips that are known to be affected
# and on others; bounds.sh tries every bound of them. Needs no TPM.
#
# Usage: advisories.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
DATA=$TOP/tools/doctor/advisories.json
NOW=$(date -d 2026-12-01 +%s)

# word TEXT: four characters as the number of a property.
word() {
    local text=$1
    while ((${#text} < 4)); do text+=$'\x01'; done
    printf '%d' "0x$(printf '%s' "$text" | od -An -tx1 | tr -d ' \n' |
        sed 's/01/00/g')"
}

# chip MAKER V1 V2 [REVISION [CSME [SLEEP]]]: judge a TPM that says so.
chip() {
    jq -n --argjson now "$NOW" --argjson maker "$(word "$1")" \
        --argjson v1 "$(($2))" --argjson v2 "$(($3))" \
        --argjson revision "${4:-184}" --arg csme "${5:-}" --arg sleep "${6:-}" \
        '{format: 1, now: $now, tpm: {csme: $csme, sleep: $sleep, properties:
            {"0x105": $maker, "0x10b": $v1, "0x10c": $v2,
             "0x102": $revision}}}' >"$WORK/chip.json"
    doctor --advisories "$DATA" --from "$WORK/chip.json"
}

# on WHAT ID LEVELS: what the last chip gave for an advisory.
on() {
    finds "$1" "advisory.$2" "${3:-}"
}

say "The data"
jq -e '.format == 1 and (.date | test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"))' \
    "$DATA" >/dev/null || fail "$DATA has no format or date"
assert_equal "each advisory has id, date, level, summary, sources and rules" "" \
    "$(jq -r '.advisories[] | select((.id and .published and .summary and
        (.level == "bad" or .level == "warning") and
        (.sources | length > 0 and all(startswith("https://"))) and
        (.rules | length > 0)) | not) | .id' "$DATA")"
assert_equal "each rule is about something and decides something" "" \
    "$(jq -r '.advisories[].rules[] | select(
        (.of == "tpm" or .of == "key" or .of == "package") and
        (.verdict == "affected" or .verdict == "may" or .verdict == "clear")
        | not)' "$DATA")"
assert_equal "conditions are those that there are" "" \
    "$(jq -r '.advisories[].rules[] | keys[] | select(IN("of", "verdict",
        "manufacturer", "not_manufacturer", "firmware", "csme", "revision",
        "sleep", "package", "version", "fixed", "test") | not)' "$DATA")"
assert_equal "no id stands twice" "" \
    "$(jq -r '.advisories[].id' "$DATA" | sort | uniq -d)"

say "CVE-2017-15361, ROCA"
chip IFX 0x0007003d 0x000ae100
on "7.61 is affected" CVE-2017-15361 bad
assert_contains "and says the version as its maker does" \
    "firmware 7.61.2785.0" "$(says advisory.CVE-2017-15361)"
chip IFX 0x0007003e 0x000c3600
on "7.62 is not" CVE-2017-15361
chip IFX 0x0005003d 0
on "5.61 is" CVE-2017-15361 bad
chip IFX 0x0005003e 0
on "5.62 is not" CVE-2017-15361
chip STM 0x0007003d 0
on "nor another maker's" CVE-2017-15361

# The product of the fingerprint's form: 65537^a mod M, times 1.
need python3
weak=$(python3 - <<'PYTHON'
primes = [p for p in range(3, 168) if all(p % q for q in range(2, p))]
modulus = 1
for p in primes:
    modulus *= p
print(hex(pow(65537, 4711, modulus) + modulus * (1 << 1800))[2:])
PYTHON
)
[[ $((${#weak} % 2)) == 0 ]] || weak=0$weak
jq -n --argjson now "$NOW" --arg weak "$weak" '{format: 1, now: $now,
    identity: {list: [{path: "/unit", key: {public: {type: "RSA",
        modulus: $weak}}}]}}' >"$WORK/key.json"
doctor --advisories "$DATA" --from "$WORK/key.json"
on "a key of any maker with the fingerprint" CVE-2017-15361 bad
assert_contains "and says whose" "the RSA key of /unit" \
    "$(says advisory.CVE-2017-15361)"
jq '.identity.list[0].key.public.modulus |= (.[0:-2] + "07")' \
    "$WORK/key.json" >"$WORK/sound.json"
doctor --advisories "$DATA" --from "$WORK/sound.json"
on "and one without" CVE-2017-15361

say "CVE-2019-16863, TPM-FAIL on ST"
chip STM 0x00490004 0x44a01164
on "73.4 is affected" CVE-2019-16863 bad
chip STM 0x00490014 0
on "73.20 is not" CVE-2019-16863
chip STM 0x0047000c 0
on "71.12 is" CVE-2019-16863 bad
chip STM 0x00470010 0
on "71.16 is not" CVE-2019-16863
chip STM 0x004a0010 0
on "74.16 is" CVE-2019-16863 bad
chip STM 0x004a0040 0
on "74.64 is not" CVE-2019-16863
chip STM 0x00490028 0
on "73.40 is not taken for 73.4" CVE-2019-16863

say "CVE-2019-11090, TPM-FAIL on Intel"
for pair in 11.8.69:11.8.70 11.11.69:11.11.70 11.22.69:11.22.70 \
    12.0.44:12.0.45 14.0.9:14.0.10; do
    chip INTC 0x000b0008 0 184 "${pair%:*}.3399"
    on "${pair%:*} is affected" CVE-2019-11090 bad
    chip INTC 0x000b0008 0 184 "${pair#*:}.0"
    on "${pair#*:} is not" CVE-2019-11090
done
chip INTC 0x01920001 0
on "without the engine's version nobody knows" CVE-2019-11090 note
assert_contains "and it says whom to ask" "ask the maker" \
    "$(says advisory.CVE-2019-11090)"
chip IFX 0x00080000 0 184 11.8.50
on "another maker's chip in an Intel machine is not" CVE-2019-11090

say "CVE-2018-3659, Intel"
chip INTC 0x000c0000 0 184 12.0.4.1
on "12.0.4 is affected" CVE-2018-3659 warning
chip INTC 0x000c0000 0 184 12.0.5.0
on "12.0.5 is not" CVE-2018-3659
chip INTC 0x000c0000 0
on "an unknown one may be" CVE-2018-3659 note

say "CVE-2020-25082, Nuvoton"
chip NTC 0x00070002 0x00010000
on "7.2.1.0 is affected" CVE-2020-25082 bad
chip NTC 0x00070002 0x00020000
on "7.2.2.0 is not" CVE-2020-25082
chip NTC 0x00010003 0x00020008
on "nor 1.3.2.8" CVE-2020-25082

say "CVE-2026-6923, Nuvoton"
chip NTC 0x00070002 0x00030001
on "7.2.3.1 is affected" CVE-2026-6923 warning
chip NTC 0x00070002 0x00040000
on "7.2.4.0 is not" CVE-2026-6923

say "CVE-2023-1017 and 1018"
chip NTC 0x00010003 0x00020008 116
on "Nuvoton's 1.3.2.8 is affected" CVE-2023-1017 bad
chip NTC 0x00010003 0x00020014 116
on "1.3.2.20 is not" CVE-2023-1017
chip NTC 0x00070002 0x00030001 159
on "nor 7.2" CVE-2023-1017
chip IFX 0x00070055 0x0011cb00 159
on "who implements 1.59 may be" CVE-2023-1017 note
chip IFX 0x000f0017 0 183
on "who implements 1.83 is not" CVE-2023-1017
chip IBM 0x20191023 0x00163636 159
on "libtpms is judged by its package" CVE-2023-1017

say "CVE-2025-2884"
chip NTC 0x00070002 0x00040000 159
on "Nuvoton's 7.2.4.0 is affected" CVE-2025-2884 bad
chip NTC 0x00070002 0x00040001 159
on "7.2.4.1 is not" CVE-2025-2884
chip AMD 0x00060018 6 159
on "AMD's may be" CVE-2025-2884 note
chip AMD 0x00060018 6 184
on "after 1.83 none is" CVE-2025-2884

say "CVE-2024-45678, EUCLEAK"
chip IFX 0x00070055 0x0011cb00
on "Infineon's may be" CVE-2024-45678 note
chip STM 0x00490014 0
on "others are not" CVE-2024-45678

say "faulTPM"
chip AMD 0x00030057 5
on "AMD's are" faulTPM warning
assert_equal "which counts" 1 "$STATUS"
chip INTC 0x000c0000 0 184 15.0.0
on "others are not" faulTPM
assert_equal "and Intel's of today have nothing" 0 "$STATUS"

say "CVE-2018-6622"
chip STM 0x00490014 0 184 "" "s2idle [deep]"
on "a machine that sleeps deeply may be" CVE-2018-6622 note
chip STM 0x00490014 0 184 "" "[s2idle]"
on "one that does not is not" CVE-2018-6622
chip IBM 0x20191023 0 184 "" "s2idle [deep]"
on "nor a TPM in software" CVE-2018-6622
