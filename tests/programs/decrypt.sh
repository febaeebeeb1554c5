#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Decryption with RSA keys in a device, by programs that know nothing of it:
# pkeyutl, cms, smime, and TLS 1.2 with RSA key exchange. What is encrypted was
# encrypted by an openssl without devid. Its cost is counted exactly.
#
# Usage: decrypt.sh bare|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
STAND=${ARGS[0]:?bare or token}

# decrypts WHAT KEY [PKEYUTL OPTION...]: $WORK/message, encrypted to KEY's
# public half, comes out again.
decrypts() {
    local what=$1 key=$2
    shift 2
    plain_openssl pkeyutl -encrypt -pubin -inkey "$WORK/rsa.pub" \
        -in "$WORK/message" -out "$WORK/sent" "$@"
    with_devid openssl pkeyutl -decrypt -inkey "$key" "$@" -in "$WORK/sent" \
        -out "$WORK/got" 2>"$WORK/err" || fail "$what: $(<"$WORK/err")"
    [[ ! -s $WORK/err ]] || fail "$what leaves an error: $(<"$WORK/err")"
    cmp -s "$WORK/message" "$WORK/got" || fail "$what: another message"
    say "  ok: $what"
}

# decrypts_all KEY: every padding.
decrypts_all() {
    local oaep=(-pkeyopt rsa_padding_mode:oaep)
    decrypts "PKCS#1" "$1" -pkeyopt rsa_padding_mode:pkcs1
    decrypts "OAEP" "$1" "${oaep[@]}"
    decrypts "OAEP with SHA-256" "$1" "${oaep[@]}" -pkeyopt rsa_oaep_md:sha256
    decrypts "OAEP with two hashes and a label" "$1" "${oaep[@]}" \
        -pkeyopt rsa_oaep_md:sha512 -pkeyopt rsa_mgf1_md:sha1 \
        -pkeyopt rsa_oaep_label:6c6162656c
    cp "$WORK/message" "$WORK/short"
    cp "$WORK/block" "$WORK/message"
    decrypts "no padding" "$1" -pkeyopt rsa_padding_mode:none
    cp "$WORK/short" "$WORK/message"
}

# mails KEY: what CMS and S/MIME encrypt to the certificate.
mails() {
    local options
    for options in "" "-keyopt rsa_padding_mode:oaep" \
        "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256"; do
        # shellcheck disable=SC2086 # several words
        plain_openssl cms -encrypt -in "$WORK/message" -binary -aes256 \
            -recip "$WORK/rsa.pem" $options -out "$WORK/sent"
        with_devid openssl cms -decrypt -in "$WORK/sent" -inkey "$1" \
            -recip "$WORK/rsa.pem" -out "$WORK/got" 2>"$WORK/err" ||
            fail "cms ($options): $(<"$WORK/err")"
        cmp -s "$WORK/message" "$WORK/got" || fail "cms: another message"
    done
    with_devid openssl cms -decrypt -in "$WORK/sent" -inkey "$1" \
        -out "$WORK/got" 2>"$WORK/err" || fail "cms alone: $(<"$WORK/err")"
    cmp -s "$WORK/message" "$WORK/got" || fail "cms: another message"
    say "  ok: cms -decrypt"
    plain_openssl smime -encrypt -in "$WORK/message" -binary -aes128 \
        -out "$WORK/sent" "$WORK/rsa.pem"
    with_devid openssl smime -decrypt -in "$WORK/sent" -inkey "$1" \
        -recip "$WORK/rsa.pem" -out "$WORK/got" 2>"$WORK/err" ||
        fail "smime: $(<"$WORK/err")"
    cmp -s "$WORK/message" "$WORK/got" || fail "smime: another message"
    say "  ok: smime -decrypt"
}

# key_exchange KEY: a TLS 1.2 server without ephemeral keys.
key_exchange() {
    local port cipher
    for cipher in AES128-GCM-SHA256 AES128-SHA; do
        port=$(free_port)
        with_devid spawn s_server openssl s_server -accept "127.0.0.1:$port" \
            -key "$1" -cert "$WORK/rsa.pem" -naccept 1 -www \
            -cipher "$cipher:@SECLEVEL=0" -tls1_2
        await_port "$SPAWNED" "$port"
        printf 'GET / HTTP/1.0\r\n\r\n' |
            OPENSSL_CONF=/dev/null timeout 60 openssl s_client -ign_eof \
                -connect "127.0.0.1:$port" -CAfile "$CA_DIR/ca.pem" \
                -cipher "$cipher:@SECLEVEL=0" -tls1_2 >"$WORK/out" 2>&1 ||
            fail "$cipher: $(<"$WORK/out")"
        halt "$SPAWNED"
        assert_contains "$cipher: a page" "HTTP/1.0 200" "$(<"$WORK/out")"
    done
}

