#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid show on files: it asks no device. Needs no TPM.
#
# Usage: show_files.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
export DEVID_TCTI=device:/nonexistent
make_ca ca
plain_key unit
sign_csr unit.csr unit.pem server

say "A certificate"
succeeds "show describes it" show --json unit.pem
assert_equal "its kind" certificate "$(json '.[0].type')"
assert_equal "its subject" O=Acme,CN=unit "$(json '.[0].subject')"
assert_equal "its issuer" "O=devid test,CN=Test CA" "$(json '.[0].issuer')"
assert_equal "its names" "DNS:unit.example IP:192.0.2.7" \
    "$(json '.[0].subject_alt_names | join(" ")')"
assert_equal "its usages" "digitalSignature serverAuth" \
    "$(json '.[0].key_usage + .[0].ext_key_usage | join(" ")')"
assert_equal "that it is no CA's" false "$(json '.[0].is_ca')"
assert_equal "its validity" valid "$(json '.[0].validity')"
assert_equal "its algorithm" ec-p256 "$(json '.[0].algorithm')"
assert_equal "its public key's fingerprint" \
    "$(sha256_of_public x509 -in unit.pem -pubkey -noout)" \
    "$(json '.[0].public_key_sha256')"
assert_equal "its own fingerprint" \
    "$(plain_openssl x509 -in unit.pem -noout -fingerprint -sha256 |
        sed 's/.*=//;s/://g' | tr A-F a-f)" "$(json '.[0].sha256')"
assert_equal "its serial" \
    "$(plain_openssl x509 -in unit.pem -noout -serial | sed 's/.*=//')" \
    "$(json '.[0].serial')"
assert_equal "its end" \
    "$(date -u +%FT%TZ -d "$(plain_openssl x509 -in unit.pem -noout -enddate |
        sed 's/.*=//')")" "$(json '.[0].not_after')"
assert_equal "no key was shown that it could belong to" null \
    "$(json '.[0].belongs_to')"
succeeds "show describes a CA's" show --json ca/ca.pem
assert_equal "as a CA's" true "$(json '.[0].is_ca')"

say "The same for people"
succeeds "show describes it" show unit.pem
assert_contains "its subject" "subject:               O=Acme,CN=unit" "$OUTPUT"
assert_contains "its names" "DNS:unit.example, IP:192.0.2.7" "$OUTPUT"

say "Other forms and kinds"
plain_openssl x509 -in unit.pem -outform DER -out unit.der
succeeds "a certificate as DER" show --json unit.der
assert_equal "is one" certificate "$(json '.[0].type')"
plain_openssl req -in unit.csr -outform DER -out unit.csr.der
for request in unit.csr unit.csr.der; do
    succeeds "a request, $request" show --json $request
    assert_equal "is one" "certificate request verifies" \
        "$(json '.[0].type + " " + .[0].signature')"
done
plain_openssl x509 -in unit.pem -pubkey -noout >public.pem
plain_openssl pkey -pubin -in public.pem -outform DER -out public.der
for public in public.pem public.der; do
    succeeds "a public key, $public" show --json $public
    assert_equal "is one" "public key ec-p256" \
        "$(json '.[0].type + " " + .[0].algorithm')"
done
succeeds "a software key" show --json unit.key
assert_equal "is said to be one" "software key" "$(json '.[0].type')"
[[ $OUTPUT != *"$(sed -n 2p unit.key)"* ]] || fail "show printed a private key"
plain_openssl x509 -in unit.pem -trustout -addtrust serverAuth -out trusted.pem
succeeds "a trusted certificate" show --json trusted.pem
assert_equal "is a certificate" certificate "$(json '.[0].type')"
cat unit.key unit.pem ca/ca.pem >combined.pem
succeeds "several in one file" show --json combined.pem
assert_equal "are told in turn" \
    "software key,certificate,certificate" "$(json 'map(.type) | join(",")')"
printf -- '-----BEGIN NOVELTY-----\nAAAA\n-----END NOVELTY-----\n' >novelty.pem
succeeds "a block that devid does not know" show --json novelty.pem
assert_equal "is said to be one" "unknown NOVELTY" \
    "$(json '.[0].type + " " + .[0].label')"
OUTPUT=$("$DEVID" show --json - <unit.pem)
assert_equal "standard input" certificate "$(json '.[0].type')"
plain_openssl genpkey -algorithm ED448 -out ed.key
plain_openssl req -x509 -new -key ed.key -subj /CN=ed -out ed.pem
succeeds "a kind of key that devid has not" show --json ed.pem
assert_equal "by OpenSSL's name for it" ED448 "$(json '.[0].algorithm')"
succeeds "several files" show --json unit.pem unit.csr
assert_equal "in their order" "unit.pem unit.csr" \
    "$(json 'map(.source) | join(" ")')"

say "A request that was tampered with"
sed 's/unit/Unit/' unit.csr.der >tampered.der
succeeds "is shown" show --json tampered.der
assert_equal "for what it is" "DOES NOT VERIFY" "$(json '.[0].signature')"

say "Text that would steer a terminal"
plain_openssl req -new -key unit.key -subj $'/CN=a\e[31mb' -out escape.csr \
    2>/dev/null
run_devid show escape.csr
[[ $OUTPUT$ERRORS != *$'\e'* ]] || fail "an escape character came through"
say "  ok: is made harmless"

say "What is no key and no certificate"
refuses "a file that is not there" "none.pem cannot be read" show none.pem
refuses "a directory" "ca cannot be read: Is a directory" show ca
: >empty
refuses "an empty file" "empty is empty" show empty
printf 'hello\n' >text
refuses "a text" "text is no key, certificate, certificate request" show text
head -c 1200000 /dev/zero >zeros
refuses "a large file" "zeros is larger than 1048576 bytes" show zeros
head -c 300 unit.pem >truncated.pem
refuses "a truncated certificate" \
    "the CERTIFICATE that begins at line 1 is cut short" show truncated.pem
sed '3s/^...../=====/' unit.pem >garbled.pem
refuses "a garbled certificate" "garbled" show garbled.pem
(echo first && cat unit.pem && head -c 300 unit.pem) >second.pem
run_devid show --json second.pem
assert_equal "what stands before a garbled block is shown" 1 \
    "$(json length)"
assert_contains "and the block named" "the CERTIFICATE that begins at line" \
    "$ERRORS"
head -c 100 unit.der >truncated.der
refuses "truncated DER" "truncated.der is no key" show truncated.der
run_devid show --json none.pem unit.pem
assert_equal "one bad file does not hide the next" "1 certificate" \
    "$STATUS $(json '.[0].type')"
