#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Key files that openssl_tpm2_engine made, some with policies, sign through
# openssl with devid, on the TPM that they were made in. They are no part of
# this project: DEVID_PEER_DATA says where they are; without it, or without the
# state of that TPM, the test is skipped (exit code 77).
#
# Usage: policy_files.sh bare|managed [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
SHARING=${ARGS[0]:?bare or managed}
FILES=${DEVID_PEER_DATA:-}/tss2/made
[[ -e $FILES/swtpm-state/tpm2-00.permall ]] || {
    say "skipped: there is no $FILES"
    exit 77
}

# sign NAME [PASSWORD]: through openssl; OUTPUT is what it complained of.
sign() {
    trace_reset
    OUTPUT=$(with_devid openssl dgst -sha256 -sign "$FILES/$1.tpm" \
        ${2:+-passin "pass:$2"} -out "$WORK/signature" "$WORK/data" 2>&1)
}

# signs NAME COMMANDS [PASSWORD]: it does, by just these TPM commands, and
# OpenSSL alone verifies it.
signs() {
    sign "$1" "${3:-}" || fail "$1 does not sign: $OUTPUT"
    assert_equal "$1 signs" "$2" "$(trace_list)"
    with_devid openssl pkey -in "$FILES/$1.tpm" ${3:+-passin "pass:$3"} \
        -pubout -out "$WORK/public"
    plain_openssl dgst -sha256 -verify "$WORK/public" \
        -signature "$WORK/signature" "$WORK/data" >"$WORK/verified" ||
        fail "$1: its signature does not verify"
}

# refused WHAT SENTENCE NAME [PASSWORD]
refused() {
    ! sign "$3" "${4:-}" || fail "$1: $3 signed"
    assert_contains "$1" "$2" "$OUTPUT"
}

harness_dir
start_tpm --state "$FILES/swtpm-state/tpm2-00.permall"
openssl_conf "$WORK/openssl.cnf"
printf 'signed\n' >"$WORK/data"
start_trace
export DEVID_TPM2_SHARING=$SHARING

# The TPM was switched off hard, so that it takes its first use of a key that
# counts towards the lockout for a restart, and wants the command again.
first_da=Sign:0x922
case $SHARING in
bare)
    load="CreatePrimary Load FlushContext ContextSave"
    end=" FlushContext" more=""
    ;;
managed)
    load="CreatePrimary Load FlushContext"
    # of the key that stayed loaded; and of the HMAC session
    end=" FlushContext" more=" FlushContext"
    ;;
*) fail "bare or managed, not $SHARING" ;;
esac

say "Without a policy"
signs ec_p256_plain "$load Sign$end"
signs ec_p384_plain "$load Sign$end"
signs rsa2048_plain "$load RSA_Decrypt$end"
signs ec_p256_da "$load $first_da Sign$end"
signs ec_p256_auth_passw0rd \
    "$load ReadPublic StartAuthSession Sign$end$more" passw0rd
case $SHARING in
bare) signs ec_p256_parent_81000001 "ReadPublic Load ContextSave Sign$end" ;;
managed) signs ec_p256_parent_81000001 "ReadPublic Load Sign$end" ;;
esac

say "With a policy"
signs ec_p256_pcrlock "$load StartAuthSession PolicyPCR Sign$end"
signs ec_p256_policy_secret_nv "$load StartAuthSession NV_ReadPublic \
ReadPublic StartAuthSession PolicySecret Sign$end$more" nvpass
refused "a command that nobody has" \
    "the key's policy has a command 0x0, which devid does not know" \
    ec_p256_policy_bogus
refused "a wrong value for PolicySecret" "the TPM refused the auth value \
given for 0x01500001, which its policy names," ec_p256_policy_secret_nv wrong

say "An importable one"
"$DEVID" convert --in "$FILES/ec_p256_importable.tpm" --out "$WORK/imported.tpm"
FILES=$WORK signs imported "$load Sign$end"

say "Another boot state"
tpm2_pcrextend "11:sha256=$(sha256sum <"$WORK/data" | cut -d ' ' -f 1)"
refused "a PCR that was extended" "one or more of the PCRs sha256:7,11 have \
not the values that this key is bound to" ec_p256_pcrlock
assert_contains "what to do" "start it as it was" "$OUTPUT"
assert_equal "its commands" \
    "$load StartAuthSession PolicyPCR:0x1c4 FlushContext$end" "$(trace_list)"

say "Keys of other TPMs, and what is no key to sign with"
for name in go_p256-authvalue go_skey; do
    FILES=$DEVID_PEER_DATA/tss2 refused "$name" "this key does not load" \
        "$name" any
done
refused "a key that is to be imported" "devid convert" ec_p256_importable
refused "sealed data" "holds sealed data, which is no key" sealed

assert_equal "no object was left in the TPM" "" \
    "$(tpm2_getcap handles-transient)"
assert_equal "no session was left in the TPM" "" \
    "$(tpm2_getcap handles-loaded-session)"