refused() {
    local what=$1 sentence=$2
    shift 2
    assert_fails "$what" with_devid "$@"
    assert_contains "$what: the sentence" "$sentence" "$OUTPUT"
}

# wrong WHAT KEY: what $WORK/sent is to KEY, with another padding.
wrong() {
    for i in 1 2; do
        with_devid openssl pkeyutl -decrypt -inkey "$2" -in "$WORK/sent" \
            -out "$WORK/made-up.$i" || fail "$1"
    done
    ! cmp -s "$WORK/made-up.1" "$WORK/message" || fail "$1: it came out"
    say "  ok: $1"
}

# fixed SCHEME HANDLE: a key of another program's, fixed to a scheme.
fixed() {
    tpm2_create -Q -C "$SRK_HANDLE" -G "rsa2048:$1" -u "$WORK/fixed.public" \
        -r "$WORK/fixed.private" \
        -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|decrypt'
    tpm2_load -Q -C "$SRK_HANDLE" -u "$WORK/fixed.public" \
        -r "$WORK/fixed.private" -c "$WORK/fixed.context"
    tpm2_flushcontext -t
    tpm2_evictcontrol -Q -C o -c "$WORK/fixed.context" "$2"
    tpm2_flushcontext -t
    cp "$WORK/rsa.pub" "$WORK/kept.pub"
    with_devid openssl pkey -in "tpm2:handle=$2" -pubout -out "$WORK/rsa.pub"
}

harness_dir
make_ca "$WORK/ca"
printf 'a message of no great length\n' >"$WORK/message"
head -c 256 /dev/zero | tr '\0' '\1' >"$WORK/block"
start_device "$STAND"
settings=()
[[ $STAND != token ]] || settings=("pkcs11-module = $TOKEN_MODULE"
    "pin-source = file:$TOKEN_PIN_FILE")
openssl_conf "$WORK/openssl.cnf" last "${settings[@]}"
make_identity rsa server --algorithm rsa-2048 --decrypt
make_identity signs server --algorithm rsa-2048
with_devid openssl pkey -in "$WORK/rsa.key" -pubout -out "$WORK/rsa.pub"

for order in first last; do
    say "devid $order"
    openssl_conf "$WORK/openssl.cnf" "$order" "${settings[@]}"
    decrypts_all "$WORK/rsa.key"
    with_devid openssl pkeyutl -encrypt -inkey "$WORK/rsa.key" \
        -in "$WORK/message" -out "$WORK/sent"
    with_devid openssl pkeyutl -decrypt -inkey "$WORK/rsa.key" \
        -in "$WORK/sent" -out "$WORK/got"
    cmp -s "$WORK/message" "$WORK/got" || fail "encrypted by us"
    say "  ok: encrypted with the key itself"
    mails "$WORK/rsa.key"
    key_exchange "$WORK/rsa.key"
    openssl_conf "$WORK/plain.cnf" "$order"
    plain_openssl genpkey -quiet -algorithm RSA -out "$WORK/soft.key"
    with_devid openssl pkeyutl -encrypt -inkey "$WORK/soft.key" \
        -in "$WORK/message" -out "$WORK/sent"
    with_devid openssl pkeyutl -decrypt -inkey "$WORK/soft.key" \
        -in "$WORK/sent" -out "$WORK/got"
    cmp -s "$WORK/message" "$WORK/got" || fail "an ordinary key decrypts"
    say "  ok: an ordinary key stays with software"
done

say "What goes wrong"
with_devid openssl pkey -in "$WORK/signs.key" -pubout -out "$WORK/signs.pub"
for key in signs rsa; do
    plain_openssl pkeyutl -encrypt -pubin -inkey "$WORK/$key.pub" \
        -in "$WORK/message" -out "$WORK/sent" -pkeyopt rsa_padding_mode:oaep
    [[ $key == rsa ]] ||
        refused "a key made to sign" "devid keygen --decrypt" openssl pkeyutl \
            -decrypt -inkey "$WORK/$key.key" -in "$WORK/sent"
done
refused "OAEP with another hash" "no ciphertext for this key" openssl \
    pkeyutl -decrypt -inkey "$WORK/rsa.key" -in "$WORK/sent" \
    -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256
wrong "wrong PKCS#1 padding is answered with another message" "$WORK/rsa.key"

