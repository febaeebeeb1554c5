#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# README.md's map against the tree: what it lists is there, and every entry of
# the top and every directory of the next level is listed. Needs no TPM.
#
# Usage: map.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
cd "$TOP"

# mapped: the paths in the map; an indented line belongs to the directory of
# depth one above it.
mapped() {
    # shellcheck disable=SC2016
    sed -n '/^## Map/,$p' README.md | sed -n '/^```$/,/^```$/{/^```/!p}' |
        awk '{
            indented = /^  /
            sub(/^ +/, "")
            split($0, parts, /   *|$/)
            count = split(parts[1], names, " ")
            for (i = 1; i <= count; i++)
                print (indented ? above : "") names[i]
            if (!indented)
                above = names[1]
        }' | sort
}

# present: the top's entries, and directories one level below; builds apart.
present() {
    find . -mindepth 1 -maxdepth 2 \( -path ./.git -o -path './build*' -o -name '*.swp' \) \
        -prune -o \( -path './*/*' ! -type d \) -o -printf '%P%y\n' |
        sed 's/d$/\//;s/f$//' | sort
}

for path in $(mapped); do
    case $path in
    */) [[ -d $path ]] || fail "README.md's map lists the directory $path" ;;
    *) [[ -f $path ]] || fail "README.md's map lists the file $path" ;;
    esac
done
say "  ok: what README.md's map lists is there"
for path in $(present); do
    grep -qxF "$path" <<<"$(mapped)" ||
        fail "README.md's map does not list $path"
done
say "  ok: what is there is on README.md's map"
