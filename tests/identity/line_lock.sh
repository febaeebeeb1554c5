#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid provision --lock: the TPM's authorisations are kept by the station, set,
# and of use to who has the escrow key. devid decommission ends the identity; a
# new owner begins another one with the same keys.
#
# Usage: line_lock.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
make_line

# escrowed NAME: a value out of what the station keeps, in the file NAME.
escrowed() {
    ledger "select writefile('escrow.cms', escrow) from unit" >/dev/null
    openssl cms -decrypt -inform DER -in escrow.cms -inkey escrow.key \
        -recip escrow.pem | jq -rj ".$1" >"$1"
}

# opens_all WHAT: what is escrowed now opens all three hierarchies.
opens_all() {
    local name
    for name in owner endorsement lockout; do
        escrowed "$name"
    done
    {
        tpm2_nvdefine -Q -C o -P file:owner -s 8 0x01800001 &&
            tpm2_nvundefine -Q -C o -P file:owner 0x01800001
    } || fail "$1: not the owner's part"
    tpm2_createprimary -Q -C e -P file:endorsement -c made.context ||
        fail "$1: not the endorsement's part"
    tpm2_flushcontext -t
    tpm2_dictionarylockout -Q --clear-lockout -p file:lockout ||
        fail "$1: not the lockout's part"
    say "  ok: $1"
}

say "In one go"
provision --lock >out || fail "$(<out)"
assert_equal "its steps" "station keys enrol activate nv disk test lock" \
    "$(awk '{ print $1 }' out | xargs)"
assert_equal "it took these commands more" "GetCapability NV_DefineSpace\
 StartAuthSession NV_Write ReadPublic Sign\
 DictionaryAttackParameters\
 ReadPublic:0x18b GetCapability CreatePrimary EvictControl FlushContext\
 StartAuthSession\
 HierarchyChangeAuth HierarchyChangeAuth HierarchyChangeAuth\
 NV_ReadPublic StartAuthSession NV_UndefineSpace ReadPublic Sign" \
    "$(commands | cut -d ' ' -f 33-)"
assert_equal "which are 53 in all" 53 "$(commands | wc -w)"
assert_equal "the station has it" "locked 1" \
    "$(ledger "select state || ' ' || (length(escrow) > 0) from unit")"
assert_whole "locked"
assert_equal "all are set" "1 1 1" "$(tpm2_getcap properties-variable |
    sed -nE 's/.*(owner|endorsement|lockout)AuthSet: *//p' | xargs)"
assert_equal "and the dictionary-attack parameters" "0x20 0x258 0x15180" \
    "$(tpm2_getcap properties-variable |
        sed -nE 's/^TPM2_PT_(MAX_AUTH_FAIL|LOCKOUT_INTERVAL|LOCKOUT_RECOVERY): //p' |
        xargs)"

say "Who has the escrow key"
for name in owner endorsement lockout; do
    escrowed "$name"
    assert_equal "has a value of $name" 32 "$(wc -c <"$name")"
    ! grep -q "$(hex_of "$name" | tr A-F a-f)" raw ||
        fail "that of $name crossed the bus in clear"
    ! grep -qF "$(<"$name")" station.log ||
        fail "that of $name is in the station's log"
done
assert_fails "without it the owner's part is closed" \
    tpm2_nvdefine -Q -C o -s 8 0x01800001
opens_all "they open it"

say "Once more"
trace_reset
provision >out || fail "$(<out)"
assert_contains "the unit is recognised" "locked already: unit" "$(<out)"
assert_equal "by these commands" "GetCapability GetCapability ReadPublic\
 ReadPublic ReadPublic NV_ReadPublic GetCapability NV_Read CreatePrimary:0x9a2\
 GetCapability GetCapability NV_ReadPublic:0x18b ReadPublic Sign" "$(commands)"
provision --lock >out || fail "$(<out)"
provision --lock --endorsement-auth-source file:endorsement \
    --owner-auth-source file:owner >out || fail "$(<out)"
assert_equal "with the values all steps are taken" \
    "station keys enrol activate nv disk test" "$(awk '{ print $1 }' out | xargs)"
provision --endorsement-auth-source file:endorsement \
    --owner-auth-source file:owner >out || fail "$(<out)"
assert_equal "and it is as locked as before" locked \
    "$(ledger 'select state from unit')"
assert_whole "once more"
mv id moved
fails 5 "without its folder it needs the values" "has an auth value, and none\
 was given"
