#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The command line: help, version, exit codes. Needs no TPM.
#
# Usage: usage.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
# Whoever opens a TPM here fails.
export DEVID_TCTI=device:/nonexistent

say "Help and version"
succeeds "the tool has a help" --help
assert_contains "it lists the commands" "  keygen        make a key" "$OUTPUT"
assert_contains "it has an example" "devid keygen --out key.pem" "$OUTPUT"
whole=$OUTPUT
mkdir bin-without-man
PATH_WITHOUT_MAN=$PWD/bin-without-man
# help_without_man WORD...: devid help, where there is no man(1).
help_without_man() {
    STATUS=0
    OUTPUT=$(PATH=$PATH_WITHOUT_MAN "$DEVID" help "$@" 2>"$WORK/errors") ||
        STATUS=$?
    ERRORS=$(<"$WORK/errors")
    assert_equal "help $* ends well where there is no man" 0 "$STATUS"
    assert_equal "which it says" \
        "devid: note: man cannot be run: No such file or directory" "$ERRORS"
}
help_without_man
assert_equal "help is a command too" "$whole" "$OUTPUT"
commands=$(sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$whole")
for command in $commands; do
    succeeds "$command has a help" "$command" --help
    of_option=$OUTPUT
    assert_contains "$command's help has an example" \
        $'\nexample:\n  devid '"$command" "$OUTPUT"
    help_without_man "$command"
    assert_equal "both print the same" "$of_option" "$OUTPUT"
    wide=$(sed '/^example:/,$d' <<<"$OUTPUT" | awk 'length > 79')
    assert_equal "$command's help fits a terminal" "" "$wide"
    actions=$(sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' <<<"$OUTPUT")
    for action in $actions; do
        succeeds "$command $action has a help" "$command" "$action" --help
        of_option=$OUTPUT
        assert_contains "with an example" \
            $'\nexample:\n  devid '"$command $action" "$OUTPUT"
        help_without_man "$command" "$action"
        assert_equal "both print the same" "$of_option" "$OUTPUT"
        assert_equal "it fits a terminal" "" \
            "$(sed '/^example:/,$d' <<<"$OUTPUT" | awk 'length > 79')"
    done
done
succeeds "the tool has a version" --version
version=$(sed -nE 's/.*DEVID_VERSION "(.*)"/\1/p' "$TOP/engine/devid.h")
assert_equal "it is the engine's" "devid $version" "$OUTPUT"
succeeds "help is given whatever else is wrong" \
    csr surplus --help

say "Manuals"
STATUS=0
OUTPUT=$(PATH=$PATH_WITHOUT_MAN "$DEVID" help provider 2>&1) || STATUS=$?
assert_equal "a topic has a manual alone: without man it fails" 1 "$STATUS"
assert_contains "and says so" "so devid-provider(7) cannot be shown" "$OUTPUT"
if command -v man >/dev/null; then
    for words in ":DEVID(1)" "keygen:DEVID-KEYGEN(1)" \
        "token init:DEVID-TOKEN(1)" "provider:DEVID-PROVIDER(7)" \
        "concepts:DEVID(7)" "station:DEVID-STATION(8)"; do
        read -ra topic <<<"${words%%:*}"
        run_devid help "${topic[@]}"
        assert_contains "help ${words%%:*} shows ${words#*:}" "${words#*:}" \
            "$(head -n 1 <<<"$OUTPUT")"
    done
else
    say "  skipped: there is no man"
fi

say "Wrong use"
misuse "a topic that there is not" "there is no command frob" help frob
misuse "no command" "a command is missing"
misuse "an unknown option before the command" "unknown option --frob" --frob
misuse "an unknown command" "there is no command frobnicate" frobnicate
misuse "a mistyped command" \
    "there is no command keygne; did you mean keygen?" keygne
misuse "an unknown option" "unknown option --frob" keygen --frob
misuse "a short option" "unknown option -o" keygen -o key.pem
misuse "an abbreviated option" \
    "unknown option --algo; there is --algorithm" keygen --algo=ec-p256
misuse "a missing option" "option --out FILE is missing" keygen
misuse "a second missing option" "option --subject NAME is missing" \
    csr --key k --out x
misuse "a missing value" "option --out needs a value: FILE" keygen --out
misuse "an option in place of a value" \
    "option --out needs a value: FILE, but --force follows it" \
    keygen --out --force
misuse "a value that is too much" "option --json takes no value" \
    keygen --json=yes --out x
misuse "an option given twice" "option --out is given twice" \
    keygen --out x --out=y
misuse "a missing argument" "THING... is missing" show
misuse "an argument too many" \
    "there is one argument too many: surplus" keygen --out x surplus
misuse "two outputs on one channel" "--json and --out -" \
    keygen --json --out -
misuse "an unknown form" "--outform is pem or der, not txt" \
    csr --key k --subject /CN=x --out x --outform txt
misuse "a program without configuration" \
    "devid has no configuration for apache" conf apache
for count in 0 1001 -1 3x ''; do
    misuse "--repeat '$count'" "--repeat is a number from 1 to 1000" \
        test --repeat "$count" k
done
misuse "deleting with nobody to ask" "--yes is missing" \
    delete tpm2:handle=0x81000010
misuse "a command of two words, cut short" "what token is to do is missing" \
    token
misuse "a mistyped second word" "there is no token lits; did you mean list?" \
    token lits
misuse "a second word that is none" "there is no cert frobnicate" \
    cert frobnicate
misuse "a missing option behind two words" "option --label NAME is missing" \
    token init
misuse "a label that is too long" "--label has 1 to 32 bytes, not 33" \
    token init --label 123456789012345678901234567890123
misuse "a PIN with nobody to ask" \
    "--so-pin-source is missing, and there is no terminal to ask at" \
    token init --label x
[[ ! -e x ]] || fail "a wrong use wrote a file"

say "Words after -- are no options"
refuses "a file named --json" "--json cannot be read" show -- --json
refuses "a value that looks like an option" \
    "'--odd' is no algorithm" keygen --algorithm=--odd --out "$WORK/x"

say "Whatever openssl.cnf holds"
printf 'openssl_conf = missing\n' >"$WORK/broken.cnf"
OPENSSL_CONF=$WORK/broken.cnf succeeds "the tool does not read it" --version

say "An output that is full"
if "$DEVID" --help >/dev/full 2>"$WORK/errors"; then
    fail "devid --help was content with a full disk"
fi
assert_equal "is an error" "devid: standard output cannot be written" \
    "$(<"$WORK/errors")"