if [[ $STAND != token ]]; then
    say "Keys fixed to a scheme"
    oaep=(-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256)
    fixed rsaes 0x81000101
    decrypts "PKCS#1 by the TPM" tpm2:handle=0x81000101
    plain_openssl pkeyutl -encrypt -pubin -inkey "$WORK/rsa.pub" \
        -in "$WORK/message" -out "$WORK/sent" "${oaep[@]}"
    wrong "wrong padding is answered here too" tpm2:handle=0x81000101
    refused "another padding" "this key is fixed to RSAES (PKCS#1 v1.5)" \
        openssl pkeyutl -decrypt -inkey tpm2:handle=0x81000101 \
        -in "$WORK/sent" "${oaep[@]}"
    mv "$WORK/kept.pub" "$WORK/rsa.pub"
    fixed oaep-sha256 0x81000102
    decrypts "OAEP by the TPM" tpm2:handle=0x81000102 "${oaep[@]}"
    decrypts "OAEP with a label that ends in zero" tpm2:handle=0x81000102 \
        "${oaep[@]}" -pkeyopt rsa_oaep_label:6c6162656c00
    refused "OAEP with a label that does not" "this key is fixed to OAEP" \
        openssl pkeyutl -decrypt -inkey tpm2:handle=0x81000102 \
        -in "$WORK/sent" "${oaep[@]}" -pkeyopt rsa_oaep_label:6c
    plain_openssl pkeyutl -encrypt -pubin -inkey "$WORK/rsa.pub" \
        -in "$WORK/message" -out "$WORK/sent"
    start_trace
    trace_reset
    refused "what is no OAEP" "no ciphertext for this key" openssl pkeyutl \
        -decrypt -inkey tpm2:handle=0x81000102 -in "$WORK/sent" "${oaep[@]}"
    assert_equal "and it is tried once" "1" "$(trace_count RSA_Decrypt)"
    stop_trace
    mv "$WORK/kept.pub" "$WORK/rsa.pub"
fi

say "What it costs"
case $STAND in
bare)
    make_key persistent --algorithm rsa-2048 --decrypt --persist 0x81000100
    plain_openssl pkeyutl -encrypt -certin -inkey "$WORK/rsa.pem" \
        -in "$WORK/message" -out "$WORK/sent"
    with_devid openssl pkey -in "$WORK/persistent.key" -pubout \
        -out "$WORK/rsa.pub"
    decrypts "a persistent key by its URI" tpm2:handle=0x81000100
    plain_openssl pkeyutl -encrypt -pubin -inkey "$WORK/rsa.pub" \
        -in "$WORK/message" -out "$WORK/sent.persistent"
    start_trace
    decrypt="openssl pkeyutl -decrypt -out $WORK/got"
    for sharing in bare managed; do
        expected="ReadPublic Load ContextSave RSA_Decrypt FlushContext"
        [[ $sharing == bare ]] ||
            expected="ReadPublic Load RSA_Decrypt FlushContext"
        trace_reset
        # shellcheck disable=SC2086 # several words
        DEVID_TPM2_SHARING=$sharing with_devid $decrypt \
            -inkey "$WORK/rsa.key" -in "$WORK/sent"
        assert_equal "$sharing: a key file" "$expected" "$(trace_list)"
        trace_reset
        # shellcheck disable=SC2086 # several words
        DEVID_TPM2_SHARING=$sharing with_devid $decrypt \
            -inkey "$WORK/persistent.key" -in "$WORK/sent.persistent"
        assert_equal "$sharing: a persistent key" "ReadPublic RSA_Decrypt" \
            "$(trace_list)"
    done
    ;;
token)
    uri="pkcs11:token=$TOKEN_LABEL;id=$("$DEVID" show --json \
        "$WORK/rsa.key" | jq -r '.. | .uri? // empty' | head -n 1 |
        sed 's/.*;id=//;s/[;?].*//')"
    decrypts "a key by its URI" "$uri"
    start_spy
    settings[0]="pkcs11-module = $TOKEN_MODULE"
    openssl_conf "$WORK/openssl.cnf" last "${settings[@]}"
    KEYGEN_DEVICE=(--device "$TOKEN_URI")
    make_key rsa --algorithm rsa-2048 --decrypt --label spied --force
    with_devid openssl pkey -in "$WORK/rsa.key" -pubout -out "$WORK/rsa.pub"
    spy_reset
    decrypts "the key whose calls are counted" "$WORK/rsa.key"
    assert_equal "a whole program that decrypts once" \
        "Initialize GetSlotList GetTokenInfo OpenSession Login FindObjectsInit \
FindObjects FindObjectsFinal GetAttributeValue DecryptInit Decrypt \
CloseSession Finalize" "$(spy_list)"
    ;;
esac
