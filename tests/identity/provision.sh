#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device is provisioned: a request that a station can check with tools of its
# own, its challenge answered, the certificates kept. Each TPM command is
# counted.
#
# Usage: provision.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
start_tpm --ek
start_trace

say "A request for an identity"
OUTPUT=$(device request)
assert_equal "the EK is the one that has a certificate" \
    "EK RSA 2048 (L-1) at 0x81010001, certificate at 0x01c00002" "$OUTPUT"
assert_equal "its commands" "GetCapability GetCapability ReadPublic\
 NV_ReadPublic GetCapability NV_Read\
 CreatePrimary CertifyCreation EvictControl FlushContext\
 CreatePrimary EvictControl FlushContext\
 StartAuthSession PolicySecret PolicyCommandCode PolicyOR Certify" \
    "$(commands)"
assert_nothing_left

say "What a station sees"
IAK=$(public_of attestPub)
IDEVID=$(public_of signingPub)
assert_equal "the IAK's Name is what the TPM has at 0x81020001" "$IAK" \
    "$(tpm2_readpublic -c 0x81020001 | sed -n 's/^name: //p')"
assert_equal "the IDevID's Name is what the TPM has at 0x81020000" "$IDEVID" \
    "$(tpm2_readpublic -c 0x81020000 | sed -n 's/^name: //p')"
assert_equal "the IAK's attributes" 0x500f2 "$(tpm2_readpublic -c 0x81020001 |
    sed -n '/^attributes/,/raw/s/ *raw: //p')"
assert_equal "the IDevID's attributes" 0x400f2 \
    "$(tpm2_readpublic -c 0x81020000 |
        sed -n '/^attributes/,/raw/s/ *raw: //p')"
assert_contains "the IAK's policy is the TCG's" \
    5437182326e414fca797d5f174615a1641f61255797c3a2b22c21d120b2d1e07 \
    "$(hex "$(field attestPub)")"
assert_contains "the IDevID's policy is the TCG's" \
    ad6b3a2284fd698a0710bf5cc1b9bdf15e2532e3f601fa4b93a6a8fa8de579ea \
    "$(hex "$(field signingPub)")"
assert_signed "the IAK has signed its own creation" \
    attestPub atCertifyInfo atCertifyInfoSig
assert_contains "which names the IAK" "$IAK" "$(hex "$(field atCertifyInfo)")"
assert_equal "and its ticket is the endorsement hierarchy's" 80214000000b0040 \
    "$(hex "$(field atCreateTkt)" | cut -c 1-16)"
assert_signed "the IAK has certified the IDevID" \
    attestPub sgnCertifyInfo sgnCertifyInfoSig
assert_contains "by its Name" "$IDEVID" "$(hex "$(field sgnCertifyInfo)")"
openssl x509 -inform DER -in "$(field ekCert)" -out "$WORK/ek.pem"
assert_equal "the EK's certificate is its maker's" "$WORK/ek.pem: OK" \
    "$(openssl verify -CAfile "$WORK/tpm-ca/swtpm-localca-rootca-cert.pem" \
        -untrusted "$WORK/tpm-ca/cert.pem" "$WORK/ek.pem")"
public_of ekPub >/dev/null
assert_equal "and has the EK's public key" \
    "$(openssl pkey -pubin -in "$(field ekPub).pem" -outform DER | openssl sha256)" \
    "$(openssl x509 -in "$WORK/ek.pem" -noout -pubkey |
        openssl pkey -pubin -outform DER | openssl sha256)"

say "The IDevID signs"
trace_reset
printf contents >"$(field contents)"
openssl dgst -sha256 -binary -out "$(field digest)" "$(field contents)"
device sign
assert_equal "its commands, in a process of its own" "ReadPublic Sign" \
    "$(commands)"
assert_signed "what it was given" signingPub contents signature

