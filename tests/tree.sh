#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The tree's measures: files under 400 lines, functions of C under 60, clones
# under 3 % of the lines. It holds for C, headers and shell scripts, tests and all.
#
# A clone is six lines in a row that stand elsewhere, too, and every line within
# one counts. Lines are those that say something: comments, includes, and lone
# brackets, keywords and strings are passed over. Two lines are equal where they differ in
# white space, digits, case and the names of kinds of keys, devices and formats
# alone; in C the texts of strings do not count either. So a function that was
# copied for another key type is found, and one whose variables have other names
# is not.
#
# Usage: tree.sh [--list]
#
#   --list  print where clones are, a line a run
set -euo pipefail
cd "$(dirname "$0")/.."

FILE_LINES=400 FUNCTION_LINES=60 CLONE_LINES=6 CLONE_PERCENT=3

status=0
complain() {
    printf '%s\n' "$*" >&2
    status=1
}

# sources, scripts: the files, one a line.
sources() {
    find engine provider tools swtpm-ci tests bench -name '*.[ch]' | sort
}
scripts() {
    find . -name '.git' -prune -o -path './build*' -prune -o -type f -exec \
        grep -lIE -m 1 '^#!.*\<(ba)?sh$|^# shellcheck shell=' {} + |
        sed 's|^\./||' | sort
}
mapfile -t sources < <(sources)
mapfile -t scripts < <(scripts)
((${#sources[@]} > 300 && ${#scripts[@]} > 100)) ||
    complain "found but ${#sources[@]} C files and ${#scripts[@]} scripts"

while read -r lines file; do
    [[ $file != total ]] || continue
    ((lines < FILE_LINES)) ||
        complain "$file has $lines lines: at $FILE_LINES it is to be split"
done < <(wc -l "${sources[@]}" "${scripts[@]}")

# As clang-format has it: a function begins with a { in the first column, and ends
# with a } there.
while read -r place lines; do
    complain "$place: a function of $lines lines: at $FUNCTION_LINES it is to be split"
done < <(awk -v most="$FUNCTION_LINES" '
    /^{$/ { began = FNR }
    /^}/ && began {
        if (FNR - began - 1 >= most)
            print FILENAME ":" began, FNR - began - 1
        began = 0
    }' "${sources[@]}")

KINDS='[0-9]+|rsa|ecdsa|ecdh|ecc|ec|eddsa|tpm|p11|pkcs11|token|idevid|ldevid|iak'
KINDS+='|pem|der|sqlite|postgres|nginx|haproxy|public|private'
# Lines are numbered as they are first seen, and windows named by such numbers.
clones() {
    awk -v size="$CLONE_LINES" -v limit="$CLONE_PERCENT" -v list="$1" \
        -v kinds="$KINDS" '
    FNR == 1 { in_comment = 0; is_c = FILENAME ~ /\.[ch]$/ }
    {
        line = $0
        if (is_c) {
            gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
            if (in_comment) {
                if (!sub(/^.*\*\//, "", line)) next
                in_comment = 0
            }
            gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
            if (sub(/\/\*.*$/, "", line)) in_comment = 1
            if (line ~ /^[ \t]*#[ \t]*include/) next
        } else if (line ~ /^[ \t]*(#|source )/)
            next
        gsub(/[ \t]+/, " ", line)
        gsub(/^ | $/, "", line)
        line = tolower(line)
        if (line ~ /^[][(){};,"\\ ]*$/) next
        if (line ~ /^(fi|done|else|esac|then|do|;;|break;|null|end|eof)$/) next
        gsub(kinds, "0", line)
        if (!(line in number)) number[line] = ++distinct
        code[++count] = number[line]
        file[count] = FILENAME
        at[count] = FNR
    }
    END {
        for (i = 1; i + size - 1 <= count; i++) {
            if (file[i] != file[i + size - 1]) continue
            key = code[i]
            for (j = 1; j < size; j++) key = key " " code[i + j]
            if (!(key in first)) { first[key] = i; continue }
            # Rows of a table are not clones of the rows before.
            if (file[first[key]] == file[i] && i < first[key] + size) continue
            other[i] = first[key]
            if (!(first[key] in other)) other[first[key]] = i
        }
        for (i = 1; i <= count; i++) {
            if (i in other) {
                if (list && until < i)
                    print file[i] ":" at[i] " ~ " file[other[i]] ":" at[other[i]]
                until = i + size - 1
            }
            if (until >= i) cloned++
        }
        percent = 100 * cloned / count
        printf "clones: %d of %d lines, %.2f %%\n", cloned, count, percent
        exit percent >= limit
    }' "${sources[@]}" "${scripts[@]}"
}
clones "$([[ ${1:-} != --list ]] || echo 1)" ||
    complain "clones are $CLONE_PERCENT % of the lines or more: $0 --list says where"
exit "$status"
