#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid trust add, remove and list: what the file has, and what it refuses.
# Needs no TPM.
#
# Usage: list.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
need jq
harness_dir
cd "$WORK"
make_authority ca
for name in one two; do make_device $name; done

say "What the list has"
trust_fails "there is none yet" "begins one" list
trust add --ca ca/ca.pem
assert_equal "a CA" "CN=Test CA,O=devid test" "$(entries '.cas[].subject')"
trust add --cert one.pem --note "gate 7"
assert_equal "a device, by its fingerprint" \
    "fingerprint $(of_cert one -fingerprint -sha256 | tr -d : | tr A-F a-f)" \
    "$(entries '.devices[0] | .by + " " + .sha256')"
assert_equal "and what people know it by" "CN=one,O=Acme gate 7" \
    "$(entries '.devices[0] | .subject + " " + .note')"
trust add --cert one.pem --note "gate 8"
assert_equal "a second time it is the same entry" "1 gate 8" \
    "$(entries '(.devices | length | tostring) + " " + .devices[0].note')"
trust add --serial "$(of_cert two -serial | tr A-F a-f)"
assert_equal "a serial number is its CA's" \
    "$(of_cert two -serial) CN=Test CA,O=devid test" \
    "$(entries '.devices[1] | .serial + " " + .issuer')"
trust add --subject 'CN=Büro 7, O=Acme\, Inc'
assert_equal "a subject is spelt as servers spell it" \
    'CN=B\C3\BCro 7,O=Acme\, Inc' "$(entries '.devices[2].subject')"
trust add --fingerprint "$(of_cert two -fingerprint)"
assert_equal "what has 40 digits is a SHA-1" 40 \
    "$(entries '.devices[3].sha1 | length')"
trust add --crl http://127.0.0.1/ca.crl
trust list
for part in "CN=Test CA,O=devid test" never "gate 8" 'B\C3\BCro'; do
    assert_contains "devid trust list has $part" "$part" "$OUTPUT"
done
trust list --json
assert_equal "and as JSON" "1 1 4" \
    "$(json '[.cas, .crls, .devices | length | tostring] | join(" ")')"

say "What is removed"
trust add --cert two.pem --by subject
trust remove --cert two.pem
assert_equal "a certificate: all that names it" "fingerprint subject" \
    "$(entries '[.devices[].by] | join(" ")')"
trust_fails "what is not there" "has no such entry" remove --cert two.pem
trust remove --subject 'CN=Büro 7,O=Acme\, Inc'
trust remove --crl http://127.0.0.1/ca.crl
trust remove --ca ca/ca.pem
assert_equal "all the rest stays" "1 0 0" \
    "$(entries '[.devices, .crls, .cas | length | tostring] | join(" ")')"

trust remove --cert one.pem
trust list
assert_equal "and of an empty one people are told" \
    "nobody is accepted: the list is empty" "$OUTPUT"
trust add --cert one.pem --note "gate 8"

say "What is refused"
cp trust.json before
trust_fails "a device in place of a CA" "is no CA" add --ca one.pem
trust_fails "a serial number of nobody" "must be said by --issuer" \
    add --serial 17
trust_fails "another kind of URL" "is no URL of a list" add --crl ftp://x/y
trust_fails "something else than a certificate" "holds no certificate" \
    add --cert one.key
assert_equal "and the file is what it was" "$(<before)" "$(<trust.json)"
for wrong in /CN=x "no name"; do
    run_devid trust add --subject "$wrong"
    assert_contains "the subject '$wrong'" "is written as in RFC 4514" "$ERRORS"
done
run_devid trust add --fingerprint abc
assert_contains "a short hash" "64 hexadecimal digits of SHA-256" "$ERRORS"
run_devid trust add --serial xyz
assert_contains "a number that is none" "no serial number" "$ERRORS"
run_devid trust add --cert one.pem --subject CN=x
assert_contains "two things" "and no other" "$ERRORS"
run_devid trust add --cert one.pem --by name
assert_contains "an unknown criterion" "fingerprint, serial or subject" "$ERRORS"
assert_equal "as wrong use" 2 "$STATUS"

# damaged WHAT SENTENCE FILTER: the list as somebody has edited it.
damaged() {
    jq "$3" before >trust.json
    trust_fails "$1" "$2" list
}
say "What a hand may get wrong"
damaged "a mistyped member" 'no member "devcies"' '.devcies = []'
damaged "a criterion that is none" 'device 1 does not say "by"' \
    '.devices[0].by = "name"'
damaged "one without its value" "device 1 lacks what it goes by" \
    '.devices[0].by = "serial"'
damaged "a fingerprint that is cut short" "device 1 has a fingerprint" \
    '.devices[0].sha256 |= .[:60]'
damaged "a name of two lines" "device 1 has a subject" \
    '.devices[0].subject = "CN=x\nCN=y"'
damaged "a CA without its certificate" "CA 1 has no" '.cas = [{"subject": "x"}]'
damaged "another version" "is not of version 1" '.version = 2'
echo '{' >trust.json
trust_fails "no JSON" "cannot be read: line" list
cp before trust.json
mkdir closed
ln -s ../trust.json closed/trust.json
run_devid trust add --cert two.pem --file closed/trust.json
assert_contains "a symbolic link" "writes through none" "$ERRORS"

say "Many at once"
pids=()
for i in 1 2 3 4 5 6 7 8; do
    "$DEVID" trust add --subject "CN=unit-$i" --file "$WORK/trust.json" \
        >/dev/null &
    pids+=($!)
done
wait "${pids[@]}"
assert_equal "eight that add at once lose nothing" 9 \
    "$(entries '.devices | length')"