mv moved id

say "Cleared by who has the value"
# set_now: which of owner, endorsement and lockout authorisation are set.
set_now() {
    tpm2_getcap properties-variable |
        sed -nE 's/.*(owner|endorsement|lockout)AuthSet: *//p' | xargs
}
# cleared: as TPM2_Clear leaves it.
cleared() {
    tpm2_clear -Q -c l file:lockout
    assert_equal "nothing is set" "0 0 0" "$(set_now)" >/dev/null
}
cleared
provision >out || fail "$(<out)"
assert_equal "the unit is back, and not said to be locked" tested \
    "$(ledger 'select state from unit')"
assert_whole "not locked"
provision --lock >out || fail "$(<out)"
assert_equal "locked again" "locked 1 1 1" \
    "$(ledger 'select state from unit') $(set_now)"
opens_all "what the station keeps opens it"
cp owner before
cleared
provision --lock >out || fail "$(<out)"
assert_equal "locked at once" "locked 1 1 1" \
    "$(ledger 'select state from unit') $(set_now)"
opens_all "what the station keeps opens it, too"
show=$("$STATION" show --dir line --json SN1)
assert_equal "what it kept before is not lost" "3 $(<before)" \
    "$(jq '.escrows | length' <<<"$show") $(
        jq -r '.escrows[1].cms' <<<"$show" | base64 -d | openssl cms -decrypt \
            -inform DER -inkey escrow.key -recip escrow.pem | jq -r .owner)"
assert_equal "and its log has a hash of each" "" "$(jq -r '.escrows[].sha256' \
    <<<"$show" | grep -vFf <(jq -r '.history[].detail' <<<"$show" |
        sed -n 's/^again: escrow //p') || true)"
assert_contains "show says that there are more" "yes, 3 in all (--json)" \
    "$("$STATION" show --dir line SN1)"
assert_whole "locked once more"

say "Decommissioned"
assert_fails "a locked unit needs a value" "$DEVID" decommission \
    --ca line/ca.pem --dir "$WORK/id"
assert_contains "of the owner" "auth value" "$OUTPUT"
assert_equal "the station was told" retired "$(ledger 'select state from unit')"
assert_equal "and has revoked both certificates" 2 \
    "$(ledger 'select count(*) from certificate where revoked_ms > 0')"
"$DEVID" decommission --ca line/ca.pem --dir "$WORK/id" --json \
    --owner-auth-source file:owner >out
assert_equal "with it the device forgets" "retire device disk" \
    "$(jq -r 'select(.event == "step") | .step' out | xargs)"
assert_equal "its keys, not the owner's" "0x81000001 0x81010001" "$(tpm2_getcap handles-persistent |
    sed -n 's/^- //p' | grep -v 0x81010016 | xargs)"
assert_equal "their certificates" "" \
    "$(tpm2_getcap handles-nv-index | grep -i 0x1c9 || true)"
assert_equal "its folder" "" "$(find . -maxdepth 1 -name 'id*')"
assert_nothing_left
"$DEVID" decommission --dir "$WORK/id" >out
say "  ok: and once more"

say "A new owner"
"$DEVID" decommission --offline --clear --lockout-auth-source file:lockout \
    --dir "$WORK/id" >out
assert_contains "the TPM is cleared" "the TPM is as its maker delivers it" \
    "$(<out)"
assert_equal "nothing is set" "0 0 0" "$(tpm2_getcap properties-variable |
    sed -nE 's/.*(owner|endorsement|lockout)AuthSet: *//p' | xargs)"
fails 3 "a retired unit does not come back by itself" "retired"
provision --new-owner >out || fail "$(<out)"
assert_equal "it does for a new owner" "SN1 tested 2" \
    "$(ledger "select serial || ' ' || state || ' ' || generation from unit")"
assert_equal "with certificates of its own" 2 \
    "$(ledger 'select count(*) from certificate where revoked_ms = 0')"
provision --new-owner >out || fail "$(<out)"
assert_equal "once" 2 "$(ledger 'select generation from unit')"

say "A station that keeps no authorisations"
sed -i '/^escrow = /d' line/station.conf
stop_station
start_station
fails 3 "is none to lock at" "keeps no authorisations, so nobody could ever undo\
 --lock" --lock
assert_equal "and nothing is set" "0 0 0" "$(tpm2_getcap properties-variable |
    sed -nE 's/.*(owner|endorsement|lockout)AuthSet: *//p' | xargs)"
