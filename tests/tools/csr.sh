#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid csr: what goes into a request, and what is refused. Requests are read
# by an openssl that has never heard of devid.
#
# Usage: csr.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# request ARGUMENT...: make one. Sets TEXT to what openssl says of it.
request() {
    succeeds "a request${*:+ with $*}" \
        csr --key key.pem --subject /O=Acme/CN=unit-0001 "$@" --force \
        --out unit.csr
    plain_openssl req -in unit.csr -verify -noout >verify 2>&1 ||
        fail "the request does not verify: $(<verify)"
    TEXT=$(plain_openssl req -in unit.csr -noout -text -nameopt utf8,sep_comma_plus)
}

# no_request WHAT SENTENCE ARGUMENT...: none is made.
no_request() {
    refuses "$@" --out none.csr
    [[ ! -e none.csr ]] || fail "$1 left a file"
}

harness_dir
cd "$WORK"
start_tpm
"$DEVID" keygen --out key.pem

say "What goes in comes out"
request
assert_contains "the subject" "Subject: O=Acme,CN=unit-0001" "$TEXT"
assert_contains "the hash that fits" ecdsa-with-SHA256 "$TEXT"
request --san DNS:unit.example --san IP:192.0.2.7 --san IP:2001:db8::7 \
    --san URI:urn:unit:7 --san email:ops@example.com \
    --san 'otherName:1.3.6.1.4.1.99999.1;UTF8:größe'
for name in DNS:unit.example "IP Address:192.0.2.7" \
    "IP Address:2001:DB8:0:0:0:0:0:7" URI:urn:unit:7 email:ops@example.com \
    othername:; do
    assert_contains "the name $name" "$name" "$TEXT"
done
succeeds "show reads the same names" show --json unit.csr
assert_equal "as they were given" \
    "DNS:unit.example IP:192.0.2.7 IP:2001:db8::7 URI:urn:unit:7 email:ops@example.com otherName:1.3.6.1.4.1.99999.1;UTF8:größe" \
    "$(json '.[0].subject_alt_names | join(" ")')"
request --key-usage digitalSignature,keyAgreement \
    --ext-key-usage serverAuth,clientAuth
assert_contains "key usages" "Digital Signature, Key Agreement" "$TEXT"
assert_contains "extended key usages" \
    "TLS Web Server Authentication, TLS Web Client Authentication" "$TEXT"
request --hash SHA384
assert_contains "another hash" ecdsa-with-SHA384 "$TEXT"
succeeds "a subject in UTF-8" csr --key key.pem \
    --subject '/O=Größe & Söhne/CN=单元-1' --force --out unit.csr
succeeds "show reads it" show --json unit.csr
assert_equal "as it was given" 'O=Größe & Söhne,CN=单元-1' \
    "$(json '.[0].subject')"

say "Forms"
succeeds "a request as DER" csr --key key.pem --subject /CN=x \
    --outform der --out unit.der
assert_contains "which openssl reads" "CN = x" \
    "$(plain_openssl req -inform DER -in unit.der -noout -subject)"
succeeds "a request on standard output" csr --key key.pem --subject /CN=x \
    --out -
assert_contains "which openssl reads" "CN = x" \
    "$(plain_openssl req -noout -subject <<<"$OUTPUT")"

say "Malformed subjects"
for subject in '' / CN=x /CN /=x /CN= /NoSuchThing=x $'/CN=\xff\xfe' \
    /O=Acme//CN=x /C=Germany; do
    no_request "the subject '$subject'" "subject" \
        csr --key key.pem --subject "$subject"
done

say "Malformed names"
for name in '' unit.example DNS: IP:1.2.3 IP:1.2.3.400 IP:::g NIS:x email:x \
    otherName:1.2.3 'otherName:1.2.3;BMP:x' 'otherName:x.y;UTF8:z' \
    $'DNS:\xff' 'DNS:a b'; do
    no_request "the name '$name'" "name" \
        csr --key key.pem --subject /CN=x --san "$name"
done

say "Malformed usages, hashes and keys"
no_request "a key usage that is none" "signThings" \
    csr --key key.pem --subject /CN=x --key-usage signThings
no_request "an extended key usage that is none" "cookTea" \
    csr --key key.pem --subject /CN=x --ext-key-usage cookTea
no_request "a hash that is none" "SHA999" \
    csr --key key.pem --subject /CN=x --hash SHA999
no_request "a key that is not there" "none.pem" \
    csr --key none.pem --subject /CN=x
plain_key plain
no_request "a software key" "PRIVATE KEY" \
    csr --key plain.key --subject /CN=x
