#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid keygen: every algorithm, parent and place; what it refuses.
#
# Usage: keygen.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# signs KEY: the key makes a request that OpenSSL alone verifies.
signs() {
    "$DEVID" csr --key "$1" --subject /CN=x --force --out "$WORK/signs.csr"
    plain_openssl req -in "$WORK/signs.csr" -verify -noout \
        >"$WORK/verify" 2>&1 || fail "the signature of $1 does not verify"
    say "  ok: it signs"
}

# attributes KEY: as they stand in JSON, by commas.
attributes() {
    succeeds "its attributes" show --json "$1" >/dev/null
    json '.[0].attributes | join(",")'
}

# in_the_tpm: how many persistent keys the TPM has.
in_the_tpm() {
    succeeds "listing" list --json >/dev/null
    json 'map(select(.type == "key")) | length'
}

harness_dir
cd "$WORK"
start_tpm

say "Every algorithm that this TPM has"
for algorithm in ec-p256 ec-p384 ec-p521 rsa-2048 rsa-3072 rsa-pss-2048; do
    succeeds "an $algorithm key" keygen --algorithm $algorithm --out $algorithm
    assert_equal "nothing is printed" "" "$OUTPUT"
    assert_equal "only its owner may read the file" "600 1" \
        "$(stat -c '%a %h' $algorithm)"
    assert_equal "it is a key blob" "-----BEGIN TSS2 PRIVATE KEY-----" \
        "$(head -n 1 $algorithm)"
    succeeds "show knows it" show --json $algorithm
    assert_equal "as $algorithm" $algorithm "$(json '.[0].algorithm')"
    signs $algorithm
done
succeeds "the default" keygen --out default
succeeds "is ec-p256" show --json default
assert_equal "by its algorithm" ec-p256 "$(json '.[0].algorithm')"
refuses "an algorithm that this TPM lacks" \
    "it has ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072, rsa-pss-2048, \
rsa-pss-3072" keygen --algorithm rsa-4096 --out none
refuses "one that no TPM has" "this TPM has no ed25519; it has ec-p256" \
    keygen --algorithm ed25519 --out none
refuses "an algorithm that nobody has" "'rot13' is no algorithm" \
    keygen --algorithm rot13 --out none
[[ ! -e none ]] || fail "a refused key left a file"
assert_equal "nothing stays behind" "" "$(files_in . | grep -o '\.devid-.*' || true)"

say "JSON"
succeeds "a key described in JSON" keygen --json --out json.pem
made=$OUTPUT
succeeds "show says the same" show --json json.pem
assert_equal "member by member" "$(jq -S . <<<"$made")" "$(json '.[0]' | jq -S .)"
assert_equal "the fingerprint is that of the public key in a request" \
    "$("$DEVID" csr --key json.pem --subject /CN=x --out - |
        sha256_of_public req -pubkey -noout)" \
    "$(jq -r .public_key_sha256 <<<"$made")"

say "Attributes"
assert_equal "a key's attributes" \
    fixedTPM,fixedParent,sensitiveDataOrigin,userWithAuth,noDA,sign \
    "$(attributes ec-p256)"
succeeds "an RSA key that may decrypt" \
    keygen --algorithm rsa-2048 --decrypt --out decrypt
assert_contains "says so" ,decrypt, ",$(attributes decrypt),"
succeeds "show says what it may" show --json decrypt
assert_equal "sign and decrypt" "sign decrypt" "$(json '.[0].may | join(" ")')"
succeeds "an EC key that may agree on secrets" keygen --decrypt --out agree
succeeds "show says what it may" show --json agree
assert_equal "sign and derive" "sign derive" "$(json '.[0].may | join(" ")')"
signs agree
succeeds "a key under the lockout" keygen --dictionary-attack --out da
[[ $(attributes da) != *noDA* ]] || fail "--dictionary-attack left noDA set"
signs da

assert_equal "an RSA-PSS key's" \
    fixedTPM,fixedParent,sensitiveDataOrigin,userWithAuth,noDA,sign \
    "$(attributes rsa-pss-2048)"
succeeds "it is described in JSON" show --json rsa-pss-2048
assert_equal "with the hash that it is bound to" SHA2-256 "$(json '.[0].bound_to_hash')"
AUTH=secret succeeds "one that is bound to another, and has an auth value" \
    keygen --algorithm rsa-pss-2048 --hash SHA512 \
    --auth-source env:AUTH --persist 0x81000020 --out pss512
succeeds "is described in JSON" show --json pss512
assert_equal "with it" SHA2-512 "$(json '.[0].bound_to_hash')"
tpm2_evictcontrol -Q -C o -c 0x81000020
refuses "a hash for a key that takes any" "only an RSA-PSS key is bound" \
    keygen --hash SHA256 --out none
refuses "a hash that TPMs lack" "'MD5' is no hash" \
    keygen --algorithm rsa-pss-2048 --hash MD5 --out none
refuses "an RSA-PSS key that may decrypt" "signs only: RSA keys decrypt" \
    keygen --algorithm rsa-pss-2048 --decrypt --out none

say "Parents"
for parent in owner endorsement platform null; do
    succeeds "a key under $parent" keygen --parent $parent --out under-$parent
    signs under-$parent
done
refuses "a parent that is not there" "0x81000009" \
    keygen --parent 0x81000009 --out none
refuses "a parent that is no handle" "grandma" \
    keygen --parent grandma --out none
persist_srk
succeeds "a key where there is an SRK" keygen --out under-srk
succeeds "show says where it is" show under-srk
assert_contains "namely under the SRK" 0x81000001 "$OUTPUT"
signs under-srk

say "Persistent keys"
before=$(in_the_tpm)
succeeds "a persistent key" keygen --persist 0x81000010 --out stays
assert_equal "its file is a reference" "-----BEGIN DEVID KEY REFERENCE-----" \
    "$(head -n 1 stays)"
assert_equal "it is in the TPM" $((before + 1)) "$(in_the_tpm)"
signs stays
signs tpm2:handle=0x81000010
signs handle:0x81000010
refuses "a handle that is taken" "0x81000010 of this TPM is taken" \
    keygen --persist 0x81000010 --out none
refuses "a handle of another kind" "0x01c00002" \
    keygen --persist 0x01c00002 --out none
refuses "a handle that is none" "0x81zz" keygen --persist 0x81zz --out none
assert_equal "the TPM is as before" $((before + 1)) "$(in_the_tpm)"

say "A persistent key whose file cannot be written"
# No byte may be written to a file: this gets past the check of the directory.
set +e
ERRORS=$( (trap '' XFSZ && ulimit -f 0 &&
    exec "$DEVID" keygen --persist 0x81000011 --out full 2>&1))
STATUS=$?
set -e
assert_equal "is an error" "devid: full cannot be written: File too large" \
    "$ERRORS"
assert_equal "with its exit code" 1 "$STATUS"
assert_equal "and not in the TPM" $((before + 1)) "$(in_the_tpm)"
[[ ! -e full ]] || fail "half a file is left"
assert_equal "nothing stays behind" "" "$(files_in . | grep -o '\.devid-.*' || true)"
