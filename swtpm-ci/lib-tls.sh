# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# TLS for tests: a CA in software, OpenSSL configuration with devid in it,
# nginx and curl. Part of lib.sh.
#
# Programs find devid through OPENSSL_CONF. Set it for one call:
#     OPENSSL_CONF=$WORK/openssl.cnf start_nginx --key k.pem --cert c.pem
# The CA's own commands never see it: they prove what peers without devid see.

# plain_openssl ARGUMENT...: openssl with no configuration, so without devid.
plain_openssl() {
    OPENSSL_CONF=/dev/null openssl "$@"
}

# make_ca DIR: make a CA with a software key: DIR/ca.key, DIR/ca.pem. Sets
# CA_DIR.
make_ca() {
    CA_DIR=$(realpath -m "$1")
    mkdir -p "$CA_DIR"
    plain_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
        -out "$CA_DIR/ca.key" -quiet
    plain_openssl req -x509 -new -key "$CA_DIR/ca.key" -days 30 \
        -subj "/O=devid test/CN=Test CA" \
        -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign,cRLSign \
        -out "$CA_DIR/ca.pem"
}

# sign_csr CSR CERT [server|client|both]: have the CA of CA_DIR issue a
# certificate (client). A server's keeps the names that its CSR asks for.
sign_csr() {
    local purpose=${3:-client} names=(-copy_extensions copy) usage
    case $purpose in
    server) usage=serverAuth ;;
    client) usage=clientAuth names=() ;;
    both) usage=serverAuth,clientAuth ;;
    *) fail "sign_csr takes server, client or both, not \"$purpose\"" ;;
    esac
    printf '%s\n' basicConstraints=critical,CA:FALSE \
        keyUsage=critical,digitalSignature \
        "extendedKeyUsage=$usage" >"$CA_DIR/$purpose.ext"
    plain_openssl x509 -req -in "$1" -out "$2" -days 30 \
        -CA "$CA_DIR/ca.pem" -CAkey "$CA_DIR/ca.key" \
        -extfile "$CA_DIR/$purpose.ext" "${names[@]}" 2>"$CA_DIR/sign.log" ||
        fail "the CA could not sign $1: $(<"$CA_DIR/sign.log")"
}

# openssl_conf FILE [first|last] [SETTING=VALUE...]: write an openssl.cnf with
# the providers default and devid, devid where the second argument says (last);
# settings go to devid's section.
openssl_conf() {
    local file=$1 order='default = default_sect
devid = devid_sect'
    case ${2:-last} in
    first) order='devid = devid_sect
