#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A TPM whose answers are wrong by a bit, or a bus on which somebody turns it: no
# wrong signature leaves the process where it could do harm or can be cheaply
# found.
#
# Usage: wrong_answers.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# signs KEY: openssl does; verifies KEY: what it signed last.
signs() {
    OPENSSL_CONF=$WORK/openssl.cnf openssl dgst -sha256 \
        -sign "$WORK/$1.key" -out "$WORK/signature" "$WORK/text"
}
verifies() {
    openssl dgst -sha256 -verify "$WORK/$1.pub" -signature "$WORK/signature" \
        "$WORK/text"
}

harness_dir
start_tpm --srk
openssl_conf "$WORK/openssl.cnf"
echo text >"$WORK/text"
for key in "blob --algorithm ec-p256" "rsa --algorithm rsa-2048" \
    "persistent --algorithm ec-p256 --persist 0x81000300"; do
    name=${key%% *}
    read -ra options <<<"${key#* }"
    "$DEVID" keygen "${options[@]}" --out "$WORK/$name.key"
    OPENSSL_CONF=$WORK/openssl.cnf openssl pkey -in "$WORK/$name.key" -pubout \
        -out "$WORK/$name.pub"
done
start_trace

say "One wrong answer"
for key in blob rsa; do
    trace_reset
    fault "garble Sign times=1"
    signs "$key" || fail "$key: a wrong answer is asked for again"
    assert_equal "$key: it was asked for twice" 2 \
        "$(trace_list | tr ' ' '\n' | grep -c '^Sign')"
    assert_equal "$key: the second is what openssl got" "Verified OK" \
        "$(verifies "$key")"
done

say "Nothing but wrong answers"
fault "garble Sign"
for key in blob rsa; do
    assert_fails "$key: no signature" signs "$key"
    assert_contains "$key: in a sentence" \
        "signed twice, and neither signature fits the key's public half" \
        "$OUTPUT"
done

say "A key whose handle is its own is not looked at"
signs persistent || fail "a persistent EC key's signature is handed on"
assert_fails "wrong as it is" verifies persistent
export DEVID_CHECK_SIGNATURES=always
assert_fails "unless the setting asks for it" signs persistent
assert_contains "then it says so" "neither signature fits" "$OUTPUT"
fault_clear
