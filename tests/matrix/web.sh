# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx, and clients of web servers.

curl_client() {
    curl --silent --show-error --fail --ipv4 --noproxy '*' --max-time 20 \
        --cacert "$CA" --cert "$CERT" --key "$KEY" \
        "--tlsv$VERSION" --tls-max "$VERSION" "https://localhost:$PEER/" |
        welcomed
}

nginx_server() {
    start_nginx --key "$KEY" --cert "$CERT"
    PORT=$NGINX_PORT
}

nginx_workers_server() {
    start_nginx --key "$KEY" --cert "$CERT" --workers 2
    PORT=$NGINX_PORT
}

nginx_client() {
    start_nginx --key "$SOFT_KEY" --cert "$SOFT_CERT" --server "
        location /up {
            proxy_pass https://localhost:$PEER/;
            proxy_ssl_certificate $CERT;
            proxy_ssl_certificate_key $KEY;
            proxy_ssl_trusted_certificate $CA;
            proxy_ssl_verify on;
            proxy_ssl_protocols TLSv$VERSION;
        }"
    plain curl --silent --ipv4 --noproxy '*' --max-time 20 --cacert "$CA" \
        --cert "$SOFT_CERT" --key "$SOFT_KEY" \
        "https://localhost:$NGINX_PORT/up" | welcomed
}
