#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx and curl do mutual TLS with keys in hardware: each algorithm, each place
# that a key may be in, 1, 2 and 4 workers, TLS 1.2 and 1.3.
#
# Usage: mtls.sh bare|abrmd|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
LINK=${ARGS[0]:?bare, abrmd or token}
algorithms=(ec-p256 ec-p384 rsa-2048 rsa-pss-2048)
places=(owner srk persistent)
if [[ $LINK == token ]]; then
    algorithms=(ec-p256 ec-p384 rsa-2048 ed25519) # none is PSS alone there
    places=(token)
fi

# serve KEY WORKERS: a server under that key; a client under the same kind of
# key gets what it asked for over both versions of TLS, on each connection.
serve() {
    local key=$1 workers=$2 version got i
    with_devid start_nginx --key "$WORK/$key-server.key" \
        --cert "$WORK/$key-server.pem" --workers "$workers"
    for version in 1.2 1.3; do
        for ((i = 0; i < workers; i++)); do
            got=$(with_devid curl_mtls "$WORK/$key-client.key" \
                "$WORK/$key-client.pem" --tlsv$version --tls-max $version) ||
                fail "$key, $workers workers, TLS $version: curl failed"
        done
        assert_contains "$key, $workers workers, TLS $version" \
            "SUCCESS CN=$key-client,O=Acme" "$got"
        assert_contains "it spoke TLS $version" "TLSv$version " "$got"
    done
    stop_nginx
    ! grep -E '\[(alert|emerg|crit)\]' "$WORK/nginx.log" ||
        fail "nginx logged an alert"
    : >"$WORK/nginx.log"
}

harness_dir
start_device "$LINK"
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"

handle=0x81000100
for algorithm in "${algorithms[@]}"; do
    for place in "${places[@]}"; do
        case $place in
        owner) options=(--parent owner) ;;
        srk) options=(--parent 0x81000001) ;;
        *) options=() ;;
        esac
        for purpose in server client; do
            if [[ $place == persistent ]]; then
                options=(--persist "$(printf 0x%08x "$handle")")
                handle=$((handle + 1))
            fi
            make_identity "$algorithm-$place-$purpose" "$purpose" \
                --algorithm "$algorithm" "${options[@]}"
        done
        for workers in 1 2 4; do
            serve "$algorithm-$place" "$workers"
        done
    done
done
