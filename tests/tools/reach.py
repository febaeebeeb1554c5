#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each command can come to, by the C source: its exit codes, and what it asks
the environment for.

Usage: reach.py TREE

Prints a line for each command: its name, its codes beyond 0, 1 and 2, and the
variables; with a tab between. "engine" stands for those of the engine's settings.
Everything that a function or a table names is taken to be used by it, so calls by
pointers are followed, too. clang-format's layout is relied on: what begins at the
margin is one thing, and ends with a brace there.
"""
import collections
import pathlib
import re
import sys

CODES = {"REFUSED": 3, "UNREACHABLE": 4, "DEVICE": 5, "NO_ROOM": 6, "UNTRUSTED": 7}
# Whoever calls these has the engine read its settings.
ENGINE = ("devid_new(", "OSSL_PROVIDER_load(")


class Thing(collections.namedtuple("Thing", "name file static body")):
    """A function or a table."""


def things(path):
    """All that a file defines."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    for name, value in re.findall(r'^#define (\w+) (".*")$', text, flags=re.M):
        text = re.sub(rf"\b{name}\b", lambda _, value=value: value, text)
    text = re.sub(r"^#(?:.*\\\n)*.*\n", "", text, flags=re.M)
    item = []
    for line in text.split("\n"):
        item.append(line)
        if not line.startswith("}"):
            continue
        body = "\n".join(item)
        item = []
        head = body.split("{")[0].split(";")[-1]
        found = re.search(r"(\w+)(?:\[\w*\])* =\s*$", head) or re.search(
            r"\b([a-z]\w*)\(", head
        )
        # A table of exit codes says what there may be, not what there is.
        if found and "struct exit_row" not in head:
            yield Thing(found[1], path, "static " in head, body)


def program(path):
    """Whose it is; tools/cli is of both."""
    folder = path.parent.name
    return folder if folder in ("station", "cli") else "devid"


def main(top):
    known = collections.defaultdict(list)
    for path in sorted(pathlib.Path(top, "tools").rglob("*.c")):
        for thing in things(path):
            known[thing.name].append(thing)

    def named(thing):
        """What it names: of its own file, or of any."""
        for word in set(re.findall(r"\b[a-z]\w+", thing.body)):
            all_of_it = known.get(word, [])
            yield from [t for t in all_of_it if t.file == thing.file] or [
                t
                for t in all_of_it
                if not t.static and program(t.file) in ("cli", program(thing.file))
            ]

    def reached(start):
        found = [start]
        seen = {start}
        for thing in found:
            for other in named(thing):
                if other not in seen:
                    seen.add(other)
                    found.append(other)
        return found

    for thing in sorted(t for many in known.values() for t in many):
        name = re.search(r'struct command \w+ = \{\n    \.name = "(.*)",', thing.body)
        if not name or ".run = " not in thing.body:
            continue
        text = "".join(t.body for t in reached(thing))
        codes = {CODES[c] for c in re.findall(r"\bEXIT_(\w+)\b", text) if c in CODES}
        variables = set(re.findall(r'getenv\("(\w+)"\)', text))
        if any(call in text for call in ENGINE):
            variables.add("engine")
        prefix = "devid-station" if program(thing.file) == "station" else "devid"
        print(
            f"{prefix} {name[1]}",
            " ".join(map(str, sorted(codes))),
            " ".join(sorted(variables)),
            sep="\t",
        )


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(sys.argv[1])
