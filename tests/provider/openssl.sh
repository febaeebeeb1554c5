#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The openssl command on keys in a TPM and on ordinary ones, with devid listed
# first and last: what it makes, an openssl without devid verifies.
#
# Usage: openssl.sh [--build-dir DIR] [--keep]
#
# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir
start_tpm --srk
cd "$WORK"
printf 'what is signed' >data

# under COMMAND...: with $WORK/openssl.cnf in force. Fails the test where it
# fails or leaves an error behind.
under() {
    OPENSSL_CONF=$WORK/openssl.cnf "$@" >out.log 2>err.log ||
        fail "$*: $(<err.log)"
    ! grep -q 'error:' err.log || fail "$* leaves an error: $(<err.log)"
}

# plain COMMAND...: with no devid in sight.
plain() {
    OPENSSL_CONF=/dev/null "$@" >out.log 2>err.log || fail "$*: $(<err.log)"
}

# try_key NAME [HASH...]: everything with the key NAME.pem, with all hashes or
# these alone.
try_key() {
    local k=$1 hash keyopt=()
    shift
    [[ $# -gt 0 ]] || set -- sha256 sha384 sha512
    under openssl pkey -in "$k.pem" -pubout -out "$k.pub"
    for hash in "$@"; do
        under openssl dgst "-$hash" -sign "$k.pem" -out sig data
        plain openssl dgst "-$hash" -verify "$k.pub" -signature sig data
    done
    under openssl dgst "-$hash" -prverify "$k.pem" -signature sig data
    under openssl req -new -key "$k.pem" -subj "/CN=$k" -out "$k.csr"
    plain openssl req -in "$k.csr" -verify -noout
    under openssl req -x509 -key "$k.pem" -subj "/CN=$k" -days 2 \
        -addext subjectAltName=DNS:localhost -out "$k.crt"
    plain openssl verify -CAfile "$k.crt" "$k.crt"
    # OpenSSL 3.0 does not verify what it signs with such a key unasked.
    [[ $k != *pss ]] || keyopt=(-keyopt rsa_padding_mode:pss)
    under openssl cms -sign -in data -signer "$k.crt" -inkey "$k.pem" \
        "${keyopt[@]}" -out cms.pem
    plain openssl cms -verify -in cms.pem -CAfile "$k.crt" -purpose any \
        -out /dev/null
    under openssl pkey -in "$k.pem" -noout -text
    grep -q '^Public-Key\|^Private-Key' out.log || fail "$k has no text"
    under openssl pkey -in "$k.pem" -out copy.pem
    cmp -s "$k.pem" copy.pem || fail "a copy of $k differs"
    under openssl pkey -in "$k.pem" -outform DER -out copy.der
    under openssl pkey -in copy.der -noout
    cat "$k.crt" "$k.pem" >combined.pem
    under openssl pkey -in combined.pem -noout
    under openssl storeutl -noout combined.pem
    grep -q 'Total found: 2' out.log || fail "not both in combined.pem"
    say "  ok: $k"
}

# try_tls NAME: both sides with the key, over P-256 alone.
try_tls() {
    local k=$1 version port
    for version in tls1_2 tls1_3; do
        port=$(free_port 1)
        OPENSSL_CONF=$WORK/openssl.cnf spawn s_server openssl s_server \
            -accept "127.0.0.1:$port" -key "$k.pem" -cert "$k.crt" \
            "-$version" -groups P-256 -Verify 1 -CAfile "$k.crt" -www
        await_port "$SPAWNED" "$port" || fail "s_server does not start"
        printf 'GET / HTTP/1.0\r\n\r\n' |
            OPENSSL_CONF=$WORK/openssl.cnf timeout 20 openssl s_client \
                -quiet -verify_return_error -connect "127.0.0.1:$port" \
                -key "$k.pem" -cert "$k.crt" -CAfile "$k.crt" \
                >out.log 2>err.log || fail "s_client: $(<err.log)"
        halt "$SPAWNED"
        grep -q 'HTTP/1.0 200' out.log || fail "no page: $(<err.log)"
        say "  ok: $k, $version"
    done
}

for order in first last; do
    say "devid $order"
    openssl_conf "$WORK/openssl.cnf" "$order"
    under openssl genpkey -algorithm EC -propquery provider=devid \
        -pkeyopt group:P-256 -out ec.pem
    under openssl genpkey -algorithm EC -propquery provider=devid \
        -pkeyopt group:P-384 -pkeyopt parent:owner -out ec384.pem
    under openssl genpkey -algorithm RSA -propquery provider=devid \
        -pkeyopt bits:2048 -out rsa.pem
    handle=0x8100010$((${#order} - 4))
    under openssl genpkey -algorithm EC -propquery provider=devid \
        -pkeyopt "persist:$handle" -out persistent.pem
    under openssl genpkey -algorithm RSA-PSS -propquery provider=devid \
        -pkeyopt bits:2048 -pkeyopt parent:owner -out pss.pem
    under openssl genpkey -algorithm EC -pkeyopt group:P-256 -out soft.pem
    under openssl genpkey -algorithm RSA -pkeyopt bits:2048 -out softrsa.pem
    under openssl genpkey -algorithm RSA-PSS -pkeyopt bits:2048 -out softpss.pem
    head -qn 1 ec.pem persistent.pem soft.pem >labels
    assert_equal "who made what" "-----BEGIN TSS2 PRIVATE KEY-----
-----BEGIN DEVID KEY REFERENCE-----
-----BEGIN PRIVATE KEY-----" "$(<labels)"

    for k in ec ec384 rsa persistent soft softrsa softpss; do
        try_key "$k"
    done
    try_key pss sha256 # what it is bound to
    for k in ec rsa pss persistent; do
        try_tls "$k"
    done

    under openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sign rsa.pem \
        -out sig data
    plain openssl dgst -sha256 -sigopt rsa_padding_mode:pss -verify rsa.pub \
        -signature sig data
    under openssl req -new -key rsa.pem -subj /CN=pss -out pss.csr \
        -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
    plain openssl req -in pss.csr -verify -noout
    say "  ok: RSA-PSS"

    under openssl pkey -in soft.pem -aes256 -passout pass:x -out soft.enc
    under openssl pkey -in soft.enc -passin pass:x -noout
    under openssl pkey -in soft.pem -traditional -out soft.sec1
    under openssl pkey -in soft.sec1 -noout
    under openssl genpkey -algorithm EC -pkeyopt group:P-256 -out peer.pem
    under openssl pkey -in peer.pem -pubout -out peer.pub
    under openssl pkeyutl -derive -inkey soft.pem -peerkey peer.pub -out secret
    say "  ok: ordinary keys in other forms"

    under openssl storeutl tpm2:
    grep -q "tpm2:handle=$handle" out.log || fail "no list: $(<out.log)"
    under openssl pkey -in "tpm2:handle=$handle" -pubout -out uri.pub
    cmp -s uri.pub persistent.pub || fail "another key at $handle"
    under openssl pkey -pubin -in "handle:$handle" -pubout -out uri.pub
    cmp -s uri.pub persistent.pub || fail "another public key at $handle"
    under openssl req -new -key "tpm2:handle=$handle" -subj /CN=uri -out uri.csr
    plain openssl req -in uri.csr -verify -noout
    say "  ok: URIs"

    assert_fails "a cipher" env OPENSSL_CONF="$WORK/openssl.cnf" \
        openssl pkey -in ec.pem -aes256 -passout pass:x -out none.pem
    assert_contains "a cipher is refused in a sentence" "ask for no cipher" \
        "$OUTPUT"
    assert_fails "PKCS#12" env OPENSSL_CONF="$WORK/openssl.cnf" openssl pkcs12 \
        -export -inkey ec.pem -in ec.crt -passout pass:x -out none.p12
    assert_contains "PKCS#12 is refused in a sentence" \
        "no PKCS#8 or PKCS#12 of it" "$OUTPUT"
    assert_fails "an unknown group" env OPENSSL_CONF="$WORK/openssl.cnf" \
        openssl genpkey -algorithm EC -propquery provider=devid \
        -pkeyopt group:secp256k1 -out none.pem
    assert_contains "an unknown group is refused in a sentence" \
        "take P-256, P-384 or P-521" "$OUTPUT"
done
