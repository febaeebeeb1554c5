#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A key does not leave its TPM: it is fixed to it, and the TPM refuses to
# duplicate it for who has the owner's rights; another TPM does not load its file.
#
# Usage: stays.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# duplicate KEY: for a parent that anybody could have made. Its role takes a
# policy session, and the policy that a key of devid's does not have.
duplicate() {
    tpm2_startauthsession -Q --policy-session -S session
    tpm2_policycommandcode -Q -S session -L policy TPM2_CC_Duplicate
    tpm2_duplicate -C parent.ctx -c "$1" -G null -p session:session \
        -r duplicate.priv -s duplicate.seed
}

# ends: what the last duplicate left in the TPM.
ends() {
    tpm2_flushcontext session || true
    tpm2_flushcontext -t
}

# assert_fixed KEY: its public area says so, as the TPM shows it.
assert_fixed() {
    assert_contains "$1: its attributes" \
        "fixedtpm|fixedparent|sensitivedataorigin" \
        "$(tpm2_readpublic -c "$1")"
}

harness_dir
cd "$WORK"
start_device bare
tpm2_createprimary -Q -C o -g sha256 -G ecc -c parent.ctx
tpm2_flushcontext -t

say "What may leave does: so would a key of devid's"
tpm2_startauthsession -Q -S trial
tpm2_policycommandcode -Q -S trial -L leave.policy TPM2_CC_Duplicate
tpm2_flushcontext trial
tpm2_create -Q -C 0x81000001 -G ecc -L leave.policy \
    -a "sensitivedataorigin|userwithauth|sign" -u leave.pub -r leave.priv
tpm2_load -Q -C 0x81000001 -u leave.pub -r leave.priv -c leave.ctx
tpm2_flushcontext -t
duplicate leave.ctx
[[ -s duplicate.priv ]] || fail "nothing was duplicated"
rm duplicate.*
ends

say "A key in the TPM"
for algorithm in ec-p256 rsa-2048; do
    "$DEVID" keygen --algorithm $algorithm --persist 0x81000021 \
        --out $algorithm.key
    assert_fixed 0x81000021
    assert_fails "$algorithm: to duplicate it" duplicate 0x81000021
    assert_contains "is refused by the TPM" "Esys_Duplicate" "$OUTPUT"
    [[ ! -e duplicate.priv ]] || fail "$algorithm: it was duplicated"
    ends
    "$DEVID" delete tpm2:handle=0x81000021 --yes >/dev/null 2>&1 ||
        tpm2_evictcontrol -Q -C o -c 0x81000021
done

say "A key in a file"
"$DEVID" keygen --out file.key
assert_contains "its file says so" "fixedTPM, fixedParent" \
    "$("$DEVID" show file.key)"
stop_tpm
start_tpm --srk other
assert_fails "another TPM does not load it" \
    "$DEVID" csr --key file.key --subject /CN=x --out -
assert_contains "and says whose it is not" "TPM" "$OUTPUT"
