#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The manual pages hold what the programs and the engine have, and no more:
# commands, options, settings, exit codes, variables, members of JSON. Needs no TPM.
#
# Usage: manuals.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
man=$TOP/man

# program NAME: what follows is about devid, or devid-station.
program() {
    PROGRAM=$1
    TOOL=$BUILD_DIR/tools/$1
}

# page COMMAND: the file of its manual. The station has one for all.
page() {
    case $PROGRAM in
    devid) echo "$man/devid-$1.1" ;;
    *) echo "$man/$PROGRAM.8" ;;
    esac
}

# commands: the subcommands by the program's own help.
commands() {
    "$TOOL" --help | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort
}

# help_of COMMAND: its one line.
help_of() {
    devid_help "$1" | sed -n "1s/^$PROGRAM $1 - //p"
}

# devid_help COMMAND: of one word or two.
devid_help() {
    local words
    read -ra words <<<"$1"
    "$TOOL" "${words[@]}" --help
}

# leaves COMMAND: "token list" and others, one a line, for a command of two
# words; else itself.
leaves() {
    local actions
    actions=$(devid_help "$1" |
        sed -n "/^commands:/,/^$/s/^  \([a-z-]*\) .*/$1 \1/p")
    printf '%s\n' "${actions:-$1}"
}

# options COMMAND: "--name ARGUMENT" for each that its help has.
options() {
    devid_help "$1" |
        sed -nE '/^options:/,/^$/s/^  (--[a-z-]+( [A-Z]+)?)(  .*|$)/\1/p' | sort
}

# all_options COMMAND: the same of all that the command does.
all_options() {
    local leaf
    leaves "$1" | while read -r leaf; do options "$leaf"; done | sort -u
}

# options_in_page COMMAND: the same from the list in its page.
options_in_page() {
    sed -nE 's/^\.It Fl -([a-z-]+)( Ar ([A-Z]+))?$/--\1 \3/p' \
        "$(page "$1")" | sed 's/ $//' | sort
}

# synopsis COMMAND: its lines of the synopsis in its page, or in that of its
# first word.
synopsis() {
    awk -v head=".Nm $PROGRAM Cm $1" '/^\.Sh DESC/ { exit }
        /^\.(Nm|Sh)/ { inside = $0 == head; next }
        inside' "$(page "${1%% *}")"
}

# options_in_synopsis COMMAND: the same from its synopsis. --help is in none.
options_in_synopsis() {
    synopsis "$1" | sed -nE 's/^\.(Op )?Fl -([a-z-]+)( Ar ([A-Z]+))?$/--\2 \4/p' |
        sed 's/ $//' | sort
}

# assert_synopsis COMMAND: it has the options and operands of each leaf.
assert_synopsis() {
    local leaf operands
    while read -r leaf; do
        assert_equal "and so has the synopsis of $leaf" \
            "$(options "$leaf" | grep -vx -- --help)" \
            "$(options_in_synopsis "$leaf")"
        operands=$(devid_help "$leaf" |
            sed -nE 's/^usage: .*\[OPTION\.\.\.\] ?//p' |
            sed 's/\.\.\.$/ .../')
        assert_equal "and its operands" "$operands" \
            "$(synopsis "$leaf" | sed -nE 's/^\.Ar (.*)$/\1/p; s/^\.Op Ar (.*)$/[\1]/p')"
        [[ $leaf == "$1" && $PROGRAM == devid ]] ||
            assert_contains "and the page has the line of $leaf" \
                ".It Cm $leaf"$'\n'"$(help_of "$leaf")" \
                "$(<"$(page "$1")")"
    done < <(leaves "$1")
}

program devid
say "Commands"
assert_equal "each command has a page, each page a command" \
    "$(commands)" \
    "$(cd "$man" && printf '%s\n' devid-*.1 |
        sed 's/^devid-\(.*\)\.1$/\1/' | sort)"
assert_equal "devid(1) lists them" "$(commands)" \
    "$(sed -n 's/^\.It Cm //p' "$man/devid.1" | sort)"
# shellcheck disable=SC2016
assert_equal "README.md lists them" "$(commands)" \
    "$(sed -nE 's/^\| `devid ([a-z]+)` \|.*/\1/p' "$TOP/README.md" | sort)"
