# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx, and clients of web servers.

curl_as_client() {
    curl --silent --show-error --fail --ipv4 --noproxy '*' --max-time 20 \
        --cacert "$CA" --cert "$CERT" --key "$KEY" \
        "--tlsv$VERSION" --tls-max "$VERSION" "https://localhost:$PEER/" |
        welcomed
}

nginx_as_server() {
    start_nginx --key "$KEY" --cert "$CERT"
    PORT=$NGINX_PORT
}

nginx_workers_as_server() {
    start_nginx --key "$KEY" --cert "$CERT" --workers 2
    PORT=$NGINX_PORT
}

nginx_as_client() {
    start_nginx --key "$SOFT_KEY" --cert "$SOFT_CERT" --server "
        location /up {
            proxy_pass https://localhost:$PEER/;
            proxy_ssl_certificate $CERT;
            proxy_ssl_certificate_key \"$KEY\";
            proxy_ssl_trusted_certificate $CA;
            proxy_ssl_verify on;
            proxy_ssl_protocols TLSv$VERSION;
        }"
    plain curl --silent --ipv4 --noproxy '*' --max-time 20 --cacert "$CA" \
        --cert "$SOFT_CERT" --key "$SOFT_KEY" \
        "https://localhost:$NGINX_PORT/up" | welcomed
}

# web_client COMMAND...: its output is what the peer answers.
web_client() {
    timeout 30 "$@" | welcomed
}

nghttp_as_client() {
    web_client nghttp --no-verify-peer --cert="$CERT" --key="$KEY" \
        "https://localhost:$PEER/"
}

nghttp_as_server() {
    mkdir "$WORK/www"
    echo served >"$WORK/www/index.html"
    serve nghttpd nghttpd --address=127.0.0.1 --htdocs="$WORK/www" \
        "$PORT" "$KEY" "$CERT"
}

# It speaks HTTP/2 alone.
nghttp_asked() {
    ask_http --http2
}

w3m_as_client() {
    web_client w3m -dump_source -o ssl_cert_file="$CERT" \
        -o ssl_key_file="$KEY" -o ssl_ca_file="$CA" \
        -o ssl_verify_server=1 "https://localhost:$PEER/"
}

# One file for both: what it reads with OpenSSL, twice.
ab_as_client() {
    web_client ab -v 4 -n 1 -E "$BOTH" -f "TLS$VERSION" \
        "https://localhost:$PEER/" 2>&1
}

# wget, git: GnuTLS, which has no providers; stunnel does TLS for them.
through_stunnel_as_client() {
    stunnel_conf "client = yes" "[s]" "accept = 127.0.0.1:$PORT" \
        "connect = localhost:$PEER" "sslVersion = TLSv$VERSION" \
        "verifyChain = yes" "checkHost = localhost"
    serve stunnel stunnel4 "$WORK/stunnel.conf"
    wget -q --no-proxy -O - "http://localhost:$PORT/" | welcomed
}
