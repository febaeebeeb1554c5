#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# An authority whose key is in a device: it issues certificates and lists of
# revoked ones, answers OCSP requests, stamps times, answers CMP, signs mail.
# The key is named by its file, and by its URI. An openssl without devid verifies
# all of it.
#
# Usage: authority.sh bare|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
STAND=${ARGS[0]:?bare or token}

# by_devid COMMAND...: it succeeds, and leaves no error of devid's behind;
# openssl ts looks for settings that need not be there, and says so.
by_devid() {
    with_devid "$@" >"$WORK/out" 2>"$WORK/err" || fail "$*: $(<"$WORK/err")"
    ! grep -q 'error:.*:devid:' "$WORK/err" || fail "$* leaves $(<"$WORK/err")"
}

# verified COMMAND...: an openssl without devid finds it good.
verified() {
    plain_openssl "$@" >"$WORK/out" 2>&1 || fail "$*: $(<"$WORK/out")"
}

# certificate NAME EXTENSION...: of the key KEY, by itself: $WORK/NAME.pem.
certificate() {
    local name=$1 extension options=()
    shift
    for extension in "$@"; do
        options+=(-addext "$extension")
    done
    by_devid openssl req -x509 -new -key "$KEY" -days 30 \
        -subj "/O=Acme/CN=$name" "${options[@]}" -out "$WORK/$name.pem"
}

ca_conf() {
    mkdir -p "$WORK/db/new"
    : >"$WORK/db/index"
    rm -f "$WORK/db/index.attr"
    echo 01 >"$WORK/db/serial"
    echo 01 >"$WORK/db/crlnumber"
    cat >"$WORK/ca.cnf" <<EOF
[ca]
default_ca = authority
[authority]
database = $WORK/db/index
new_certs_dir = $WORK/db/new
serial = $WORK/db/serial
crlnumber = $WORK/db/crlnumber
certificate = $WORK/$1.pem
private_key = "$KEY"
default_md = sha256
default_days = 30
default_crl_days = 30
policy = policy
[policy]
commonName = supplied
[tsa]
default_tsa = stamps
[stamps]
serial = $WORK/db/serial
signer_cert = $WORK/$1-tsa.pem
signer_key = $WORK/${1%-uri}.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
EOF
}

