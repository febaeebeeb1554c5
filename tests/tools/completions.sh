#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The shells' completions offer what --help has: bash's and fish's are asked,
# zsh's is read. Needs no TPM.
#
# Usage: completions.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
scripts=$BUILD_DIR/packaging

# offers LINE: what bash would offer at its end, sorted, by spaces.
offers() {
    local function
    read -ra COMP_WORDS <<<"$1"
    [[ $1 != *' ' ]] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    function=$(complete -p "${COMP_WORDS[0]}" | sed -E 's/.*-F (\S+).*/\1/')
    "$function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" \
        "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" | sort | xargs
}

# fish_offers LINE: the same of fish.
fish_offers() {
    HOME=$WORK fish --no-config -c "source $scripts/fish/${1%% *}.fish
        complete -C '$1'" | cut -f 1 | sort | xargs
}

# listed PROGRAM WORD... : what stands under "commands:" in its help.
listed() {
    "$BUILD_DIR/tools/$1" "${@:2}" --help |
        sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# options PROGRAM WORD...: what stands under "options:".
options() {
    "$BUILD_DIR/tools/$1" "${@:2}" --help |
        sed -nE '/^options:/,/^$/s/^  (--[a-z-]+).*/\1/p' | sort | xargs
}

# leaves PROGRAM: its command lines as far as their options, one a line.
leaves() {
    local command action
    for command in $(listed "$1"); do
        for action in $(listed "$1" "$command") .; do
            [[ $action != . || ! $(listed "$1" "$command") ]] || continue
            echo "$1 $command ${action#.}"
        done
    done
}

for program in devid devid-station; do
    say "$program, bash"
    bash -n "$scripts/bash/$program"
    # shellcheck source=/dev/null
    source "$scripts/bash/$program"
    assert_equal "its commands" \
        "$( (listed "$program" && printf '%s\n' help --help --version) | sort |
            xargs)" "$(offers "$program ")"
    count=0
    while read -ra words; do
        [[ $(offers "${words[*]} --") == "$(options "${words[@]}")" ]] ||
            fail "${words[*]} -- offers $(offers "${words[*]} --")"
        count=$((count + 1))
    done < <(leaves "$program")
    ((count > 10)) || fail "$program has $count commands"
    say "  ok: the options of $count commands"
done
touch 'a key.pem' also.pem
mkdir folder
assert_equal "a command's beginning" "keygen" "$(offers "devid keyg")"
assert_equal "the second word of two" "$(listed devid token | cat - <(echo --help) | sort | xargs)" \
    "$(offers "devid token ")"
assert_equal "algorithms" "ec-p256 ec-p384 ec-p521" \
    "$(offers "devid keygen --algorithm ec")"
assert_equal "each of them is one of keygen's" "" \
    "$(offers "devid keygen --algorithm " | xargs -n 1 | while read -r name; do
        grep -qw -- "$name" <<<"$("$DEVID" keygen --help)" || echo "$name"
    done)"
offers "devid csr --key a" >/dev/null
assert_equal "files, with spaces in their names" "2 a key.pem" \
    "${#COMPREPLY[@]} $(printf '%s\n' "${COMPREPLY[@]}" | sort | head -n 1)"
assert_equal "folders alone where one is wanted" "folder" \
    "$(offers "devid install --dir ")"
assert_equal "programs" "haproxy" "$(offers "devid conf ha")"
assert_equal "nothing for a secret's place" "" \
    "$(offers "devid keygen --auth-source ")"
assert_contains "manuals" "provider" "$(offers "devid help pro")"

say "A terminal with bash"
cat >rc <<EOF
devid() { echo "<ran: \$*>"; }
source $scripts/bash/devid
EOF
typed=$(printf 'devid keyg\t--alg\tec-p3\t--out also\t\nexit\n' |
    HOME=$WORK TERM=dumb timeout 60 script -qec "bash --rcfile $WORK/rc -i" /dev/null)
assert_contains "a line typed with tabs" \
    "<ran: keygen --algorithm ec-p384 --out also.pem>" "$typed"

say "zsh and fish"
for program in devid devid-station; do
    if command -v zsh >/dev/null; then
        zsh -n "$scripts/zsh/_$program" || fail "zsh does not read its script"
        say "  ok: zsh reads $program's"
    fi
    command -v fish >/dev/null || continue
    fish --no-execute "$scripts/fish/$program.fish" ||
        fail "fish does not read its script"
    say "  ok: fish reads $program's"
    while read -ra words; do
        # It offers its own --help beside others' where a description differs.
        [[ $(fish_offers "${words[*]} --") == "$(options "${words[@]}")" ]] ||
            fail "fish offers for ${words[*]}: $(fish_offers "${words[*]} --")"
    done < <(leaves "$program" | sed -n '1~6p')
    say "  ok: and offers the options"
done
if command -v fish >/dev/null; then
    assert_equal "fish offers algorithms" "ec-p256 ec-p384 ec-p521" \
        "$(fish_offers "devid keygen --algorithm ec")"
    assert_equal "and second words" "$(listed devid token | sort | xargs)" \
        "$(fish_offers "devid token ")"
fi
misuse "a shell that there is not" \
    "--completion is bash, zsh or fish, not tcsh" --completion tcsh
