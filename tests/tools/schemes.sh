#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid test: every scheme of TLS, on every kind of key that swtpm has.
#
# Usage: schemes.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# names FILTER: the names of the schemes that it selects, by spaces.
names() {
    json "[.schemes[] | select($1).name] | join(\" \")"
}

harness_dir
cd "$WORK"
start_tpm

say "Elliptic curves"
for curve in p256:ecdsa_secp256r1_sha256 p384:ecdsa_secp384r1_sha384 \
    p521:ecdsa_secp521r1_sha512; do
    "$DEVID" keygen --algorithm "ec-${curve%:*}" --out "${curve%:*}"
    succeeds "devid test of ec-${curve%:*}" test --json "${curve%:*}"
    assert_equal "everything works" true "$(json .all_work)"
    assert_equal "five schemes" 5 "$(json '.schemes | length')"
    assert_equal "TLS 1.3 has one of them" "${curve#*:}" \
        "$(names '.tls_versions | index("1.3")')"
done
assert_equal "a key made to sign agrees on nothing" false "$(json .agrees)"
assert_equal "each has its times" "" "$(names '.sign_us < 1 or .verify_us < 1')"
assert_equal "those that work are listed" \
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA224:ECDSA+SHA1" \
    "$(json .signature_algorithms)"

say "RSA"
"$DEVID" keygen --algorithm rsa-2048 --out rsa
succeeds "devid test of rsa-2048" test --json --repeat 1 rsa
assert_equal "TLS 1.3 has three of the schemes" \
    "rsa_pss_rsae_sha256 rsa_pss_rsae_sha384 rsa_pss_rsae_sha512" \
    "$(names '.works and (.tls_versions | index("1.3"))')"
assert_equal "what the TPM cannot do is told" rsa_pkcs1_sha224 \
    "$(names '.works | not')"
assert_contains "with the reason" "Avoid rsa_pkcs1_sha224: the TPM cannot" \
    "$(json '.advice | join("\n")')"
assert_contains "and with what to allow" \
    "SignatureAlgorithms $(json .signature_algorithms)" \
    "$(json '.advice | join("\n")')"
make_ca ca
plain_key plain
sign_csr plain.csr plain.pem server
nginx_conf --key "$WORK/plain.key" --cert "$WORK/plain.pem" \
    --server "ssl_conf_command SignatureAlgorithms $(json .signature_algorithms);"
nginx_run -t 2>nginx.check || fail "nginx does not take it: $(<nginx.check)"
say "  ok: which nginx takes"
assert_contains "and that it does not decrypt" kRSA \
    "$(json '.advice | join("\n")')"
"$DEVID" keygen --algorithm rsa-2048 --decrypt --persist 0x81000010 --out rsa2
succeeds "devid test of an RSA key that may decrypt" \
    test --json --repeat 1 tpm2:handle=0x81000010
assert_equal "devid pads what the TPM cannot" "" "$(names '.works | not')"
assert_equal "and it decrypts" true "$(json .decrypts)"
assert_contains "which is said" "It decrypts as well" \
    "$(json '.advice | join("\n")')"
"$DEVID" keygen --decrypt --out agrees
succeeds "devid test of an EC key that may agree on secrets" \
    test --json --repeat 1 agrees
assert_equal "and it does" true "$(json .agrees)"

say "RSA-PSS"
"$DEVID" keygen --algorithm rsa-pss-2048 --out pss
succeeds "devid test of a key that signs RSA-PSS alone" \
    test --json --repeat 1 pss
assert_equal "there is one scheme, with its hash" rsa_pss_pss_sha256 \
    "$(names '.works and (.tls_versions | index("1.3"))')"
assert_equal "no other" 1 "$(json '.schemes | length')"
assert_equal "by OpenSSL's name" rsa_pss_pss_sha256 \
    "$(json .signature_algorithms)"

say "For people"
succeeds "devid test" test p256
assert_contains "a head" "SCHEME" "$OUTPUT"
assert_contains "a line a scheme" "ecdsa_secp256r1_sha256  1.2, 1.3  yes" \
    "$OUTPUT"
assert_contains "and the whole in words" \
    "This key signs whatever TLS 1.2 and 1.3 may ask for." "$OUTPUT"

say "Keys that are fixed to a scheme"
persist_srk
# fixed HANDLE KIND: such a key, as tpm2-tools makes it, at that handle.
fixed() {
    tpm2_create -Q -C "$SRK_HANDLE" -G "$2:null" -u fixed.pub -r fixed.priv \
        -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign"
    tpm2_load -Q -C "$SRK_HANDLE" -u fixed.pub -r fixed.priv -c fixed.ctx
    tpm2_evictcontrol -Q -C o -c fixed.ctx "$1"
    tpm2_flushcontext -t
}
handle=0x81000300
for kind in "ecc256:ecdsa-sha256 ecdsa_secp256r1_sha256" \
    "ecc384:ecdsa-sha384 ecdsa_secp384r1_sha384" \
    "rsa2048:rsassa-sha384 rsa_pkcs1_sha384"; do
    fixed "$handle" "${kind% *}"
    OUTPUT=$("$DEVID" test --json --repeat 1 "tpm2:handle=$handle" || true)
    assert_contains "${kind% *} signs ${kind#* }" " ${kind#* } " \
        " $(names .works) "
    assert_equal "and of what it does not sign it is told why" \
        "$(names '.works | not')" \
        "$(json '.advice | join(" ")' | grep -oE 'Avoid [a-z0-9_]+' |
            sed 's/Avoid //' | paste -sd ' ')"
    handle=$(printf '0x%x' $((handle + 1)))
done
# ECDSA takes a shorter digest for the number that it is.
OUTPUT=$("$DEVID" test --json --repeat 1 tpm2:handle=0x81000301 || true)
assert_contains "P-384 that is fixed to SHA-384 signs SHA-256 as well" \
    " ecdsa_secp256r1_sha256 " " $(names .works) "

say "Keys that cannot serve"
refuses "a restricted key" "this is a restricted key" \
    test tpm2:handle=0x81000001
start_tpm other
refuses "a key of another TPM" "another TPM" test p256