# authority NAME KEY: everything with that key, a file or a URI.
authority() {
    local name=$1 KEY=$2
    local ca=(openssl ca -config "$WORK/ca.cnf" -batch -notext)
    certificate "$name" "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"
    ca_conf "$name"
    plain_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$WORK/unit.key" -subj /CN=unit -out "$WORK/unit.csr" \
        2>/dev/null

    by_devid "${ca[@]}" -in "$WORK/unit.csr" -out "$WORK/unit.pem"
    verified verify -CAfile "$WORK/$name.pem" "$WORK/unit.pem"
    by_devid "${ca[@]}" -revoke "$WORK/unit.pem"
    by_devid "${ca[@]}" -gencrl -out "$WORK/crl.pem"
    verified crl -in "$WORK/crl.pem" -CAfile "$WORK/$name.pem" -noout
    assert_fails "$name: openssl ca issues, revokes and lists" \
        plain_openssl verify -crl_check -CAfile "$WORK/$name.pem" \
        -CRLfile "$WORK/crl.pem" "$WORK/unit.pem"

    by_devid openssl x509 -req -in "$WORK/unit.csr" -CA "$WORK/$name.pem" \
        -CAkey "$KEY" -set_serial 7 -days 3 -out "$WORK/unit7.pem"
    verified verify -CAfile "$WORK/$name.pem" "$WORK/unit7.pem"
    say "  ok: $name: openssl x509 -req -CAkey"

    by_devid openssl ocsp -index "$WORK/db/index" -CA "$WORK/$name.pem" \
        -rsigner "$WORK/$name.pem" -rkey "$KEY" \
        -issuer "$WORK/$name.pem" -cert "$WORK/unit.pem" \
        -no_nonce -reqout "$WORK/ocsp.req" -respout "$WORK/ocsp.resp"
    verified ocsp -reqin "$WORK/ocsp.req" -respin "$WORK/ocsp.resp" \
        -issuer "$WORK/$name.pem" -cert "$WORK/unit.pem" \
        -CAfile "$WORK/$name.pem"
    assert_contains "$name: OCSP" "unit.pem: revoked" "$(<"$WORK/out")"

    # Its signer_key is a file, whatever the key.
    by_devid openssl req -x509 -new -key "$KEY" -days 30 \
        -subj "/CN=$name" -addext extendedKeyUsage=critical,timeStamping \
        -out "$WORK/$name-tsa.pem"
    verified ts -query -data "$WORK/message" -sha256 -cert \
        -out "$WORK/stamp.req"
    by_devid openssl ts -reply -config "$WORK/ca.cnf" -section stamps \
        -queryfile "$WORK/stamp.req" -out "$WORK/stamp"
    verified ts -verify -data "$WORK/message" -in "$WORK/stamp" \
        -CAfile "$WORK/$name-tsa.pem"
    say "  ok: $name: a time stamp"

    certificate "$name" "keyUsage=critical,keyCertSign,digitalSignature" \
        "extendedKeyUsage=emailProtection"
    by_devid openssl cms -sign -in "$WORK/message" -signer "$WORK/$name.pem" \
        -inkey "$KEY" -out "$WORK/mail"
    verified cms -verify -in "$WORK/mail" -CAfile "$WORK/$name.pem"
    by_devid openssl smime -sign -in "$WORK/message" \
        -signer "$WORK/$name.pem" -inkey "$KEY" -out "$WORK/mail"
    verified smime -verify -in "$WORK/mail" -CAfile "$WORK/$name.pem"
    say "  ok: $name: cms -sign, smime -sign"
    by_devid openssl storeutl -noout "$KEY"
    by_devid openssl dgst -sha384 -sign "$KEY" \
        -out "$WORK/sig" "$WORK/message"
    plain_openssl x509 -in "$WORK/$name.pem" -noout -pubkey >"$WORK/pub"
    verified dgst -sha384 -verify "$WORK/pub" -signature "$WORK/sig" \
        "$WORK/message"
    say "  ok: $name: dgst -sign, storeutl"
    certification_requests "$name"
}

# certification_requests NAME: openssl's own CMP client and server, in one
# program, sign what they ask and answer by the key.
certification_requests() {
    local name=$1
    by_devid openssl cmp -config '' -use_mock_srv -cmd cr \
        -srv_cert "$WORK/$name.pem" -srv_key "$KEY" \
        -srv_trusted "$WORK/$name.pem" -rsp_cert "$WORK/unit7.pem" \
        -cert "$WORK/$name.pem" -key "$KEY" \
        -trusted "$WORK/$name.pem" -newkey "$WORK/unit.key" \
        -subject /CN=unit -recipient "/CN=$name" -certout "$WORK/cmp.pem"
    plain_openssl x509 -in "$WORK/cmp.pem" -noout -subject -nameopt RFC2253 \
        >"$WORK/out"
    assert_contains "$name: CMP, both sides" "CN=unit" "$(<"$WORK/out")"
}

harness_dir
printf 'what is signed\n' >"$WORK/message"
start_device "$STAND"
settings=()
[[ $STAND != token ]] || settings=("pkcs11-module = $TOKEN_MODULE"
    "pin-source = file:$TOKEN_PIN_FILE")
make_key rsa --algorithm rsa-2048
URI=tpm2:handle=0x81000110
case $STAND in
token)
    make_key ec --label ec
    URI="pkcs11:token=$TOKEN_LABEL;object=ec"
    ;;
*) make_key ec --persist "${URI#*=}" ;;
esac
for order in first last; do
    say "devid $order"
    openssl_conf "$WORK/openssl.cnf" "$order" "${settings[@]}"
    authority ec "$WORK/ec.key"
    authority rsa "$WORK/rsa.key"
    authority ec-uri "$URI"
done
