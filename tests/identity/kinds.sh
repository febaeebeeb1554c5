#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every kind of key that the TCG has laid down, against tpm2-tools' making of
# the same; what is at their handles already, and is not what belongs there.
#
# Usage: kinds.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
start_tpm --ek

IDEVID_ATTRIBUTES='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|adminwithpolicy|sign'
IAK_ATTRIBUTES="$IDEVID_ATTRIBUTES|restricted"
IDEVID_256=ad6b3a2284fd698a0710bf5cc1b9bdf15e2532e3f601fa4b93a6a8fa8de579ea
IAK_256=5437182326e414fca797d5f174615a1641f61255797c3a2b22c21d120b2d1e07
IDEVID_384=4db1aa836d0b5615df6ee53a40ef70c61c217f4303d44695925972bc927006cf
IDEVID_384+=a5cbdf6dc18c4dbe329b2f1542c3dd33
IAK_384=129d94ebf84556652c6eef43bbb757512ac87e52be7b349ca6ce4d826f749fcf
IAK_384+=672f51716c5cbb605f313bf345aab312

# unique FORM WORD: a template's `unique` as tpm2_createprimary reads it: FORM is
# rsa, both (x and y) or x. A TPM2B's size is in the machine's own order.
unique() {
    local word=$2 size
    size=$(printf '\\x%02x\\x00' "${#word}")
    # shellcheck disable=SC2059
    printf "$size$word"
    [[ $1 != rsa ]] || return 0
    head -c $((128 - ${#word})) /dev/zero
    [[ $1 == both ]] || size='\x00\x00' word=
    # shellcheck disable=SC2059
    printf "$size$word"
}

# make HIERARCHY HASH ALGORITHM ATTRIBUTES POLICY FORM WORD: a primary key by
# tpm2-tools, in $WORK/made.context; prints its public area.
make() {
    unique "$6" "$7" >"$WORK/unique"
    # shellcheck disable=SC2059
    # shellcheck disable=SC2001
    printf "$(sed 's/../\\x&/g' <<<"$5")" >"$WORK/policy"
    tpm2_createprimary -Q -C "$1" -g "$2" -G "$3" -a "$4" -L "$WORK/policy" \
        -u "$WORK/unique" -c "$WORK/made.context"
    tpm2_readpublic -Q -c "$WORK/made.context" -o "$WORK/made.pub"
    tpm2_flushcontext -t
    hex "$WORK/made.pub" | cut -c 5-
}

# forget [HANDLE...]: evict what is there: IAK and IDevID.
forget() {
    local handle
    (($#)) || set -- 0x81020000 0x81020001
    for handle; do
        tpm2_evictcontrol -Q -C o -c "$handle"
    done
}

# keep HANDLE: put what was made there.
keep() {
    tpm2_evictcontrol -Q -C o -c "$WORK/made.context" "$1"
    tpm2_flushcontext -t
}

# answers WHAT [OPTION...]: a challenge to the device's IAK is answered.
answers() {
    local what=$1 name=$2
    shift 2
    challenge "for $what" "$name"
    device "$@" activate
    assert_equal "$what: the challenge is answered" "for $what" \
        "$(<"$(field answer)")"
}

# check ALGORITHM HASH PARMS-OF-IAK PARMS-OF-IDEVID FORM: IAK and IDevID of one
# algorithm.
check() {
    local algorithm=$1 hash=$2 iak_policy=IAK_${2#sha} idevid_policy=IDEVID_${2#sha}
    device --algorithm "$algorithm" request >/dev/null
    assert_equal "$algorithm: the IAK is the TCG's" \
        "$(make e "$hash" "$3" "$IAK_ATTRIBUTES" "${!iak_policy}" "$5" IAK)" \
        "$(hex "$(field attestPub)")"
    assert_equal "$algorithm: the IDevID is the TCG's" \
        "$(make e "$hash" "$4" "$IDEVID_ATTRIBUTES" "${!idevid_policy}" "$5" \
            IDEVID)" "$(hex "$(field signingPub)")"
    printf contents >"$(field contents)"
    openssl dgst "-$hash" -binary -out "$(field digest)" "$(field contents)"
    device sign
    tpm2_verifysignature -c 0x81020000 -g "$hash" -m "$(field contents)" \
        -s "$(field signature)" || fail "$algorithm: the IDevID's signature"
    tpm2_verifysignature -c 0x81020001 -g "$hash" -m "$(field sgnCertifyInfo)" \
        -s "$(field sgnCertifyInfoSig)" || fail "$algorithm: the certification"
    tpm2_verifysignature -c 0x81020001 -g "$hash" -m "$(field atCertifyInfo)" \
        -s "$(field atCertifyInfoSig)" || fail "$algorithm: the creation"
    say "  ok: $algorithm: its signatures"
    answers "$algorithm" "$(tpm2_readpublic -c 0x81020001 |
        sed -n 's/^name: //p')"
    assert_nothing_left "$algorithm:"
}

say "IAK and IDevID of each algorithm"
check ec-p256 sha256 ecc256:ecdsa-sha256:null ecc256:ecdsa-sha256:null both
forget
check ec-p384 sha384 ecc384:ecdsa-sha384:null ecc384:ecdsa-sha384:null both
assert_fails "another algorithm than that of what is there" \
    device --algorithm ec-p256 request
assert_contains "is refused" "the key at handle 0x81020001 of this TPM is no\
 ec-p256 IAK as the TCG's template has it" "$OUTPUT"
forget 0x81020001
device request >/dev/null
assert_equal "an IAK that is missing is made like the IDevID" \
    "0x81020000 0x81020001" "$(tpm2_getcap handles-persistent |
        sed -n 's/^- \(0x8102.*\)/\1/p' | xargs)"
forget
check rsa-2048 sha256 rsa2048:rsapss-sha256:null rsa2048:null:null rsa
forget

say "Endorsement keys"
start_trace
device --ek ec-p384 request >"$WORK/out"
assert_equal "the high-range P-384 one" \
    "EK ECC P-384 (H-3) at 0x81010016, certificate at 0x01c00016" \
    "$(<"$WORK/out")"
trace_reset
answers "P-384" "$(public_of attestPub)" --ek 0x81010016
assert_equal "has no session of its own" "ReadPublic ReadPublic\
 StartAuthSession PolicySecret PolicyCommandCode PolicyOR ActivateCredential" \
    "$(commands)"
NAME=$(hex "$(field ekPub)")
forget 0x81010016
device --ek ec-p384 request >/dev/null
assert_equal "one that is not persistent is made again" "$NAME" \
    "$(hex "$(field ekPub)")"
device request >/dev/null
NAME=$(hex "$(field ekPub)")
forget 0x81010001 0x81010016
device request >"$WORK/out"
assert_equal "RSA too, at its handle" \
    "EK RSA 2048 (L-1) at 0x81010001, certificate at 0x01c00002" \
    "$(<"$WORK/out")"
assert_equal "and it is the same" "$NAME" "$(hex "$(field ekPub)")"
answers "a made EK" "$(public_of attestPub)"
device --ek ec-p256 request >"$WORK/out"
assert_equal "a P-256 one, of which the maker knew nothing, beside it" \
    "EK ECC P-256 (L-2) at 0x81010002, certificate at 0x00000000" \
    "$(<"$WORK/out")"
tpm2_createek -Q -G ecc -c "$WORK/ek.context" -u "$WORK/ek.pub"
tpm2_flushcontext -t
assert_equal "is what tpm2_createek makes" "$(hex "$WORK/ek.pub" | cut -c 5-)" \
    "$(hex "$(field ekPub)")"
answers "P-256" "$(public_of attestPub)" --ek 0x81010002
stop_trace

say "Another maker's forms"
forget
make e sha256 ecc256:ecdsa-sha256:null "$IAK_ATTRIBUTES" "$IAK_256" x IAK \
    >"$WORK/other"
keep 0x81020001
device request >/dev/null
assert_equal "an IAK with an empty y in its template is one" \
    "$(<"$WORK/other")" "$(hex "$(field attestPub)")"
tpm2_verifysignature -c 0x81020001 -g sha256 -m "$(field atCertifyInfo)" \
    -s "$(field atCertifyInfoSig)" || fail "the creation of the other IAK"
forget
make e sha256 ecc256:ecdsa-sha256:null "$IAK_ATTRIBUTES" "$IAK_256" both OWN \
    >"$WORK/other"
keep 0x81020001
device request >/dev/null
assert_equal "an IAK of which nobody knows the template is one" \
    "$(<"$WORK/other")" "$(hex "$(field attestPub)")"
assert_equal "without a word about its creation" "" \
    "$(cat "$(field atCertifyInfo)" "$(field atCertifyInfoSig)" \
        "$(field atCreateTkt)")"
forget

say "What does not belong there"
make o sha256 ecc256:ecdsa-sha256:null "$IAK_ATTRIBUTES" "$IAK_256" both IAK \
    >/dev/null
keep 0x81020001
assert_fails "an IAK of the owner's" device request
assert_contains "is refused" "the key at handle 0x81020001 of this TPM looks\
 like an IAK, and is no primary key of the endorsement hierarchy" "$OUTPUT"
forget
make o sha256 ecc256:ecdsa-sha256:null "$IDEVID_ATTRIBUTES" "$IDEVID_256" both \
    IDEVID >/dev/null
keep 0x81020000
assert_fails "an IDevID of the owner's" device request
assert_contains "is refused" "handle 0x81020000 of this TPM looks like an\
 IDevID, and is no primary key" "$OUTPUT"
forget
tpm2_createprimary -Q -C e -c "$WORK/made.context"
keep 0x81020000
assert_fails "a storage key in the IDevID's place" device request
assert_contains "is refused" "the key at handle 0x81020000 of this TPM is no\
 rsa-2048 IDevID as the TCG's template has it" "$OUTPUT"
assert_equal "and no IAK was made" "" \
    "$(tpm2_getcap handles-persistent | grep -i 0x81020001 || true)"
assert_equal "and it stays" 0x30072 "$(tpm2_readpublic -c 0x81020000 |
    sed -n '/^attributes/,/raw/s/ *raw: //p')"
forget 0x81020000
forget 0x81010001 0x81010002
tpm2_createprimary -Q -C e -c "$WORK/made.context"
keep 0x81010001
assert_fails "a storage key in the EK's place" device request
assert_contains "is refused" "handle 0x81010001 of this TPM holds something\
 else than its EK of kind RSA 2048 (L-1)" "$OUTPUT"
assert_fails "and where it is asked for" device --ek 0x81010001 request
assert_contains "too" "the key at handle 0x81010001 of this TPM is no EK" \
    "$OUTPUT"
forget 0x81010001
assert_fails "an EK that is not there" device --ek 0x81010001 activate
assert_contains "is missed" "there is nothing at handle 0x81010001" "$OUTPUT"
assert_fails "an EK of no kind" device --ek ed25519 request
assert_contains "is refused" "'ed25519' is no EK: give its persistent handle" \
    "$OUTPUT"
assert_fails "an IDevID of no kind" device --algorithm rsa-pss-3072 request
assert_contains "is refused" "'rsa-pss-3072' is none of the TCG's: IAK and\
 IDevID are ec-p256" "$OUTPUT"
export DEVICE_URI=pkcs11:token=factory
assert_fails "a token" device request
assert_contains "has no such keys" "a PKCS#11 device has no endorsement key,\
 so it cannot prove an identity to a station" "$OUTPUT"
unset DEVICE_URI
assert_nothing_left
stop_tpm

say "A TPM without certificates"
start_tpm bare
device request >"$WORK/out"
assert_equal "has an RSA EK" \
    "EK RSA 2048 (L-1) at 0x81010001, certificate at 0x00000000" \
    "$(<"$WORK/out")"
assert_equal "and no certificate of it" "" "$(hex "$(field ekCert)")"
