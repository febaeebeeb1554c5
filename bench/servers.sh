# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx and its clients for bench/all, with the kinds of keys of kinds.sh.

# Directives for mutual TLS, where a client is what is measured.
VERIFY=''

# nginx_conf NAME KIND WORKERS [COUNT]: in place of the harness's; with COUNT,
# that many servers, with the keys NAME1 and so on. Clients show no certificate
# unless VERIFY asks for it, and sessions are not resumed: the server's own
# signature is what there is to measure. Sets NGINX_DIR, NGINX_PORT.
nginx_conf() {
    local user='' path paths='' i
    NGINX_DIR=$WORK/nginx
    NGINX_PORT=$(free_port)
    mkdir -p "$NGINX_DIR"
    ((EUID)) || user="user ${NGINX_USER:-www-data};"
    for path in client_body proxy fastcgi uwsgi scgi; do
        paths+="${path}_temp_path $NGINX_DIR/$path; "
    done
    cat >"$NGINX_DIR/nginx.conf" <<END
daemon off;
$user
worker_processes $3;
pid $NGINX_DIR/nginx.pid;
error_log $WORK/nginx.log error;
env TPM2OPENSSL_TCTI;
env TSS2_LOG;
env SOFTHSM2_CONF;
env DEVID_SPY_MODULE;
env DEVID_SPY_LOG;
events { worker_connections 1024; }
http {
    access_log off;
    $paths
    ssl_protocols TLSv1.3;
    ssl_session_cache off;
    ssl_conf_command NumTickets 0;
    keepalive_timeout 0;
    $VERIFY
$(if [[ ${4:-} ]]; then
        for ((i = 1; i <= $4; i++)); do
            server_block "$1$i" "$2"
        done
    else
        server_block "$1" "$2"
    fi)
}
END
}

# server_block NAME KIND
server_block() {
    key_of "$@"
    cat <<END
    server {
        listen 127.0.0.1:$NGINX_PORT ssl;
        server_name $1.localhost;
        ssl_certificate $WORK/$1-$2.pem;
        ssl_certificate_key "$KEY";
        location / { return 204; }
    }
END
}

# nginx_workers: print their process ids, separated by commas.
nginx_workers() {
    # shellcheck disable=SC2153 # the harness sets it
    pgrep -d , -P "$NGINX_PID"
}

# nginx_has WORKERS: whether so many are there.
nginx_has() {
    [[ $(nginx_workers | tr , '\n' | wc -l) == "$1" ]]
}

# nginx_loads KIND: whether nginx takes the configuration of nginx_conf, within a
# minute.
nginx_loads() {
    with_kind "$1" timeout 60 nginx -p "$NGINX_DIR" -e "$WORK/nginx.log" \
        -c "$NGINX_DIR/nginx.conf" -t >"$WORK/nginx.t" 2>&1
}

# peer_loads NAME KIND WORKERS [COUNT]: whether a peer takes it; ours do, or the
# run ends where they do not.
peer_loads() {
    local status=0
    is_peer "$2" || return 0
    nginx_conf "$@"
    nginx_loads "$2" || status=1
    tidy "$2"
    ((status)) || return 0
    progress "  nginx with $2, $1: it fails: $(head -n 1 "$WORK/nginx.t")"
    return 1
}

# launch_server NAME KIND WORKERS [COUNT]: nginx with that key.
launch_server() {
    with_kind "$2" start_nginx "$@"
    await "nginx's workers" "$NGINX_PID" nginx_has "$3"
}

# start_server NAME KIND WORKERS [COUNT]: false where a peer cannot.
start_server() {
    peer_loads "$@" || return 1
    launch_server "$@"
}

# stop_server KIND
stop_server() {
    stop_nginx
    tidy "$1"
}

# ---- clients -------------------------------------------------------------

# one_handshake: with the nginx of start_server, by openssl alone.
one_handshake() {
    timeout 60 env OPENSSL_CONF=/dev/null openssl s_client \
        -connect "127.0.0.1:$NGINX_PORT" -tls1_3 </dev/null \
        >"$WORK/s_client.out" 2>&1
}