say "A challenge"
challenge "only this device" "$IAK"
trace_reset
device --ek 0x81010001 activate
assert_equal "the answer is the secret" "only this device" \
    "$(<"$(field answer)")"
assert_equal "its commands, in a process of its own" \
    "ReadPublic ReadPublic StartAuthSession PolicySecret PolicyCommandCode\
 PolicyOR StartAuthSession PolicySecret ActivateCredential" "$(commands)"
assert_nothing_left

say "Challenges that are not for this device"
challenge "another IAK" "000b$(printf '%064d' 7)"
assert_fails "one for another IAK" device --ek 0x81010001 activate
assert_contains "says so" "this challenge is not for this device: it was made\
 for another EK than the one at 0x81010001 (RSA 2048 (L-1)), or for another IAK" \
    "$OUTPUT"
challenge "this device" "$IAK"
printf '\x00' | dd of="$(field challenge)" bs=1 seek=200 conv=notrunc 2>/dev/null
assert_fails "one that was altered" device --ek 0x81010001 activate
assert_contains "says so" "or it was altered" "$OUTPUT"
challenge "this device" "$IAK"
assert_fails "one for another EK" device --ek 0x81010016 activate
assert_contains "says so" "than the one at 0x81010016 (ECC P-384 (H-3))" \
    "$OUTPUT"
assert_nothing_left "after all that"

say "A second request"
mv "$(field signingPub)" "$(field attestPub)" "$WORK"
trace_reset
device request >"$WORK/again"
assert_equal "its commands" "GetCapability GetCapability ReadPublic ReadPublic\
 ReadPublic NV_ReadPublic GetCapability NV_Read\
 CreatePrimary CertifyCreation FlushContext\
 StartAuthSession PolicySecret PolicyCommandCode PolicyOR Certify" \
    "$(commands)"
assert_equal "the same IAK" "$(hex "$WORK/attestPub")" \
    "$(hex "$(field attestPub)")"
assert_equal "the same IDevID" "$(hex "$WORK/signingPub")" \
    "$(hex "$(field signingPub)")"
public_of attestPub >/dev/null
assert_signed "and the IAK's creation again" \
    attestPub atCertifyInfo atCertifyInfoSig
stop_trace
stop_tpm

say "All of it in one process"
UNIT=whole
start_tpm --ek whole
start_trace --name whole
cat >"$WORK/station" <<'EOF'
# The station's part: the challenge, and certificates of a common size.
source "${0%/*}/station-lib"
openssl dgst -sha256 -binary -out "$(field digest)" "$(field attestPub)"
challenge "for the whole" "$(public_of attestPub)"
head -c 700 /dev/urandom >"$(field iak.der)"
head -c 760 /dev/urandom >"$(field idevid.der)"
EOF
{
    declare -f field hex public_of challenge
    declare -p WORK UNIT
} >"$WORK/station-lib"
mkdir "$WORK/whole-unit" && UNIT=whole-unit
declare -p UNIT >>"$WORK/station-lib"
device request "!bash $WORK/station" sign activate certs >/dev/null
assert_equal "the challenge is answered" "for the whole" \
    "$(<"$(field answer)")"
assert_equal "it took 32 commands" 32 "$(commands | wc -w)"
assert_equal "after the request these" "Sign\
 StartAuthSession PolicySecret PolicyCommandCode PolicyOR\
 StartAuthSession PolicySecret ActivateCredential\
 NV_DefineSpace NV_Write NV_Read NV_DefineSpace NV_Write NV_Read" \
    "$(commands | cut -d ' ' -f 19-)"
assert_equal "the IAK's certificate is in its place" \
    "$(hex "$(field iak.der)")" "$(tpm2_nvread 0x01c90100 | od -An -v -tx1 |
        tr -d ' \n')"
assert_equal "and the IDevID's" \
    "$(hex "$(field idevid.der)")" "$(tpm2_nvread 0x01c90200 | od -An -v -tx1 |
        tr -d ' \n')"
assert_nothing_left
