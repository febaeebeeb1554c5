#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid list, show, delete and whoami on a TPM with an SRK, EKs and their
# certificates, as a vendor delivers it.
#
# Usage: inventory.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"

say "A TPM that is empty"
start_tpm
succeeds "list" list
assert_contains "says so" "no persistent key and no certificate" "$OUTPUT"
succeeds "list in JSON" list --json
assert_equal "is an empty array" "[]" "$(json -c .)"
succeeds "whoami makes the EK by its template" whoami --json
empty_id=$(json .id)
assert_equal "and names it by 64 digits" 64 "${#empty_id}"
succeeds "once more" whoami --json
assert_equal "it is the same" "$empty_id" "$(json .id)"

say "A TPM as a vendor delivers it"
start_vendor_tpm
persist_srk
succeeds "a key of ours" keygen --persist 0x81000010 --out ours.pem
succeeds "list in JSON" list --json
objects=$OUTPUT
assert_equal "keys and roles" \
    "tpm2:handle=0x81000001 SRK,tpm2:handle=0x81000010 null,tpm2:handle=0x81010001 EK,tpm2:handle=0x81010016 EK" \
    "$(json 'map(select(.type == "key") | "\(.uri) \(.role)") | join(",")')"
assert_equal "certificates and roles" \
    "tpm2:nv=0x01c00002 EK certificate,tpm2:nv=0x01c00016 EK certificate" \
    "$(json 'map(select(.type == "certificate") | "\(.uri) \(.role)") | join(",")')"
assert_equal "the RSA EK's certificate has its public key" \
    "$(json '.[] | select(.uri == "tpm2:handle=0x81010001").public_key_sha256')" \
    "$(json '.[] | select(.uri == "tpm2:nv=0x01c00002").public_key_sha256')"
succeeds "list for people" list
assert_equal "has a head and a line an object" \
    $(($(jq length <<<"$objects") + 1)) "$(wc -l <<<"$OUTPUT")"
succeeds "whoami" whoami --json
assert_equal "is the EK" \
    "$(jq -r '.[] | select(.uri == "tpm2:handle=0x81010001").public_key_sha256' <<<"$objects")" \
    "$(json .id)"
for member in id_source device manufacturer model firmware specification; do
    [[ $(json ".$member") != null ]] || fail "whoami has no $member"
done
assert_equal "no resource manager stands before it" false \
    "$(json .resource_manager)"
succeeds "whoami for people" whoami
assert_contains "tells the chip" "manufacturer:          IBM" "$OUTPUT"

say "One object"
succeeds "show on the SRK" show --json tpm2:handle=0x81000001
assert_equal "its role" SRK "$(json '.[0].role')"
assert_contains "its attributes" restricted "$(json '.[0].attributes | join(",")')"
succeeds "show on an EK certificate" show --json tpm2:nv=0x01c00002
assert_equal "its kind" certificate "$(json '.[0].type')"
succeeds "show on our key, as tpm2-openssl spells it" \
    show --json handle:0x81000010 ours.pem
assert_equal "it is that of the file" \
    "$(json '.[0].public_key_sha256')" "$(json '.[1].public_key_sha256')"

say "Deleting"
refuses "a file" "ours.pem is a file" delete --yes ours.pem
refuses "what is neither" "'devid list' prints those" delete --yes nonsense
refuses "a malformed URI" "0x8100zz" delete --yes tpm2:handle=0x8100zz
refuses "an empty handle" "there is nothing at handle 0x81000123" \
    delete --yes tpm2:handle=0x81000123
for uri in tpm2:handle=0x81000001 handle:0x81000001 tpm2:handle=0x81010001 \
    tpm2:nv=0x01c00002; do
    refuses "$uri without --force" "which other programs count on" \
        delete --yes "$uri"
done
if command -v script >/dev/null; then
    script -qec "'$DEVID' delete tpm2:handle=0x81000010" answer \
        <<<"no" >/dev/null || true
    assert_contains "who does not say yes" "nothing was deleted" "$(<answer)"
    succeeds "has the key as before" show tpm2:handle=0x81000010
    script -qec "'$DEVID' delete tpm2:handle=0x81000010" answer \
        <<<"yes" >/dev/null
    assert_contains "who is asked, is told what it is about" \
        "tpm2:handle=0x81000010 (ec-p256 key) cannot be brought back" \
        "$(<answer)"
else
    succeeds "our key" delete --yes tpm2:handle=0x81000010
fi
refuses "a key that is gone" "there is nothing at handle 0x81000010" \
    show tpm2:handle=0x81000010
succeeds "the SRK with --force" delete --yes --force handle:0x81000001
succeeds "list" list --json
assert_equal "has neither" "" \
    "$(json '.[] | select(.uri | test("0x810000")).uri')"
