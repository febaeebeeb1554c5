#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The openssl command on keys and certificates of a PKCS#11 token: by file, by
# URI, by the PEM of pkcs11-provider; listed, made, and with the PIN as their
# passphrase. What it makes, an openssl without devid verifies.
#
# Usage: token.sh [--build-dir DIR] [--keep]
#
# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir
cd "$WORK"
start_token factory
unset DEVID_PKCS11_MODULE # which would win over openssl.cnf
printf 'what is signed' >data
token=pkcs11:token=factory
pin="pass:$TOKEN_PIN"
settings=("pkcs11-module = $TOKEN_MODULE")

# under COMMAND...: with $WORK/openssl.cnf in force. Fails the test where it
# fails or leaves an error behind.
under() {
    OPENSSL_CONF=$WORK/openssl.cnf "$@" >out.log 2>err.log ||
        fail "$*: $(<err.log)"
    ! grep -q 'error:' err.log || fail "$* leaves an error: $(<err.log)"
}

# refused WHAT SENTENCE COMMAND...: it fails, and says so in our words.
refused() {
    local what=$1 sentence=$2
    shift 2
    assert_fails "$what" env OPENSSL_CONF="$WORK/openssl.cnf" "$@"
    assert_contains "$what: the sentence" "$sentence" "$OUTPUT"
}

# requests KEY [OPTION...]: a request by that key.
requests() {
    under openssl req -new -key "$1" -subj /CN=x -out x.csr "${@:2}"
    plain_openssl req -in x.csr -verify -noout >verify 2>&1 ||
        fail "the request by $1 does not verify"
}

for order in first last; do
    say "devid $order"
    openssl_conf openssl.cnf "$order" "${settings[@]}" \
        "pin-source = file:$TOKEN_PIN_FILE"
    unit=unit-$order

    under openssl genpkey -algorithm EC -propquery provider=devid \
        -pkeyopt group:P-256 -pkeyopt "device:$token" \
        -pkeyopt "label:$unit" -out ec.pem
    under openssl genpkey -algorithm RSA -propquery provider=devid \
        -pkeyopt bits:2048 -pkeyopt "device:$token" \
        -pkeyopt "label:rsa-$order" -out rsa.pem
    assert_equal "genpkey makes keys on the token" \
        "-----BEGIN DEVID KEY REFERENCE-----
-----BEGIN DEVID KEY REFERENCE-----" "$(head -qn 1 ec.pem rsa.pem)"
    for key in ec rsa; do
        under openssl pkey -in $key.pem -pubout -out $key.pub
        for hash in sha256 sha512; do
            under openssl dgst -$hash -sign $key.pem -out sig data
            plain_openssl dgst -$hash -verify $key.pub -signature sig data \
                >verify || fail "$key, $hash: $(<verify)"
        done
        requests $key.pem
    done
    under openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sign rsa.pem \
        -out sig data
    plain_openssl dgst -sha256 -sigopt rsa_padding_mode:pss -verify rsa.pub \
        -signature sig data >verify || fail "RSA-PSS: $(<verify)"
    under openssl pkey -in ec.pem -noout -text
    assert_contains "its text says where it is" "pkcs11:" "$(<out.log)"
    say "  ok: keys by their files"

    under openssl pkey -in "$token;object=$unit" -pubout -out uri.pub
    cmp -s uri.pub ec.pub || fail "another key by its URI"
    under openssl pkey -pubin -in "$token;object=$unit;type=public" -pubout \
        -out uri.pub
    cmp -s uri.pub ec.pub || fail "another public key by its URI"
    requests "$token;object=$unit"
    requests "$token;object=$unit;type=private"
    say "  ok: keys by their URIs"

    under openssl req -x509 -key ec.pem -subj "/CN=$unit" -days 2 -out ec.crt
    "$BUILD_DIR/tools/devid" cert put --module "$TOKEN_MODULE" --key ec.pem \
        --cert ec.crt --auth-source "file:$TOKEN_PIN_FILE"
    for uri in "$token;object=$unit;type=cert" "$token;object=$unit"; do
        under openssl x509 -in "$uri" -out uri.crt
        cmp -s uri.crt ec.crt || fail "another certificate at $uri"
    done
    under openssl storeutl -noout "$token;object=$unit"
    assert_contains "an object without a type is key and certificate" \
        "Total found: 2" "$(<out.log)"
    under openssl storeutl -noout "$token;object=rsa-$order"
    assert_contains "and a key alone where there is no certificate" \
        "Total found: 1" "$(<out.log)"
    say "  ok: certificates by their URIs"

    under openssl storeutl -noout -r "$token"
    assert_contains "storeutl lists the token" "type=cert" "$(<out.log)"
    assert_equal "every name leads to its object" \
        "$(grep -c Name: out.log)" \
        "$(grep -cE '^  0: (Pkey|Certificate)$' out.log)"

    peer_pem "$token;object=$unit" peer.pem
    requests peer.pem
    requests peer.der
    under openssl pkey -in peer.pem -pubout -out uri.pub
    cmp -s uri.pub ec.pub || fail "another key in pkcs11-provider's file"
    under openssl pkey -in peer.pem -out copy.pem
    requests copy.pem
    peer_pem "$token;object=$unit?pin-source=file:$TOKEN_PIN_FILE" peer.pem
    requests peer.pem
    say "  ok: pkcs11-provider's PEM"
done

say "The PIN as the passphrase"
openssl_conf openssl.cnf last "${settings[@]}" "pin-source = ask"
for key in ec.pem "$token;object=$unit" copy.pem; do
    requests "$key" -passin "$pin"
done
peer_pem "$token;object=$unit" peer.pem
requests peer.pem -passin "$pin"
say "  ok: files, a URI and pkcs11-provider's PEM"
requests "$token;object=$unit?pin-source=file:$TOKEN_PIN_FILE"
say "  ok: a URI that says where its PIN is asks for none"
refused "a wrong one" "refused the PIN (CKR_PIN_INCORRECT)" \
    openssl req -new -key ec.pem -subj /CN=x -passin pass:nonsense
[[ $OUTPUT != *nonsense* ]] || fail "the message holds the PIN"
refused "none" "" setsid openssl req -new -key ec.pem -subj /CN=x -passin pass:

say "What goes wrong"
openssl_conf openssl.cnf last "${settings[@]}"
refused "no PIN at all" "without a PIN the token" \
    openssl req -new -key ec.pem -subj /CN=x
openssl_conf openssl.cnf last "${settings[@]}" \
    "pin-source = file:$TOKEN_PIN_FILE"
refused "a token that several keys fit" "more than one private key fits" \
    openssl req -new -key "$token" -subj /CN=x
refused "no such key" "nobody" \
    openssl req -new -key "$token;object=nobody" -subj /CN=x
refused "no such token" "nowhere" \
    openssl req -new -key "pkcs11:token=nowhere" -subj /CN=x
refused "no such certificate" "nobody" \
    openssl x509 -in "$token;object=nobody;type=cert"
refused "an empty segment" "empty segment" \
    openssl pkey -in "pkcs11:;token=factory" -noout
peer_pem "tpm:nothing" peer.pem
refused "pkcs11-provider's PEM without a URI" "holds no URI of PKCS#11" \
    openssl pkey -in peer.pem -noout
sed -i 's/^....../AAAAAA/' peer.pem
refused "pkcs11-provider's PEM, garbled" "" openssl pkey -in peer.pem -noout
openssl_conf openssl.cnf last "pkcs11-module = /nowhere"
refused "a module that is not there" "/nowhere" \
    openssl pkey -in "$token;object=$unit" -noout
