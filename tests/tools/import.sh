#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid import: software keys into a TPM and onto a token. They sign through
# openssl, never cross the TPM's bus in clear, and are said to have been
# outside.
#
# Usage: import.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# signs KEY SOFTWARE [PASSWORD]: through openssl with devid, and the public key
# of the software key verifies it.
signs() {
    OPENSSL_CONF=$WORK/openssl.cnf openssl dgst -sha256 -sign "$1" \
        -passin "pass:${3:-}" -out signature data >signs.log 2>&1 ||
        fail "$1 does not sign: $(<signs.log)"
    plain_openssl pkey -in "$2" -pubout -out public
    plain_openssl dgst -sha256 -verify public -signature signature data \
        >verified || fail "the signature of $1 does not verify"
    say "  ok: it signs as the software key did"
}

# software NAME ALGORITHM OPTION: a key $WORK/NAME.
software() {
    plain_openssl genpkey -quiet -algorithm "$2" -pkeyopt "$3" -out "$1"
}

# secret_numbers KEY: what only a private key has, in hex, one a line.
secret_numbers() {
    plain_openssl pkey -in "$1" -noout -text | awk '
        /^[a-zA-Z]/ { wanted = /^(priv|prime|privateExponent)/ }
        wanted && /^ / { gsub(/[ :]/, ""); printf "%s", $0; next }
        { print "" }' | sed 's/^00//' | grep .
}

# hidden KEY: none of its numbers has crossed, not even by half.
hidden() {
    local number
    while read -r number; do
        ! grep -qi "${number:0:32}" "$WORK/raw" ||
            fail "a private number of $1 crossed the bus in clear"
    done < <(secret_numbers "$1")
    say "  ok: it crossed the bus wrapped"
}

harness_dir
cd "$WORK"
start_tpm --srk
tpm2_createprimary -Q -C o -G rsa2048 -c primary.ctx
tpm2_evictcontrol -Q -C o -c primary.ctx 0x81000008
tpm2_flushcontext -t
openssl_conf "$WORK/openssl.cnf"
printf 'signed\n' >data
software p256 EC ec_paramgen_curve:P-256
software p384 EC ec_paramgen_curve:P-384
software p521 EC ec_paramgen_curve:P-521
software rsa2048 RSA rsa_keygen_bits:2048
software rsa3072 RSA rsa_keygen_bits:3072
software small RSA rsa_keygen_bits:1024
software edwards EC ec_paramgen_curve:secp256k1
start_trace --raw-log "$WORK/raw"

say "Into a TPM"
for key in p256 rsa2048; do
    for parent in 0x81000008 owner; do
        succeeds "$key under $parent" import --in $key --parent $parent \
            --force --out $key.pem
        assert_equal "nothing is printed" "" "$OUTPUT"
        signs $key.pem $key
    done
done
for key in p256 p384 p521 rsa2048 rsa3072; do
    succeeds "$key" import --in $key --force --out $key.pem
    signs $key.pem $key
    hidden $key
done
assert_contains "this search knows a private number" \
    "$(secret_numbers p256)" "$(plain_openssl pkey -in p256 -outform DER |
        od -An -v -tx1 | tr -d ' \n')"
trace_reset
succeeds "the default parent" import --in p256 --force --out p256.pem
assert_equal "is 0x81000001" \
    "ReadPublic ReadPublic Import Load FlushContext" "$(trace_list)"
succeeds "show says what it is" show --json p256.pem
assert_equal "that it was outside" "true imported, was once outside" \
    "$(json '.[0] | "\(.imported) \(.description)"')"
assert_equal "and so do its attributes" "userWithAuth,noDA,sign" \
    "$(json '.[0].attributes | join(",")')"
succeeds "of a key that was made in the TPM" keygen --out made.pem
succeeds "show" show --json made.pem
assert_equal "says no such thing" "null null" \
    "$(json '.[0] | "\(.imported) \(.description)"')"

say "Passphrases and authorisation values"
plain_openssl pkcs8 -topk8 -in p256 -passout pass:hush -out locked
printf 'hush\n' >phrase
printf 'sesame' >value
succeeds "a file with a passphrase" import --in locked \
    --passphrase-source file:phrase --auth-source file:value --out locked.pem
signs locked.pem p256 sesame
HUSH=hush succeeds "from the environment" import --in locked \
    --passphrase-source env:HUSH --force --out locked.pem
refuses "a wrong one" "is not opened by the passphrase" import --in locked \
    --passphrase-source file:value --out none
! grep -q "$(od -An -v -tx1 value | tr -d ' \n')" raw ||
    fail "the authorisation value crossed the bus in clear"
say "  ok: the authorisation value is wrapped with the key"

say "What a TPM does not take"
refuses "a small RSA key" "RSA keys of 2048" import --in small --out none
refuses "a curve of another kind" "secp256k1" import --in edwards --out none
refuses "a public key" "holds no private key in PEM" \
    import --in public --out none
refuses "a key of the TPM" "holds no private key in PEM" \
    import --in made.pem --out none
refuses "a parent that is not there" "no parent at handle 0x81000077" \
    import --in p256 --parent 0x81000077 --out none
assert_equal "no object was left in the TPM" "" \
    "$(tpm2_getcap handles-transient)"

say "Onto a token"
start_softhsm
softhsm2-util --init-token --free --label factory --so-pin 87654321 \
    --pin 123456 >softhsm.log
printf 123456 >pin
export DEVID_PIN_SOURCE=file:$WORK/pin
for key in p256 p384 p521 rsa2048; do
    succeeds "$key" import --in $key --device pkcs11:token=factory \
        --label old-$key --out token-$key.pem
    assert_equal "the file names it" "-----BEGIN DEVID KEY REFERENCE-----" \
        "$(head -n 1 token-$key.pem)"
    signs token-$key.pem $key
done
succeeds "show of the file" show --json token-p256.pem
assert_equal "says that it was outside" "true imported, was once outside" \
    "$(json '.[0] | "\(.imported) \(.description)"')"
succeeds "list" list --device pkcs11:token=factory --json
assert_equal "says that each was outside, and stays now" 4 "$(json \
    '[.[] | select(.type == "key") | .attributes | select(
        contains(["sensitive", "not extractable", "imported", "was once outside"])
        and (contains(["made on the token"]) | not))] | length')"
succeeds "of one that was made there" keygen --device pkcs11:token=factory \
    --label new --out new.pem
succeeds "show of the file" show --json new.pem
assert_equal "says no such thing" "null null" \
    "$(json '.[0] | "\(.imported) \(.description)"')"
succeeds "list" list --device pkcs11:token=factory --json
assert_equal "says so" 1 "$(json \
    '[.[].attributes | select(. and contains(["made on the token"]))] | length')"
DEVID_PIN_SOURCE=ask refuses "a key whose PIN is not given" \
    "this key needs its PIN, and none was given" csr --key new.pem \
    --subject /CN=x --out none
assert_contains "is told where to put it" "or the setting pin-source" "$ERRORS"
refuses "a key of boot states" "has no policy of boot states" keygen \
    --device pkcs11:token=factory --pcr sha256:0 --out none
refuses "a handle on a token" "a token's key has no parent" import --in p256 \
    --device pkcs11:token=factory --parent owner --out none
[[ ! -e none ]] || fail "a key file was written all the same"
