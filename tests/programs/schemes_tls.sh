#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A server whose key is in hardware makes a handshake with each signature
# algorithm that OpenSSL lists and that the key's type has, in TLS 1.2 and 1.3,
# those with SHA-1 too: the client offers this one alone.
#
# Usage: schemes_tls.sh bare|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
LINK=${ARGS[0]:?bare or token}
# Without it OpenSSL offers nothing with SHA-1.
CIPHERS=ALL:@SECLEVEL=0

# serve KEY [COMMAND...]: s_server, run by COMMAND, with that key. Sets PORT
# and SERVER.
serve() {
    local key=$1
    shift
    PORT=$(free_port)
    "$@" spawn "$key" openssl s_server -accept "127.0.0.1:$PORT" -www \
        -key "$WORK/$key.key" -cert "$WORK/$key.pem" -cipher "$CIPHERS"
    SERVER=$SPAWNED
    await_port "$SERVER" "$PORT"
}

# client ARGUMENT...: what s_client says of a handshake with it.
client() {
    printf 'GET / HTTP/1.0\r\n\r\n' | plain_openssl s_client -ign_eof \
        -connect "127.0.0.1:$PORT" -CAfile "$CA_DIR/ca.pem" \
        -cipher "$CIPHERS" "$@" 2>&1 || true
}

# old_names: newer versions of s_client call a signature's type by TLS's name.
old_names() {
    sed -E '/^Peer signature type/{s/ecdsa_.*/ECDSA/;s/rsa_pss_.*/RSA-PSS/
        s/rsa_pkcs1_.*/RSA/}'
}

# handshake KEY VERSION ALGORITHM [NAME]: with no other, and it is what was
# used; NAME where the algorithm has one that says more.
handshake() {
    local key=$1 version=$2 type=${3%+*} hash=${3#*+} out
    out=$(client "-$version" -sigalgs "${4:-$3}")
    assert_equal "$key, $version, $3" \
        "Peer signature type: $type,Peer signing digest: $hash,\
Verify return code: 0 (ok)" \
        "$(sed -nE 's/^ *(Peer sign|Verify return code)/\1/p' <<<"$out" |
            old_names | LC_ALL=C sort -u | paste -sd,)"
}

# goes_with KEY VERSION ALGORITHM: OpenSSL would sign so with such a key.
goes_with() {
    case $1,$2,$3 in
    ec-p256,tls1_3,* | ec-p384,tls1_3,* | ec-p521,tls1_3,*)
        # RFC 8446 section 4.2.3: to each curve its hash.
        [[ $1,$3 == @(*256,ECDSA+SHA256|*384,ECDSA+SHA384|*521,ECDSA+SHA512) ]]
        ;;
    ec-*) [[ $3 == ECDSA+* ]] ;;
    rsa-*,tls1_3,*) [[ $3 == RSA-PSS+* ]] ;;
    rsa-*) [[ $3 == RSA-PSS+* || $3 == RSA+* ]] ;;
    esac
}

harness_dir
start_device "$LINK"
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
for key in ec-p256 ec-p384 ec-p521 rsa-2048; do
    make_identity $key server --algorithm $key
done
make_identity rsa-any server --algorithm rsa-2048 --decrypt

make_plain_client
serve plain
read -r -a algorithms < <(client -tls1_2 |
    sed -n 's/^Signature Algorithms: //p' | tr : ' ')
halt "$SERVER"
for algorithm in ECDSA+SHA1 RSA+SHA1 RSA+SHA224 RSA-PSS+SHA512; do
    assert_contains "OpenSSL lists $algorithm" " $algorithm " \
        " ${algorithms[*]} "
done

for key in ec-p256 ec-p384 ec-p521 rsa-2048 rsa-any; do
    say "$key"
    serve $key with_devid
    for version in tls1_2 tls1_3; do
        for algorithm in "${algorithms[@]}"; do
            goes_with $key $version "$algorithm" || continue
            # A TPM has no SHA-224, and this key is not for raw RSA: below.
            [[ $LINK,$key,$algorithm == bare,rsa-2048,RSA+SHA224 ]] ||
                handshake $key $version "$algorithm"
        done
    done
    halt "$SERVER"
done
[[ $LINK == bare ]] || exit 0

say "Keys that sign RSA-PSS alone, with the hash that they are bound to"
for hash in SHA256 SHA384; do
    make_identity pss-$hash server --algorithm rsa-pss-2048 --hash $hash
    serve pss-$hash with_devid
    for version in tls1_2 tls1_3; do
        handshake pss-$hash $version RSA-PSS+$hash "rsa_pss_pss_${hash,,}"
    done
    assert_contains "but not as keys of the type RSA do" "Cipher is (NONE)" \
        "$(client -tls1_3 -sigalgs "rsa_pss_rsae_${hash,,}")"
    halt "$SERVER"
done

serve rsa-2048 with_devid
assert_contains "rsa-2048, tls1_2, RSA+SHA224 fails" "Cipher is (NONE)" \
    "$(client -tls1_2 -sigalgs RSA+SHA224)"
assert_contains "it says what to do" "make it with devid keygen --decrypt" \
    "$(<"$WORK/rsa-2048.log")"
