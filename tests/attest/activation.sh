#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Challenges that are made without a TPM, answered by one: each EK gives up the
# secret for a key that its TPM holds, and for no other.
#
# Usage: activation.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir
cd "$WORK"

# certified INDEX NAME: the public key that the certificate in an NV index has,
# NAME.spki.
certified() {
    tpm2_nvread -Q -C o "$1" -o "$2.nv"
    plain_openssl x509 -inform DER -in "$2.nv" -noout -pubkey |
        plain_openssl pkey -pubin -outform DER -out "$2.spki"
}

# made ALGORITHM HANDLE NAME: an EK of the template for ALGORITHM at HANDLE, its
# public key in NAME.spki. False where the TPM has no such keys.
made() {
    tpm2_createek -Q -G "$1" -c "$3.context" 2>"$3.log" || return 1
    tpm2_evictcontrol -Q -C o -c "$3.context" "$2"
    tpm2_flushcontext -t
    tpm2_readpublic -Q -c "$2" -f der -o "$3.spki"
}

# answer HANDLE RANGE BLOB: what the TPM's EK at HANDLE reads in a challenge for
# the key in key.context. An EK of the low range has a policy alone.
answer() {
    local auth=() status=0
    if [[ $2 == low ]]; then
        tpm2_startauthsession --policy-session -S session
        tpm2_policysecret -Q -S session -c e
        auth=(-P session:session)
    fi
    tpm2_activatecredential -Q -c key.context -C "$1" -i "$3" -o answer \
        "${auth[@]}" || status=$?
    if [[ $2 == low ]]; then
        tpm2_flushcontext session
    fi
    tpm2_flushcontext -t
    return "$status"
}

# challenge_ek WHAT HANDLE RANGE NAME: the EK at HANDLE answers for a key of its
# TPM, has the Name of its template, and does not answer for another key.
challenge_ek() {
    local what=$1 handle=$2 range=$3 spki=$4.spki name
    name=$("$BUILD_DIR/tests/attest/challenge" "$spki" "$range" key.name \
        secret blob)
    tpm2_readpublic -Q -c "$handle" -n ek.name
    assert_equal "$what: its Name is that of the template" \
        "$(od -An -v -tx1 ek.name | tr -d ' \n')" "$name"
    rm -f answer
    answer "$handle" "$range" blob 2>answer.log ||
        fail "$what: $(<answer.log)"
    cmp -s secret answer || fail "$what: the secret came back changed"
    say "  ok: $what: the secret comes back"
    "$BUILD_DIR/tests/attest/challenge" "$spki" "$range" other.name \
        secret blob >/dev/null
    assert_fails "$what: another key's Name" answer "$handle" "$range" blob
    assert_contains "$what: the TPM finds the integrity wrong" \
        "integrity check failed" "$OUTPUT"
}

start_vendor_tpm
attributes='fixedtpm|fixedparent|sensitivedataorigin|userwithauth'
tpm2_createprimary -Q -C e -g sha256 -G ecc256:ecdsa-sha256:null \
    -a "$attributes|restricted|sign" -c key.context
tpm2_readpublic -Q -c key.context -n key.name
tpm2_flushcontext -t
{
    head -c 2 key.name
    head -c 32 /dev/urandom
} >other.name
head -c 32 /dev/urandom >secret

say "EKs that the vendor made"
certified 0x01c00002 rsa-2048
challenge_ek "RSA-2048, low range" 0x81010001 low rsa-2048
certified 0x01c00016 ec-p384
challenge_ek "P-384, high range" 0x81010016 high ec-p384

say "EKs by the templates"
made ecc256 0x81010002 ec-p256 || fail "no EK on P-256: $(<ec-p256.log)"
challenge_ek "P-256, low range" 0x81010002 low ec-p256
for more in rsa3072:0x81010003 ecc521:0x81010004; do
    if made "${more%:*}" "${more#*:}" "${more%:*}"; then
        challenge_ek "${more%:*}, high range" "${more#*:}" high "${more%:*}"
    else
        say "  skipped: this TPM makes no EK of ${more%:*}"
    fi
done
