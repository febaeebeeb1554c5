#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Chips that do not make the RSA-PSS signature that TLS asks for: one that
# lacks PSS, one that salts it with all the room there is, a key that is fixed
# to PKCS#1. A key that may decrypt is padded in software and serves TLS 1.3
# all the same; of another devid test says so before a handshake does.
#
# Usage: pss.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# handshakes KEY VERSION [DIRECTIVE]: a client that speaks this version of TLS
# alone is served twice by one worker.
handshakes() {
    local got
    with_devid start_nginx --key "$WORK/$1.key" --cert "$WORK/$1.pem" \
        --server "${3:-}"
    trace_reset
    for _ in 1 2; do
        got=$(plain_request "--tlsv$2" --tls-max "$2") ||
            fail "$1: no TLS $2: $(grep devid: "$WORK/nginx.log")"
        assert_contains "$1: a request over TLS $2" "TLSv$2 " "$got"
    done
    stop_nginx
}

# tested EXPECTED KEY: devid test ends with this code. Sets OUTPUT.
tested() {
    local status=0
    OUTPUT=$("$DEVID" test --repeat 1 "$2" 2>&1) || status=$?
    assert_equal "devid test of ${2##*/} ends with" "$1" "$status"
}

# row SCHEME: whether it works, in the table of devid test.
row() {
    awk -v name="$1" '$1 == name { print $(NF - 2) }' <<<"$OUTPUT"
}

harness_dir
start_tpm --srk
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_identity signs server --algorithm rsa-2048
make_identity any server --algorithm rsa-2048 --decrypt
make_plain_client
start_trace

# A TPM that has no PSS answers TPM_RC_SCHEME for parameter 2. What comes back
# with another salt does not verify, as what comes back with a bit turned.
for chip in "refuse Sign/RSAPSS 0x2d2" "garble Sign/RSAPSS"; do
    case $chip in
    refuse*)
        say "A chip without PSS"
        code=:0x2d2
        ;;
    garble*)
        say "A chip with the longest salt"
        code=''
        ;;
    esac
    fault "$chip"
    handshakes any 1.3
    assert_equal "the TPM was asked once what it cannot do" \
        "ReadPublic Load ContextSave Sign$code FlushContext ContextLoad \
RSA_Decrypt FlushContext ContextLoad RSA_Decrypt FlushContext" "$(trace_list)"
    handshakes any 1.2
    tested 0 "$WORK/any.key"
    assert_contains "devid test says that all works" \
        "signs whatever TLS 1.2 and 1.3 may ask for" "$OUTPUT"

    with_devid start_nginx --key "$WORK/signs.key" --cert "$WORK/signs.pem"
    assert_fails "a key that may not decrypt has no TLS 1.3" \
        plain_request --tlsv1.3
    stop_nginx
    assert_contains "nginx's log says what to do" \
        "make it with devid keygen --decrypt" "$(<"$WORK/nginx.log")"
    : >"$WORK/nginx.log"
    tested 1 "$WORK/signs.key"
    assert_equal "PSS does not work" no "$(row rsa_pss_rsae_sha256)"
    assert_equal "PKCS#1 does" yes "$(row rsa_pkcs1_sha256)"
    assert_contains "it says what to do" "make it with devid keygen --decrypt" \
        "$OUTPUT"
    assert_contains "and what that means" "Without TLS 1.3" "$OUTPUT"
    # What clients may sign with, which would else be the same list.
    advice=$(grep -o 'ssl_conf_command [^"]*' <<<"$OUTPUT")
    handshakes signs 1.2 \
        "$advice ssl_conf_command ClientSignatureAlgorithms ECDSA+SHA256;"

    for persist in '' '--persist 0x81000310'; do
        # shellcheck disable=SC2086 # none, or two words
        assert_fails "a key that signs RSA-PSS alone is not made" \
            "$DEVID" keygen --algorithm rsa-pss-2048 $persist --out "$WORK/pss"
        assert_contains "in a sentence that says what to make" \
            "take an RSA key (devid keygen --algorithm rsa-2048 --decrypt)" \
            "$OUTPUT"
    done
    [[ ! -e $WORK/pss ]] || fail "a refused key left a file"
    assert_equal "nor does it stay in the TPM" "$SRK_HANDLE" \
        "$(tpm2_getcap handles-persistent | sed 's/^- //')"
done
fault_clear

say "A key that signs RSA-PSS alone"
trace_reset
"$DEVID" keygen --algorithm rsa-pss-2048 --out "$WORK/pss.key"
assert_equal "it signs once as it is made" "ReadPublic Create \
ReadPublic Load ContextSave Sign FlushContext" "$(trace_list)"

say "A key that is fixed to PKCS#1 with SHA-256"
tpm2_create -Q -C "$SRK_HANDLE" -G rsa2048:rsassa-sha256:null \
    -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign" \
    -u "$WORK/fixed.pub" -r "$WORK/fixed.priv" -c "$WORK/fixed.ctx"
tpm2_flushcontext -t
tpm2_load -Q -C "$SRK_HANDLE" -u "$WORK/fixed.pub" -r "$WORK/fixed.priv" \
    -c "$WORK/fixed.ctx"
tpm2_evictcontrol -Q -C o -c "$WORK/fixed.ctx" 0x81000300
tpm2_flushcontext -t
tested 1 tpm2:handle=0x81000300
assert_equal "PSS does not work" no "$(row rsa_pss_rsae_sha256)"
assert_equal "nor does PKCS#1 with another hash" no "$(row rsa_pkcs1_sha384)"
assert_equal "PKCS#1 with its own hash does" yes "$(row rsa_pkcs1_sha256)"
assert_contains "it says what to allow" "SignatureAlgorithms RSA+SHA256;" \
    "$OUTPUT"
