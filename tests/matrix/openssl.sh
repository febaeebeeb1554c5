# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# OpenSSL's own tool.

openssl_as_server() {
    serve s_server openssl s_server -accept "127.0.0.1:$PORT" -key "$KEY" \
        -cert "$CERT" -CAfile "$CA" -Verify 2 -verify_return_error -www
}

openssl_as_client() {
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 openssl s_client -quiet \
        -connect "localhost:$PEER" -key "$KEY" -cert "$CERT" -CAfile "$CA" \
        -verify_return_error "$(tls_flag)" 2>"$WORK/s_client.log" | welcomed
}