default = default_sect' ;;
    last) ;;
    *) fail "openssl_conf takes first or last, not \"$2\"" ;;
    esac
    shift $(($# > 1 ? 2 : 1))
    cat >"$file" <<EOF
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
$order
[default_sect]
activate = 1
[devid_sect]
module = $BUILD_DIR/provider/devid.so
activate = 1
EOF
    (($# == 0)) || printf '%s\n' "$@" >>"$file"
}

# nginx_server NAME KEY CERT [TEXT]: a server block for nginx_conf.
nginx_server() {
    cat <<EOF
    server {
        listen 127.0.0.1:$NGINX_PORT ssl;
        server_name $1;
        ssl_certificate $3;
        # A URI of a token has semicolons, which end a directive.
        ssl_certificate_key "$2";
        ssl_client_certificate $CA_DIR/ca.pem;
        ssl_verify_client on;
        ssl_protocols TLSv1.2 TLSv1.3;
        ${4:-}
        location / {
            return 200 "\$ssl_protocol \$ssl_cipher \$ssl_client_verify \$ssl_client_s_dn\n";
        }
    }
EOF
}

# nginx_conf --key FILE --cert FILE [--workers N] [--server TEXT]
# [--also NAME]...: write $WORK/nginx/nginx.conf for a server with mutual TLS
# under the CA of CA_DIR, that answers "$ssl_protocol $ssl_cipher
# $ssl_client_verify $ssl_client_s_dn"; TEXT is more directives for its server
# block; one more for each NAME.localhost has $WORK/NAME.key and $WORK/NAME.pem.
# As root, the workers are www-data, or NGINX_USER. Sets NGINX_DIR, NGINX_PORT.
nginx_conf() {
    local key='' cert='' workers=1 more='' user='' also=() name
    while (($#)); do
        case $1 in
        --key) key=$2 ;;
        --cert) cert=$2 ;;
        --workers) workers=$2 ;;
        --server) more=$2 ;;
        --also) also+=("$2") ;;
        *) fail "nginx_conf knows no $1" ;;
        esac
        shift 2
    done
    # nginx takes a relative name from its own directory, not from ours.
    [[ $key == /* || $key == *:* ]] || key=$PWD/$key
    [[ $cert == /* ]] || cert=$PWD/$cert
    NGINX_DIR=$WORK/nginx
    NGINX_PORT=$(free_port)
    mkdir -p "$NGINX_DIR"
    ((EUID)) || user="user ${NGINX_USER:-www-data};"
    cat >"$NGINX_DIR/nginx.conf" <<EOF
daemon off;
$user
worker_processes $workers;
pid $NGINX_DIR/nginx.pid;
error_log $WORK/nginx.log info;
# nginx empties its environment; tpm2-abrmd's clients look for the bus here.
env DBUS_SESSION_BUS_ADDRESS;
# Modules of tokens look for their configuration there, too.
env SOFTHSM2_CONF;
env TPM2_PKCS11_STORE;
env TPM2_PKCS11_TCTI;
env DEVID_SPY_MODULE;
env DEVID_SPY_LOG;
env DEVID_SPY_FAULT;
env DEVID_SPY_LIES;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $NGINX_DIR/body;
    proxy_temp_path $NGINX_DIR/proxy;
    fastcgi_temp_path $NGINX_DIR/fastcgi;
    uwsgi_temp_path $NGINX_DIR/uwsgi;
    scgi_temp_path $NGINX_DIR/scgi;
$(nginx_server localhost "$key" "$cert" "$more")
$(for name in "${also[@]}"; do
        nginx_server "$name.localhost" "$WORK/$name.key" "$WORK/$name.pem"
    done)
}
EOF
}

# nginx_run [ARGUMENT...]: nginx with the configuration of nginx_conf, in the
# foreground; "nginx_run -t" checks it.
nginx_run() {
    nginx -p "$NGINX_DIR" -e "$WORK/nginx.log" -c "$NGINX_DIR/nginx.conf" "$@"
}

# start_nginx OPTION...: nginx_conf, then start it and wait until it listens.
# Sets NGINX_PID (its master) and what nginx_conf sets. Its log is
# $WORK/nginx.log.
start_nginx() {
    local i
    need nginx
    for ((i = 0; i < 3; i++)); do
        nginx_conf "$@"
        spawn nginx nginx -p "$NGINX_DIR" -e "$WORK/nginx.log" \
            -c "$NGINX_DIR/nginx.conf"
        NGINX_PID=$SPAWNED
        await_port "$NGINX_PID" "$NGINX_PORT" && return
        grep -q 'Address already in use' "$WORK/nginx.log" || break
    done
    fail "nginx does not start: $(grep -m 1 emerg "$WORK/nginx.log" || true)"
}

# stop_nginx [SIGNAL]: TERM, or QUIT to let requests finish.
stop_nginx() {
    halt "$NGINX_PID" "${1:-TERM}"
}

# curl_mtls KEY CERT [CURL ARGUMENT...]: print what the nginx of start_nginx
# answers to a client with this key and certificate.
curl_mtls() {
    local key=$1 cert=$2
    shift 2
    curl --silent --show-error --fail --ipv4 --noproxy '*' --max-time 20 \
        --cacert "$CA_DIR/ca.pem" --key "$key" --cert "$cert" \
        "$@" "https://localhost:$NGINX_PORT/"
}