# handshake_ms: how long curl takes from TCP's connection to TLS's.
handshake_ms() {
    local times
    times=$(OPENSSL_CONF=/dev/null curl --silent --ipv4 --noproxy '*' \
        --output /dev/null --insecure --max-time 60 \
        --write-out '%{time_appconnect} %{time_connect}' \
        "https://127.0.0.1:$NGINX_PORT/") || return 1
    awk '{ printf "%.2f", ($1 - $2) * 1000 }' <<<"$times"
}

# curl_with NAME KIND: a whole curl, which shows that certificate.
curl_with() {
    curl_key "$1" "$2"
    with_kind "$2" curl --silent --show-error --fail --ipv4 --noproxy '*' \
        --insecure --max-time 60 --cert "$WORK/$1-$2.pem" "${KEY_OPTIONS[@]}" \
        "https://127.0.0.1:$NGINX_PORT/"
}

# req_with, dgst_with NAME KIND: a certificate request, and a signature.
req_with() {
    openssl_key "$1" "$2" -key
    with_kind "$2" timeout 60 openssl req -new "${KEY_OPTIONS[@]}" -subj /CN=bench \
        -out "$WORK/bench.csr"
}
dgst_with() {
    openssl_key "$1" "$2" -sign
    with_kind "$2" timeout 60 openssl dgst -sha256 "${KEY_OPTIONS[@]}" \
        -out "$WORK/bench.sig" /etc/os-release
}

# start_verifier: an nginx that asks for a certificate, its own key in software.
start_verifier() {
    VERIFY="ssl_client_certificate $CA_DIR/ca.pem; ssl_verify_client on;"
    start_server ec-p256 software 1
    VERIFY=''
}

# warm_up NAME KIND: each worker's first handshake is another part's: some take a
# second for it.
warm_up() {
    OPENSSL_CONF=/dev/null "$BENCH/handshakes" --port "$NGINX_PORT" \
        --cert "$WORK/$1-$2.pem" --seconds 0.9 >"$WORK/warm_up.out" 2>&1 || true
}

# handshakes NAME KIND CLIENTS: make as many as the nginx of start_server can.
handshakes() {
    OPENSSL_CONF=/dev/null "$BENCH/handshakes" --port "$NGINX_PORT" \
        --cert "$WORK/$1-$2.pem" --seconds "$SECONDS_EACH" --connections "$3" \
        --watch "tpm=$TPM_PID" --watch "nginx=$(nginx_workers)"
}

# ---- signatures ----------------------------------------------------------

# bare_tpm ALGORITHM PLACE CLIENTS: sign with the TPM alone. It has room for three
# keys that are loaded, so for no more clients that load one.
bare_tpm() {
    local place=(--parent "$SRK_HANDLE") clients=$((($3 > 3) ? 3 : $3))
    if [[ $2 == persistent ]]; then
        place=(--handle "${HANDLES[$1]}")
        clients=$3
    fi
    "$BENCH/raw_sign" --tcti "$DEVID_TCTI" --algorithm "$1" "${place[@]}" \
        --clients "$clients" --seconds "$SECONDS_EACH" --watch "tpm=$TPM_PID"
}

# bare_token ALGORITHM THREADS: by C_SignInit and C_Sign alone.
bare_token() {
    "$BENCH/raw_token" "$TOKEN_MODULE" "$TOKEN_PIN_FILE" "$1" "$2" \
        "$SECONDS_EACH"
}

# threads_sign ALGORITHM KIND THREADS: EVP_DigestSign in threads of one process.
threads_sign() {
    key_of "$1" "$2"
    with_kind "$2" timeout 120 "$BENCH/provider_sign" --threads "$3" "$KEY" \
        "$SECONDS_EACH" "tpm=$TPM_PID" 2>"$WORK/sign.err"
}
