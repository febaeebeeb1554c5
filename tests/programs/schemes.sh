#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every hash and padding that a program may ask for, made in the device where it
# can and padded in software where it cannot.
#
# Usage: schemes.sh bare|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
LINK=${ARGS[0]:?bare or token}

HASHES="sha1 sha224 sha256 sha384 sha512 sha512-224 sha512-256
    sha3-224 sha3-256 sha3-384 sha3-512"

# signs KEY HASH [SIGOPT...]: openssl signs with KEY; OpenSSL alone verifies.
signs() {
    local key=$1 hash=$2 options=() option
    shift 2
    for option in "$@"; do
        options+=(-sigopt "$option")
    done
    with_devid openssl dgst "-$hash" "${options[@]}" -sign "$WORK/$key.key" \
        -out "$WORK/sig" "$WORK/data" 2>"$WORK/err" || return 1
    plain_openssl dgst "-$hash" "${options[@]}" -verify "$WORK/$key.pub" \
        -signature "$WORK/sig" "$WORK/data" >/dev/null 2>&1 ||
        fail "$key, $hash $*: the signature does not verify"
}

signs_all() {
    local hash
    for hash in $HASHES; do
        signs "$1" "$hash" "${@:2}" || fail "$*, $hash: $(<"$WORK/err")"
    done
    say "  ok: $*: signs every hash"
}

harness_dir
start_device "$LINK"
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
printf 'to be signed\n' >"$WORK/data"

for algorithm in ec-p256 ec-p384 ec-p521 rsa-2048; do
    make_identity $algorithm server --algorithm $algorithm
    with_devid openssl pkey -in "$WORK/$algorithm.key" -pubout \
        -out "$WORK/$algorithm.pub"
done
make_identity rsa-any server --algorithm rsa-2048 --decrypt
with_devid openssl pkey -in "$WORK/rsa-any.key" -pubout -out "$WORK/rsa-any.pub"

say "ECDSA: the device signs the number, whatever hash it came from"
for curve in ec-p256 ec-p384 ec-p521; do
    signs_all $curve
done

say "RSA: what the device has"
for hash in sha1 sha256 sha384 sha512; do
    signs rsa-2048 $hash || fail "PKCS#1 with $hash: $(<"$WORK/err")"
    signs rsa-2048 $hash rsa_padding_mode:pss rsa_pss_saltlen:digest ||
        fail "PSS with $hash: $(<"$WORK/err")"
done
say "  ok: rsa-2048 signs PKCS#1 and PSS with the device's hashes"
others=("sha224" "sha3-256" "sha256 rsa_padding_mode:pss rsa_pss_saltlen:20")
for options in "${others[@]}"; do
    # A token is padded for with any key, a TPM with one that may decrypt.
    if [[ $LINK == token ]]; then
        # shellcheck disable=SC2086 # several words
        signs rsa-2048 $options || fail "rsa-2048, $options: $(<"$WORK/err")"
        continue
    fi
    # shellcheck disable=SC2086 # several words
    ! signs rsa-2048 $options || fail "rsa-2048 signed $options"
    assert_contains "rsa-2048 with $options says what to do" \
        "make it with devid keygen --decrypt" "$(<"$WORK/err")"
done

say "RSA that may decrypt: the rest, padded in software"
signs_all rsa-any
for salt in digest max auto 0 20 64; do
    signs_all rsa-any rsa_padding_mode:pss rsa_pss_saltlen:$salt
done
signs rsa-any sha256 rsa_padding_mode:pss rsa_mgf1_md:sha512 \
    rsa_pss_saltlen:32 || fail "another MGF1 hash: $(<"$WORK/err")"

[[ $LINK == bare ]] || exit 0 # no token has such keys

say "RSA-PSS alone, with the hash that the key is bound to"
make_identity pss server --algorithm rsa-pss-2048
make_identity pss384 server --algorithm rsa-pss-2048 --hash SHA384
for key in pss pss384; do
    with_devid openssl pkey -in "$WORK/$key.key" -pubout -out "$WORK/$key.pub"
done
signs pss sha256 || fail "an RSA-PSS key: $(<"$WORK/err")"
signs pss sha256 rsa_padding_mode:pss rsa_pss_saltlen:digest ||
    fail "an RSA-PSS key, asked for PSS: $(<"$WORK/err")"
signs pss384 sha384 || fail "an RSA-PSS key of SHA384: $(<"$WORK/err")"
for options in "sha384=bound to the hash SHA2-256" \
    "sha256 rsa_padding_mode:pkcs1=PSS padding (pss) alone" \
    "sha256 rsa_pss_saltlen:40=take an RSA key"; do
    # shellcheck disable=SC2086 # several words
    ! signs pss ${options%%=*} || fail "an RSA-PSS key signed ${options%%=*}"
    assert_contains "an RSA-PSS key with ${options%%=*} says why not" \
        "${options#*=}" "$(<"$WORK/err")"
done
assert_contains "its certificate says so" \
    "Public Key Algorithm: rsassaPss" "$(openssl x509 -in "$WORK/pss.pem" \
        -noout -text)"
assert_contains "and what it is bound to" "MGF1 with SHA2-384" \
    "$(openssl x509 -in "$WORK/pss384.pem" -noout -text)"
