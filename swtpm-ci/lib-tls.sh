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

# nginx_head DIR [DIRECTIVE...]: how the configuration of any nginx begins, up to
# within its http block, which is the caller's to close: in the foreground, its
# process id and temporary files in DIR. As root, the workers are www-data, or
# NGINX_USER.
nginx_head() {
    local dir=$1
    shift
    echo "daemon off;"
    ((EUID)) || echo "user ${NGINX_USER:-www-data};"
    printf '%s\n' "pid $dir/nginx.pid;" "$@" \
        "events { worker_connections 256; }" "http {"
    printf "    %s_temp_path $dir/%s;\n" client_body body proxy proxy \
        fastcgi fastcgi uwsgi uwsgi scgi scgi
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
# Sets NGINX_DIR, NGINX_PORT.
nginx_conf() {
    local key='' cert='' workers=1 more='' also=() name variable env=()
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
    # nginx empties its environment, where tpm2-abrmd's clients look for the bus,
    # and modules of tokens for their configuration.
    for variable in DBUS_SESSION_BUS_ADDRESS SOFTHSM2_CONF TPM2_PKCS11_STORE \
        TPM2_PKCS11_TCTI DEVID_SPY_MODULE DEVID_SPY_LOG DEVID_SPY_FAULT \
        DEVID_SPY_LIES; do
        env+=("env $variable;")
    done
    cat >"$NGINX_DIR/nginx.conf" <<EOF
$(nginx_head "$NGINX_DIR" "worker_processes $workers;" \
        "error_log $WORK/nginx.log info;" "${env[@]}")
    access_log off;
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

# nginx_listens PORT: start nginx with $NGINX_DIR/nginx.conf, and wait until it
# listens there; false where it ended instead. Sets NGINX_PID, its master. Its log
# is $WORK/nginx.log.
nginx_listens() {
    need nginx
    spawn nginx nginx -p "$NGINX_DIR" -e "$WORK/nginx.log" \
        -c "$NGINX_DIR/nginx.conf"
    NGINX_PID=$SPAWNED
    await_port "$NGINX_PID" "$1"
}

# serve_nginx PORT [DIRECTIVE...]: nginx with what is on standard input in its
# http block, DIRECTIVEs before that. Sets NGINX_PID, NGINX_DIR and NGINX_PORT.
serve_nginx() {
    NGINX_PORT=$1
    NGINX_DIR=$WORK/nginx
    mkdir -p "$NGINX_DIR"
    {
        nginx_head "$NGINX_DIR" "${@:2}"
        cat
        echo "}"
    } >"$NGINX_DIR/nginx.conf"
    nginx_listens "$NGINX_PORT" || nginx_failed
}

# nginx_failed: it does not start; why.
nginx_failed() {
    fail "nginx does not start: $(grep -m 1 emerg "$WORK/nginx.log" || true)"
}

# start_nginx OPTION...: nginx_conf, then start it and wait until it listens.
# Sets NGINX_PID (its master) and what nginx_conf sets. Its log is
# $WORK/nginx.log.
start_nginx() {
    local i
    for ((i = 0; i < 3; i++)); do
        nginx_conf "$@"
        nginx_listens "$NGINX_PORT" && return
        grep -q 'Address already in use' "$WORK/nginx.log" || break
    done
    nginx_failed
}

# reload_workers PID [SIGNAL]: the server with that master reads its files anew
# (HUP), and no worker is left that has not.
reload_workers() {
    local old
    old=$(pgrep -P "$1")
    kill -"${2:-HUP}" "$1"
    await "the old workers to end" "$1" no_worker_of "$1" "$old"
    await "new workers" "$1" pgrep -P "$1" >/dev/null
}

# no_worker_of PID OLD: none of the process's children is one of those.
no_worker_of() {
    ! pgrep -P "$1" | grep -qxF "$2"
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