for command in $(commands); do
    line=$(help_of "$command")
    assert_contains "$command's page has its one line" \
        ".Nd $line" "$(<"$man/devid-$command.1")"
    assert_contains "devid(1) has $command's one line" \
        ".It Cm $command"$'\n'"$line;" "$(<"$man/devid.1")"
    assert_contains "README.md has $command's one line" \
        "| \`devid $command\` | $line |" "$(<"$TOP/README.md")"
done

say "Options"
for command in $(commands); do
    assert_equal "$command's page has its options" \
        "$(all_options "$command")" "$(options_in_page "$command")"
    assert_synopsis "$command"
done

say "The station"
program devid-station
for command in $(commands); do
    assert_synopsis "$command"
done
assert_equal "its page has all options" \
    "$(for command in $(commands); do all_options "$command"; done | sort -u)" \
    "$(options_in_page any)"
# By the table in the source, each behind its section.
assert_equal "its page has its settings" \
    "$( (sed -nE 's/^ *\{"([a-z]+)", "([a-z0-9_]+)", (TEXT|PATH|KEY|LEDGER|NUMBER|FLAG),.*/\1 \2/p' \
        "$TOP/tools/station/config.c" &&
        sed -nE 's/^ *\{"([a-z_]+)", take_.*/est \1/p' \
            "$TOP/tools/station/config_est.c") | sort)" \
    "$(awk '/^\.Ss Section/ { section = $3 == "est.LABEL" ? "est" : $3 } /^\.Sh/ { section = "" }
        section && /^\.It Ic/ { print section, $3 }' \
        "$man/devid-station.8" | sort)"
program devid

say "Settings"
# The engine's table, as the C source has it.
settings=$(tr -s '\n ' ' ' <"$TOP/engine/settings.c" |
    grep -oE '= \{"[a-z0-9-]+", "DEVID_[A-Z0-9_]+"' |
    sed -E 's/= \{"(.*)", "(.*)"/\1 \2/')
[[ $settings ]] || fail "engine/settings.c no longer has its table of settings"
while read -r name variable; do
    assert_contains "devid-provider(7) has $name and $variable" \
        ".It Ic $name No = " "$(grep -F "Ev $variable" "$man/devid-provider.7")"
    assert_contains "devid(1) has $variable" "$variable" "$(<"$man/devid.1")"
done <<<"$settings"
assert_equal "devid-provider(7) has no others" \
    "$( (cut -d ' ' -f 1 <<<"$settings" && printf 'module\nactivate\n') | sort)" \
    "$(sed -nE 's/^\.It Ic ([a-z0-9-]+) No = .*/\1/p' \
        "$man/devid-provider.7" | sort)"

say "Environment"
# variables_of FILE...: what C files ask the environment for, by name or by the
# name in a table.
variables_of() {
    {
        grep -ohE 'getenv\("[A-Z0-9_]+"\)' "$@"
        grep -ohE '"DEVID_[A-Z0-9_]+"' "$@"
    } | grep -oE '[A-Z0-9_]{3,}' | sort -u
}
mapfile -t files < <(find "$TOP"/{engine,provider,tools} -name '*.c')
# TYPED_PIN the tool sets for its own engine; of TERM everybody has one.
assert_equal "each variable is in a manual, and no other" \
    "$(variables_of "${files[@]}" | grep -vx "DEVID_TYPED_PIN\|TERM")" \
    "$(grep -hE '^\.(It )?Ev |Pq Ev ' "$man"/* |
        sed 's/.*\<Ev //' |
        grep -oE '\<[A-Z][A-Z0-9_]{2,}\>' | sort -u)"

say "Exit codes"
# pages: each page of a command or a program, with the program before it.
pages() {
    local file
    for file in "$man"/devid-*.1; do
        echo "devid ${file##*/}"
    done
    echo "devid-station devid-station.8"
}

