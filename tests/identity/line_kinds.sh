#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Devices whose EK is another than RSA, or whose IAK and IDevID are others than
# P-256, are provisioned, and locked, at a station as it is.
#
# Usage: line_kinds.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
harness_dir
cd "$WORK" || exit
openssl req -x509 -newkey rsa:2048 -nodes -keyout escrow.key \
    -out escrow.pem -subj /CN=escrow -days 30 2>/dev/null
make_station --escrow-cert escrow.pem
echo "$BATCH_TOKEN" >token

# A TPM each: EK and algorithm as provision is told, - where it is not; what it
# says that it has; in the certificates.
KINDS=(
    'p384 ec-p384 - |ECC P-384 (H-3) at 0x81010016|ec-p256|ASN1 OID: prime256v1'
    'p256 ec-p256 - |ECC P-256 (L-2) at 0x81010002|ec-p256|ASN1 OID: prime256v1'
    'handle 0x81010016 ec-p384|ECC P-384 (H-3) at 0x81010016|ec-p384|ASN1 OID: secp384r1'
    'keys384 - ec-p384|RSA 2048 (L-1) at 0x81010001|ec-p384|ASN1 OID: secp384r1'
    'keysrsa - rsa-2048|RSA 2048 (L-1) at 0x81010001|rsa-2048|Public-Key: (2048 bit)'
    'both ec-p256 rsa-2048|ECC P-256 (L-2) at 0x81010002|rsa-2048|Public-Key: (2048 bit)'
)
for kind in "${KINDS[@]}"; do
    start_tpm --ek "${kind%% *}"
    [[ $kind != *P-256\ \(L-2\)* ]] || certify_p256_ek
    trust_vendor "$WORK/${kind%% *}"
done
start_station

# kept NAME: what the station keeps of the unit SERIAL, in the file NAME.
kept() {
    "$STATION" show --dir line --json "$SERIAL" | jq -r '.escrows[0].cms' |
        base64 -d | openssl cms -decrypt -inform DER -inkey escrow.key \
        -recip escrow.pem | jq -rj ".$1" >"$1"
}

for kind in "${KINDS[@]}"; do
    IFS='|' read -r asked ek algorithm key <<<"$kind"
    read -r name wanted_ek wanted_algorithm <<<"$asked"
    say "EK $ek, keys ${wanted_algorithm/#-/ec-p256}"
    options=(--lock)
    [[ $wanted_ek == - ]] || options+=(--ek "$wanted_ek")
    [[ $wanted_algorithm == - ]] || options+=(--algorithm "$wanted_algorithm")
    use_tpm "$name"
    SERIAL=$name
    rm -rf id id.*
    provision "${options[@]}" >out 2>&1 || fail "$(<out)"
    assert_contains "these are its keys" "EK $ek, IAK and IDevID $algorithm" \
        "$(<out)"
    assert_equal "the station has it, attested and locked" "locked 1" "$(ledger \
        "select state || ' ' || attested from unit where serial = '$name'")"
    for file in cert iak; do
        assert_contains "$file.pem has such a key" "$key" \
            "$(openssl x509 -in "id/$file.pem" -noout -text)"
        openssl verify -no_check_time -CAfile line/ca.pem -untrusted id/chain.pem \
            "id/$file.pem" >/dev/null || fail "$file.pem: no chain to the CA"
    done
    assert_equal "it is the TPM's" \
        "$(tpm2_readpublic -c 0x81020000 -f pem -o /dev/stderr 2>&1 >/dev/null)" \
        "$(openssl x509 -in id/cert.pem -noout -pubkey)"
    assert_nothing_left
    kept lockout
    tpm2_clear -Q -c l file:lockout || fail "the escrow does not open it"
    ID=$(ledger "select id from unit where serial = '$name'")
    # Where nothing is at its handle now it is asked for by its kind.
    options=("${options[@]/0x81010016/ec-p384}")
    provision "${options[@]:1}" >out 2>&1 || fail "$(<out)"
    assert_equal "after TPM2_Clear it is the same unit, and the same keys" \
        "$ID 2" "$(jq -r .unit id/unit.json) $(ledger \
            "select count(*) from certificate where subject = '$ID'")"
    assert_nothing_left
done

say "What is not there"
use_tpm keys384
rm -rf id id.*
SERIAL=keys384 fails 5 "keys of another algorithm" \
    "is no ec-p256 IAK as the TCG's template has it" --algorithm ec-p256
SERIAL=other fails 3 "an EK that its maker has not certified" \
    "there is no EK certificate: nobody vouches for this TPM" --ek ec-p521
assert_equal "and there are no more units" "${#KINDS[@]}" \
    "$(ledger 'select count(*) from unit')"
