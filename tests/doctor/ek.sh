#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor on EK certificates as vendors put them into a TPM: with their
# issuers beside them, wrapped, for RSAES-OAEP.
#
# Usage: ek.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
mkdir "$WORK/none" "$WORK/roots"

# look: the doctor trusts the vendor's root alone.
look() {
    doctor --identity "$WORK/none" --ek-roots "$WORK/roots" \
        --dump "$WORK/dump.json" --force
}

# put INDEX FILE: the index holds what is in the file, and nothing else.
put() {
    tpm2_nvundefine -Q -C p "$1" 2>/dev/null || true
    tpm2_nvdefine -Q -C p -s "$(stat -c %s "$2")" \
        -a 'ppwrite|ppread|ownerread|authread|no_da|platformcreate' "$1"
    tpm2_nvwrite -Q -C p -i "$2" "$1"
}

start_tpm --ek
cp "$WORK"/tpm-ca/*root*cert.pem "$WORK/roots/"
issuer=$(find "$WORK/tpm-ca" -name '*cert.pem' ! -name '*root*')
[[ $issuer ]] || fail "the vendor has no certificate between the root and the EK's"
openssl x509 -in "$issuer" -outform DER -out "$WORK/issuer.der"
tpm2_nvread -Q -C o -o "$WORK/ek.der" 0x01c00016 2>"$WORK/errors"

say "An issuer between the root and the EK's certificates"
look
finds "that is not there" ek.certificate "bad bad" ek-issuer-unknown
put 0x01c00100 "$WORK/issuer.der"
look
finds "that is in the TPM" ek.certificate "ok ok" verifies
finds "is counted" ek.issuers ok "1 NV indices"
assert_equal "and is in the dump" 1 "$(jq '.ek.issuers | length' "$WORK/dump.json")"
doctor --from "$WORK/dump.json" --ek-roots "$WORK/roots"
finds "which verifies as well" ek.certificate "ok ok" verifies

say "Two certificates in one index, of which the second is the issuer's"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout /dev/null -subj /CN=other -outform DER -out "$WORK/other.der" \
    2>/dev/null
cat "$WORK/other.der" "$WORK/issuer.der" >"$WORK/two.der"
put 0x01c00100 "$WORK/two.der"
look
finds "both are read" ek.certificate "ok ok" verifies

# wrapped FILE: as TPM 1.2 had it, TCG_PCCLIENT_STORED_CERT.
wrapped() {
    local size=$(($(stat -c %s "$1") + 2))
    printf '%b' "\\x10\\x01\\x00$(printf '\\x%02x\\x%02x' $((size >> 8)) \
        $((size & 255)))\\x10\\x02"
    cat "$1"
}

say "Wrapped"
wrapped "$WORK/ek.der" >"$WORK/wrapped"
put 0x01c00016 "$WORK/wrapped"
wrapped "$WORK/issuer.der" >"$WORK/wrapped-issuer"
put 0x01c00100 "$WORK/wrapped-issuer"
look
finds "both verify" ek.certificate "ok ok" verifies

say "Something else in their place"
printf 'no certificate' >"$WORK/text"
put 0x01c00016 "$WORK/text"
look
finds "is a note" ek.certificate "ok note" "no certificate begins"

say "An EK certificate whose key is for RSAES-OAEP"
cp "$TOP/tests/fuzz/corpus/ekcert/oaep" "$WORK/oaep"
put 0x01c00002 "$WORK/oaep"
look
assert_equal "its modulus is looked at, for ROCA's fingerprint" "RSA 512" \
    "$(jq -r '.ek.certificates[] | select(.index == "0x01c00002").public |
        "\(.type) \(.modulus | length)"' "$WORK/dump.json")"
jq '(.ek.certificates[] | .public.modulus) = "01"' "$WORK/dump.json" \
    >"$WORK/weak.json"
doctor --from "$WORK/weak.json"
assert_contains "which would be found in it" "the RSA key of 0x01c00002" \
    "$(says advisory.CVE-2017-15361)"
