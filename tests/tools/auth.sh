#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Keys with an authorisation value: given by a file, the environment or on the
# terminal, never on the command line.
#
# Usage: auth.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
start_tpm --srk
printf 's3cret\n' >value
printf 'wrong' >wrong
export VALUE=s3cret

# signs WHAT KEY ARGUMENT...: a request by that key, with these options.
signs() {
    local what=$1 key=$2
    shift 2
    succeeds "$what" csr --key "$key" --subject /CN=x --out auth.csr \
        --force "$@"
    plain_openssl req -in auth.csr -verify -noout >verify 2>&1 ||
        fail "the request does not verify"
}

say "A key with a value"
succeeds "is made with one from a file" \
    keygen --auth-source file:value --out key.pem
succeeds "show says that it has one" show --json key.pem
assert_equal "in JSON" true "$(json '.[0].needs_auth')"
signs "it signs with the value from the file" key.pem --auth-source file:value
signs "and from the environment" key.pem --auth-source env:VALUE
DEVID_AUTH_SOURCE=env:VALUE signs "and by the setting's variable" key.pem
DEVID_AUTH_SOURCE=file:wrong signs "where the option wins" \
    key.pem --auth-source file:value
refuses "it does not without" "needs its auth value" \
    csr --key key.pem --subject /CN=x --out none
refuses "nor with another value" "auth value" \
    csr --key key.pem --subject /CN=x --out none --auth-source file:wrong
succeeds "devid test takes the value as well" \
    test --repeat 1 --auth-source file:value key.pem
succeeds "a persistent key with a value" \
    keygen --auth-source env:VALUE --persist 0x81000010 --out stays.pem
signs "signs with it" stays.pem --auth-source file:value
refuses "and not without" "auth value" \
    csr --key stays.pem --subject /CN=x --out none

say "On the terminal"
if command -v script >/dev/null; then
    typed s3cret | script -qec "'$DEVID' csr --key key.pem --subject /CN=x \
        --out typed.csr" terminal >/dev/null
    assert_contains "the value is asked for" \
        "The authorisation value of key.pem:" "$(<terminal)"
    [[ -s typed.csr ]] || fail "the typed value did not do: $(<terminal)"
    typed new new | script -qec "'$DEVID' keygen --auth-source prompt \
        --out typed.pem" terminal >/dev/null
    VALUE=new signs "a new one is asked for, and does" typed.pem \
        --auth-source env:VALUE
    typed one other | script -qec "'$DEVID' keygen --auth-source prompt \
        --out none" terminal >/dev/null || true
    [[ ! -e none ]] || fail "two values that differ made a key"
    say "  ok: two that differ make no key"
    [[ $(<terminal) != *other* ]] || fail "the value was echoed"
fi

say "Sources that are none"
refuses "the value itself" "never stands on a command line" \
    keygen --auth-source s3cret --out none
[[ $ERRORS != *s3cret* ]] || fail "the message holds the secret"
refuses "a file that is not there" "nowhere cannot be read" \
    keygen --auth-source file:nowhere --out none
refuses "a variable that is not set" "there is no NOWHERE" \
    keygen --auth-source env:NOWHERE --out none
head -c 2000 /dev/zero | tr '\0' x >long
refuses "a value that is too long" "at most 1024 bytes" \
    keygen --auth-source file:long --out none
head -c 33 long >longer
refuses "a value that is too long for a TPM" "33 bytes" \
    keygen --auth-source file:longer --out none
[[ ! -e none ]] || fail "a failure left a file"

say "Hierarchies and parents with a value"
tpm2_changeauth -Q -c owner s3cret
refuses "the owner's value is missing" "has an auth value" \
    keygen --persist 0x81000011 --out none
succeeds "given, the handle is made" \
    keygen --persist 0x81000011 --owner-auth-source file:value --out owned.pem
refuses "to free it takes the value, too" "auth value" \
    delete --yes tpm2:handle=0x81000011
succeeds "given, it is freed" \
    delete --yes --owner-auth-source env:VALUE tpm2:handle=0x81000011
