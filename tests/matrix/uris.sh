# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Programs that take a key by its URI, which Debian 12's do not: no key file. In
# URI is the key's, in CERT its certificate.

nginx_uri_as_server() {
    start_nginx --key "store:$URI" --cert "$CERT"
    # shellcheck disable=SC2034
    PORT=$NGINX_PORT
}

nginx_uri_as_client() {
    KEY=store:$URI nginx_as_client
}

# curl's "engine" is a provider in a context of its own, which reads no
# openssl.cnf: it finds devid where it is installed, and the TPM by DEVID_TCTI.
curl_uri_as_client() {
    local tcti
    tcti=$(sed -n 's/^tcti = //p' "$OPENSSL_CONF")
    OPENSSL_MODULES=$BUILD_DIR/provider DEVID_TCTI=$tcti curl --silent \
        --show-error --fail --ipv4 --noproxy '*' --max-time 20 \
        --cacert "$CA" --cert "$CERT" --engine devid \
        --key-type PROV --key "$URI" \
        "--tlsv$VERSION" --tls-max "$VERSION" "https://localhost:$PEER/" |
        welcomed
}

stunnel_uri_as_server() {
    KEY=$URI stunnel_as_server
}

stunnel_uri_as_client() {
    KEY=$URI stunnel_as_client
}

openvpn_uri_as_server() {
    :
}

openvpn_uri_asked() {
    KEY=$URI openvpn_asked
}

openvpn_uri_as_client() {
    KEY=$URI openvpn_as_client
}

apache_uri_as_server() {
    KEY=$URI apache_event_as_server
}