# leaves_of PAGE: the commands of PROGRAM whose page it is, actions too.
leaves_of() {
    local word those=${1#devid-}
    those=${those%.1}
    [[ $PROGRAM == devid ]] || those=$(commands)
    for word in $those; do
        leaves "$word"
    done
}

# exits COMMAND: "CODE WHEN" for each that its help has.
exits() {
    devid_help "$1" | sed -n '/^exit codes:/,/^$/{/^ /p}' |
        awk '/^  [0-9]/ { if (row) print row; row = ""; $1 = $1 } { $1 = $1; row = row (row ? " " : "") $0 }
            END { print row }'
}

# exits_in PAGE: the same from its list.
exits_in() {
    sed -n '/^\.Sh EXIT STATUS/,/^\.El/p' "$man/$1" |
        sed -E 's/^\.Fl -/--/; s/^\.Li //' |
        awk '/^\.It/ { if (row) print row; row = $2; next } /^\./ { next } { row = row " " $0 }
            END { print row }'
}

# codes: of standard input's lines, in one.
codes() {
    cut -d ' ' -f 1 | xargs
}

reach=$WORK/reach
if command -v python3 >/dev/null; then
    "$TOP/tests/tools/reach.py" "$TOP" >"$reach" || fail "reach.py fails"
fi
# column NUMBER COMMAND: of what the source says of it.
column() {
    awk -F '\t' -v name="$PROGRAM $2" -v n="$1" '$1 == name { print $n; found = 1 }
        END { exit !found }' "$reach" || fail "reach.py has no $PROGRAM $2"
}
while read -r name page; do
    program "$name"
    leaves_of "$page" >"$WORK/$page.leaves"
    while read -r leaf; do
        exits=$(exits "$leaf")
        assert_equal "$page says when $leaf ends with what" \
            "$exits" "$(exits_in "$page")"
        [[ ! -s $reach ]] ||
            assert_equal "and these are the codes that it comes to" \
                "$(xargs <<<"0 1 2 $(column 2 "$leaf")")" "$(codes <<<"$exits")"
    done <"$WORK/$page.leaves"
done < <(pages)
program devid
assert_equal "devid(1) has those of all" "0 1 2" "$(exits_in devid.1 | codes)"
grep -q 'from 3 to 7' "$man/devid.1" || fail "devid(1) does not say where more are"
[[ -s $reach ]] || say "  skipped: there is no python3 to read the source with"

say "Whose environment"
# environment FILE: that section of a page.
environment() {
    sed -n '/^\.Sh ENVIRONMENT/,/^\.Sh EX/p' "$man/$1"
}
everywhere=$(environment devid.1 | grep -oE '\<[A-Z][A-Z0-9_]{2,}\>' | xargs)
[[ ! -s $reach ]] || while read -r name page; do
    program "$name"
    used=$(while read -r leaf; do column 3 "$leaf"; done <"$WORK/$page.leaves" |
        tr ' ' '\n' | sed '/^TERM$/d;/^$/d' | sort -u)
    own=$(environment "$page" | sed -n 's/^\.It Ev //p')
    for variable in $own; do
        grep -qx "$variable" <<<"$used" ||
            fail "$page has $variable, which the command does not ask for"
    done
    whole=
    section=$(environment "$page")
    [[ $section != *"
.Xr devid 1 "* ]] || whole=1
    for variable in $used; do
        [[ $whole ]] && { [[ $variable == engine ]] ||
            [[ " $everywhere " == *" $variable "* ]]; } && continue
        grep -qx "$variable" <<<"$own" ||
            fail "$page does not name $variable ($used), nor devid(1)"
    done
    [[ $used || ! $section ]] ||
        fail "$page has an environment, and its command asks for none"
done < <(pages)
say "  ok: each page has the variables that its command asks for"

say "Members of JSON"
# A member is written by a function report_...(object, "name".
# members FILE...: those that these files write.
members() {
    sed -nE \
        's/.*(report_(text|number|flag|value|words)|put_[a-z_]+|describe_sha256)\([a-z]+, "([a-z0-9_]+)".*/\3/p' \
        "$@" | sort -u
}
spoken=$TOP/tools/identity/line.c # to a station
mapfile -t files < <(printf '%s\n' "$TOP"/tools/{.,cli,identity,trust}/*.c "$TOP"/tools/doctor/finding.c |
    grep -vxF "$spoken")
members=$(members "${files[@]}")
pages=$(cat "$man"/devid-*.1)
for member in $members; do
    grep -qE "^\.(It )?Li (.* , )?$member( .*)?$" <<<"$pages" ||
        fail "no page documents the member $member"
done
say "  ok: each is documented: $(wc -w <<<"$members") members"
for member in $(members "$spoken"); do
    grep -qF "\"$member\"" "$TOP/docs/protocol.md" ||
        grep -qF "\`$member\`" "$TOP/docs/protocol.md" ||
        fail "docs/protocol.md has no member $member"
done
say "  ok: and what is said to a station is in docs/protocol.md"
