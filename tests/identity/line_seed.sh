#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a TPM's authorisations are made from lies in its NV while they are set.
# Who had the TPM before may have written there what he knows: devid provision
# --lock does not take it.
#
# Usage: line_seed.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
make_line
SEED=0x01800d1d
ATTRIBUTES='ownerwrite|ownerread|authwrite|authread|no_da'

# plant FIRST-BYTE [ATTRIBUTES [SIZE]]: such a seed, whose other bytes are zero.
# OWNER: of who has the owner's value.
plant() {
    local owner=(${OWNER:+-P "$OWNER"}) size=${3:-33}
    tpm2_nvundefine -Q -C o "${owner[@]}" "$SEED" 2>/dev/null || true
    tpm2_nvdefine -Q -C o "${owner[@]}" -s "$size" -a "${2:-$ATTRIBUTES}" "$SEED"
    {
        # shellcheck disable=SC2059
        printf "\\x$1"
        head -c $((size - 1)) /dev/zero
    } >planted
    tpm2_nvwrite -Q -C "$SEED" -i planted "$SEED"
}

# value NAME: that of the seed of zeros.
value() {
    printf %s "$1" | openssl dgst -sha256 -mac hmac -macopt \
        "hexkey:$(printf '00%.0s' {1..32})" -binary | head -c 24 | base64 -w 0
}

# set_now: which of owner, endorsement and lockout authorisation are set.
set_now() {
    tpm2_getcap properties-variable |
        sed -nE 's/.*(owner|endorsement|lockout)AuthSet: *//p' | xargs
}

# escrowed NAME: a value out of what the station keeps, in the file NAME.
escrowed() {
    ledger "select writefile('escrow.cms', escrow) from unit" >/dev/null
    openssl cms -decrypt -inform DER -in escrow.cms -inkey escrow.key \
        -recip escrow.pem | jq -rj ".$1 // empty" >"$1"
}

# assert_locked WHAT: by values that nobody knows but who has the escrow key.
assert_locked() {
    local name
    assert_equal "$1: all are set" "1 1 1" "$(set_now)" >/dev/null
    for name in owner endorsement lockout; do
        escrowed "$name"
        [[ $(<"$name") != "$(value "$name")" ]] ||
            fail "$1: the value of $name is who planted it's"
    done
    if tpm2_nvdefine -Q -C o -P "$(value owner)" -s 8 0x01800001 2>/dev/null; then
        fail "$1: the planter's value opens the owner's part"
    fi
    tpm2_nvdefine -Q -C o -P file:owner -s 8 0x01800001 ||
        fail "$1: the escrow does not open the owner's part"
    tpm2_nvundefine -Q -C o -P file:owner 0x01800001
    assert_nothing_left "$1:"
    tpm2_clear -Q -c l file:lockout || fail "$1: nor the lockout's"
    say "  ok: $1"
}

say "Before anything is set"
plant 07
provision --lock >out 2>&1 || fail "$(<out)"
assert_locked "a seed that somebody knows is not taken"
plant 00
provision --lock >out 2>&1 || fail "$(<out)"
assert_locked "nor one by which nothing would be locked"
plant ff
provision --lock >out 2>&1 || fail "$(<out)"
assert_locked "nor one that makes no sense"
plant 07 "$ATTRIBUTES" 40
fails 1 "what is another's there" "NV index 0x01800d1d of this TPM holds something\
 else than what its authorisations were made from, which belongs there: devid list\
 shows it, devid delete frees it" --lock
assert_equal "stays, and nothing is set" "0 0 0" "$(set_now)"
tpm2_nvread -C "$SEED" "$SEED" 2>/dev/null | cmp - planted
tpm2_nvundefine -Q -C o "$SEED"

say "Where the owner's part has a value already"
printf of-the-owner >owners
provision >out 2>&1 || fail "$(<out)"
for first in 06 07 00 05; do
    tpm2_changeauth -Q -c o of-the-owner
    OWNER=of-the-owner plant "$first"
    if [[ $first == 06 ]]; then
        provision --lock --owner-auth-source file:owners >out 2>&1 ||
            fail "$first: $(<out)"
        assert_equal "one of which nothing is set yet is not taken" "1 1 1" \
            "$(set_now)"
        for name in endorsement lockout; do
            escrowed "$name"
            [[ -s $name && $(<"$name") != "$(value "$name")" ]] ||
                fail "the value of $name is who planted it's"
        done
        tpm2_clear -Q -c l file:lockout
        provision >out 2>&1 || fail "$(<out)"
    else
        fails 1 "one that says $first is refused" "holds something else than" \
            --lock --owner-auth-source file:owners
        assert_equal "and nothing more is set" "1 0 0" "$(set_now)"
        assert_equal "nothing is left open" "" \
            "$(tpm2_getcap handles-transient)$(tpm2_getcap handles-loaded-session)"
        tpm2_nvundefine -Q -C o -P of-the-owner "$SEED"
        tpm2_changeauth -Q -c o -p of-the-owner ''
    fi
done

# half_locked: killed when the owner's value is set, with all that it needs to
# go on.
half_locked() {
    trace_reset
    fault "hold HierarchyChangeAuth after=1 times=1"
    EXEC="exec" provision --lock >out 2>&1 &
    fault_holds $!
    {
        kill -KILL $!
        wait $! || true
    } 2>/dev/null
    fault_clear
    restart_tpm TERM
}
say "Half way"
half_locked
assert_equal "the owner's value alone may be set, or one more" 1 \
    "$(set_now | cut -c 1)"
escrowed owner
cp owner first
provision --lock >out 2>&1 || fail "$(<out)"
escrowed owner
assert_equal "who carries on has the values that he handed over" "$(<first)" \
    "$(<owner)"
assert_locked "and they are set"
provision >out 2>&1 || fail "$(<out)"
half_locked
escrowed owner
cp owner first
{
    printf '\7'
    head -c 32 /dev/zero
} >planted
tpm2_nvwrite -Q -C "$SEED" -i planted "$SEED"
fails 1 "who finds another seed than he wrote does not take it" \
    "holds something else than" --lock
assert_equal "the escrow is as it was" "$(<first)" \
    "$(escrowed owner && cat owner)"
