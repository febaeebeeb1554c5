#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Key files that tpm2-openssl made sign with devid, and devid's with it.
#
# Usage: interop.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# with_tpm2 COMMAND...: run it with tpm2-openssl instead of devid.
with_tpm2() {
    TPM2OPENSSL_TCTI=$DEVID_TCTI OPENSSL_CONF=$WORK/tpm2.cnf \
        TSS2_LOG=all+none "$@"
}

# verified KEY SIGNATURE: OpenSSL alone verifies it with the public key that
# the signer printed.
verified() {
    plain_openssl dgst -sha256 -verify "$WORK/$1.pub" -signature "$WORK/$2" \
        "$WORK/data" || fail "the signature does not verify"
}

harness_dir
start_tpm --srk
need tpm2_getcap
openssl_conf "$WORK/openssl.cnf"
cat >"$WORK/tpm2.cnf" <<END
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = on
tpm2 = on
[on]
activate = 1
END
printf 'signed by both\n' >"$WORK/data"

for algorithm in EC:group:P-256 EC:group:P-384 RSA:bits:2048; do
    for parent in '' parent:0x81000001; do
        say "$algorithm ${parent:-parent: the owner hierarchy}"
        with_tpm2 openssl genpkey -propquery provider=tpm2 \
            -algorithm "${algorithm%%:*}" -pkeyopt "${algorithm#*:}" \
            ${parent:+-pkeyopt "$parent"} -out "$WORK/theirs.key" ||
            fail "tpm2-openssl makes no key"
        with_devid openssl pkey -in "$WORK/theirs.key" -pubout \
            -out "$WORK/theirs.pub"
        with_devid openssl dgst -sha256 -sign "$WORK/theirs.key" \
            -out "$WORK/ours.sig" "$WORK/data"
        assert_equal "tpm2-openssl's key signs with devid" "Verified OK" \
            "$(verified theirs ours.sig)"
    done
done

# Not the other way round: tpm2-openssl's RSA-PSS keys are restricted ones.
for algorithm in ec-p256 ec-p384 rsa-2048 rsa-pss-2048; do
    for parent in owner 0x81000001; do
        "$DEVID" keygen --algorithm $algorithm --parent $parent --force \
            --out "$WORK/ours.key"
        with_devid openssl pkey -in "$WORK/ours.key" -pubout \
            -out "$WORK/ours.pub"
        with_tpm2 openssl pkeyutl -propquery '?provider=tpm2' -sign -rawin \
            -digest sha256 -inkey "$WORK/ours.key" -in "$WORK/data" \
            -out "$WORK/theirs.sig" || fail "tpm2-openssl does not sign"
        assert_equal "devid's $algorithm key under $parent signs with tpm2-openssl" \
            "Verified OK" "$(verified ours theirs.sig)"
    done
done
