#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Key agreement with EC keys in a device, by programs that know nothing of it:
# pkeyutl -derive, plain and by a KDF, and cms to an EC recipient. The other
# side is an openssl without devid. Its cost is counted exactly.
#
# Usage: agree.sh bare|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
STAND=${ARGS[0]:?bare or token}

# agrees WHAT KEY NAME [PKEYUTL OPTION...]: KEY, whose public half is in
# NAME.pub, and a peer of software come to the same secret.
agrees() {
    local what=$1 key=$2 name=$3
    shift 3
    with_devid openssl pkeyutl -derive -inkey "$key" \
        -peerkey "$WORK/$name.peer.pub" "$@" -out "$WORK/ours" 2>"$WORK/err" ||
        fail "$what: $(<"$WORK/err")"
    [[ ! -s $WORK/err ]] || fail "$what leaves an error: $(<"$WORK/err")"
    plain_openssl pkeyutl -derive -inkey "$WORK/$name.peer" \
        -peerkey "$WORK/$name.pub" "$@" -out "$WORK/theirs"
    cmp -s "$WORK/ours" "$WORK/theirs" || fail "$what: another secret"
    say "  ok: $what"
}

# make_peer NAME CURVE: NAME.pub of NAME.key, NAME.peer and NAME.peer.pub.
make_peer() {
    with_devid openssl pkey -in "$WORK/$1.key" -pubout -out "$WORK/$1.pub"
    plain_openssl genpkey -quiet -algorithm EC \
        -pkeyopt "ec_paramgen_curve:$2" -out "$WORK/$1.peer"
    plain_openssl pkey -in "$WORK/$1.peer" -pubout -out "$WORK/$1.peer.pub"
}

# mails KEY NAME: what CMS encrypts to the certificate.
mails() {
    local options
    for options in "" "-wrap aes256-wrap" \
        "-keyopt ecdh_kdf_md:sha256" "-keyopt ecdh_cofactor_mode:1"; do
        # shellcheck disable=SC2086 # several words
        plain_openssl cms -encrypt -in "$WORK/message" -binary -aes256 \
            -out "$WORK/sent" -recip "$WORK/$2.pem" $options
        with_devid openssl cms -decrypt -in "$WORK/sent" -inkey "$1" \
            -recip "$WORK/$2.pem" -out "$WORK/got" 2>"$WORK/err" ||
            fail "cms ($options): $(<"$WORK/err")"
        cmp -s "$WORK/message" "$WORK/got" || fail "cms: another message"
    done
    say "  ok: cms -decrypt: $2"
}

refused() {
    local what=$1 sentence=$2
    shift 2
    assert_fails "$what" with_devid "$@"
    assert_contains "$what: the sentence" "$sentence" "$OUTPUT"
}

harness_dir
make_ca "$WORK/ca"
printf 'a message of no great length\n' >"$WORK/message"
start_device "$STAND"
settings=()
[[ $STAND != token ]] || settings=("pkcs11-module = $TOKEN_MODULE"
    "pin-source = file:$TOKEN_PIN_FILE")
openssl_conf "$WORK/openssl.cnf" last "${settings[@]}"
for curve in P-256 P-384 P-521; do
    make_identity "ec-$curve" server --algorithm "$curve" --decrypt
    make_peer "ec-$curve" "$curve"
done
make_identity signs server

for order in first last; do
    say "devid $order"
    openssl_conf "$WORK/openssl.cnf" "$order" "${settings[@]}"
    for curve in P-256 P-384 P-521; do
        name=ec-$curve
        agrees "$name" "$WORK/$name.key" "$name"
        agrees "$name, X9.63" "$WORK/$name.key" "$name" \
            -pkeyopt ecdh_kdf_md:sha256 -pkeyopt kdf-type:X963KDF \
            -pkeyopt kdf-outlen:48 -pkeyopt kdf-ukm:0102
        mails "$WORK/$name.key" "$name"
    done
    with_devid openssl dgst -sha256 -sign "$WORK/ec-P-256.key" \
        -out "$WORK/sig" "$WORK/message"
    plain_openssl dgst -sha256 -verify "$WORK/ec-P-256.pub" \
        -signature "$WORK/sig" "$WORK/message" >/dev/null
    say "  ok: a key that agrees signs as well"
    # Both in one program: an ephemeral key of software and the peer's.
    with_devid openssl pkeyutl -derive -inkey "$WORK/ec-P-256.peer" \
        -peerkey "$WORK/ec-P-256.pub" -out "$WORK/ours"
    agrees "an ordinary key stays with software" "$WORK/ec-P-256.key" ec-P-256
done

say "What goes wrong"
refused "a key made to sign" "devid keygen --decrypt" openssl pkeyutl \
    -derive -inkey "$WORK/signs.key" -peerkey "$WORK/ec-P-256.peer.pub"
refused "a peer on another curve" "" openssl pkeyutl -derive \
    -inkey "$WORK/ec-P-256.key" -peerkey "$WORK/ec-P-384.peer.pub"
refused "another KDF" "devid derives keys by X963KDF" openssl pkeyutl \
    -derive -inkey "$WORK/ec-P-256.key" \
    -peerkey "$WORK/ec-P-256.peer.pub" -pkeyopt kdf-type:HKDF

say "What it costs"
derive="openssl pkeyutl -derive -peerkey $WORK/ec-P-256.peer.pub \
-out $WORK/ours"
case $STAND in
bare)
    make_key kept --decrypt --persist 0x81000100
    make_peer kept P-256
    agrees "a persistent key by its URI" tpm2:handle=0x81000100 kept
    start_trace
    for sharing in bare managed; do
        export DEVID_TPM2_SHARING=$sharing
        expected="ReadPublic Load ContextSave ECDH_ZGen FlushContext"
        [[ $sharing == bare ]] ||
            expected="ReadPublic Load ECDH_ZGen FlushContext"
        trace_reset
        # shellcheck disable=SC2086 # several words
        with_devid $derive -inkey "$WORK/ec-P-256.key"
        assert_equal "$sharing: a key file" "$expected" "$(trace_list)"
        trace_reset
        # shellcheck disable=SC2086 # several words
        with_devid $derive -inkey "$WORK/kept.key"
        assert_equal "$sharing: a persistent key" "ReadPublic ECDH_ZGen" \
            "$(trace_list)"
    done
    ;;
token)
    start_spy
    settings[0]="pkcs11-module = $TOKEN_MODULE"
    openssl_conf "$WORK/openssl.cnf" last "${settings[@]}"
    KEYGEN_DEVICE=(--device "$TOKEN_URI")
    make_key spied --decrypt --label spied
    spy_reset
    # shellcheck disable=SC2086 # several words
    with_devid $derive -inkey "$WORK/spied.key"
    agreed="DeriveKey GetAttributeValue DestroyObject"
    assert_equal "a whole program that agrees once, the proof included" \
        "Initialize GetSlotList GetTokenInfo OpenSession Login FindObjectsInit \
FindObjects FindObjectsFinal GetAttributeValue $agreed $agreed \
CloseSession Finalize" "$(spy_list)"
    ;;
esac
