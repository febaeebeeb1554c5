#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Each bound of each range in the data of known vulnerabilities, from both
# sides: the last version before it and the first behind. What is to come of
# them is read from the data alone, so that a new advisory is tested by being
# there. Needs no TPM.
#
# Usage: bounds.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
need python3
mkdir "$WORK/dumps"

# Writes a dump a case, and a line: dump, id of the finding, its level or -.
python3 - "$TOP/tools/doctor/advisories.json" "$WORK/dumps" >"$WORK/cases" <<'PYTHON'
import json, sys

with open(sys.argv[1]) as f:
    data = json.load(f)
KINDS = {"firmware": 4, "csme": 4, "revision": 2, "version": 3}
LARGEST = {"revision": 99}
cases = []


def numbers(version, size):
    parts = [int(n) for n in version.split(".")]
    return tuple((parts + [0] * size)[:size])


def before(version, kind):
    """The version right before; None: there is none."""
    for i in reversed(range(len(version))):
        if version[i] > 0:
            rest = (LARGEST.get(kind, 255),) * (len(version) - i - 1)
            return version[:i] + (version[i] - 1,) + rest
    return None


def inside(version, ranges):
    for r in ranges:
        size = len(version)
        if "is" in r:
            part = [int(n) for n in r["is"].split(".")]
            if list(version[:len(part)]) == part:
                return True
            continue
        if ("from" not in r or version >= numbers(r["from"], size)) and \
                ("below" not in r or version < numbers(r["below"], size)):
            return True
    return False


def matches(rule, chip):
    if rule["of"] != chip["of"]:
        return False
    if chip["of"] == "package":
        return rule["package"] == chip["package"] and \
            inside(chip["version"], rule.get("version", [{}]))
    if "manufacturer" in rule and chip["maker"] not in rule["manufacturer"]:
        return False
    if chip["maker"] in rule.get("not_manufacturer", []):
        return False
    if "sleep" in rule and rule["sleep"] not in chip["sleep"]:
        return False
    for kind in ("firmware", "csme", "revision"):
        if kind in rule and (chip[kind] is None or
                             not inside(chip[kind], rule[kind])):
            return False
    return True


def expected(advisory, thing):
    for rule in advisory["rules"]:
        if matches(rule, thing):
            return {"affected": advisory["level"], "may": "note",
                    "clear": "-"}[rule["verdict"]]
    return "-"


def dotted(version):
    return ".".join(str(n) for n in version)


def dump(thing):
    facts = {"format": 1, "now": 1796083200}
    if thing["of"] == "package":
        facts["package"] = {"list": {thing["package"]: {
            "version": dotted(thing["version"])}}}
        return facts
    maker = thing["maker"].encode().ljust(4, b"\0")
    widths = data["firmware_widths"].get(thing["maker"], [16] * 4)
    word = 0
    for number, bits in zip(thing["firmware"], widths):
        word = word << bits | number
    word <<= 64 - sum(widths)
    facts["tpm"] = {"sleep": thing["sleep"], "properties": {
        "0x105": int.from_bytes(maker, "big"),
        "0x10b": word >> 32, "0x10c": word & 0xffffffff,
        "0x102": thing["revision"][0] * 100 + thing["revision"][1]}}
    if thing["csme"]:
        facts["tpm"]["csme"] = dotted(thing["csme"])
    return facts


def add(advisory, thing, what):
    name = f"{sys.argv[2]}/{len(cases)}"
    with open(name, "w") as f:
        json.dump(dump(thing), f)
    cases.append(name)
    print(name, "advisory." + advisory["id"], expected(advisory, thing), what)


def around(rule, kind):
    """Each bound of a rule's ranges, and what is right before it."""
    size = KINDS[kind]
    for r in rule.get(kind, []):
        ends = [numbers(r[k], size) for k in ("is", "from", "below") if k in r]
        if "is" in r:
            part = [int(n) for n in r["is"].split(".")]
            part[-1] += 1
            ends.append(numbers(dotted(part), size))
        for end in ends:
            yield end
            if before(end, kind) is not None:
                yield before(end, kind)


def chips(rule):
    maker = rule.get("manufacturer", ["XXX"])[0]
    chip = {"of": "tpm", "maker": maker, "firmware": (9, 9, 0, 0),
            "csme": None, "revision": (1, 84), "sleep": rule.get("sleep", "")}
    yield chip
    if "sleep" in rule:
        yield dict(chip, sleep="s2idle")
    for other in rule.get("not_manufacturer", []) + ["YYY"]:
        yield dict(chip, maker=other)
    for kind in ("firmware", "csme", "revision"):
        for version in around(rule, kind):
            yield dict(chip, **{kind: version})


for advisory in data["advisories"]:
    for rule in advisory["rules"]:
        if rule["of"] == "tpm":
            for chip in chips(rule):
                add(advisory, chip, "{maker} {firmware} {csme} {revision}"
                    .format(**chip).replace(" ", "_"))
        if rule["of"] == "package":
            for version in around(rule, "version"):
                add(advisory, {"of": "package", "package": rule["package"],
                               "version": version},
                    f"{rule['package']}_{dotted(version)}")
PYTHON

declare -A met=()
count=0
while read -r dump id level what; do
    doctor --from "$dump" --advisories "$TOP/tools/doctor/advisories.json"
    got=$(found "$id")
    [[ ${got:--} == "$level" ]] ||
        fail "$id of $what: expected $level, got ${got:--}"
    [[ $level == - ]] && met[$id-clear]=1 || met[$id-found]=1
    count=$((count + 1))
done <"$WORK/cases"
say "  ok: $count chips and packages, on both sides of each bound"
for id in $(jq -r '.advisories[].id' "$TOP/tools/doctor/advisories.json"); do
    [[ ${met[advisory.$id-found]:-} && ${met[advisory.$id-clear]:-} ]] ||
        fail "$id was not met on both sides"
done
say "  ok: each advisory was found, and not found"
