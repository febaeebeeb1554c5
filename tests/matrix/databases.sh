# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Databases: PostgreSQL, pgbouncer, MariaDB, redis, memcached.

# postgres: PostgreSQL on $PORT with $KEY. Its server takes a key from its own
# user or from root alone.
postgres() {
    local bin user=() data=$WORK/data
    bin=$(echo /usr/lib/postgresql/*/bin)
    copy_keys postgres
    as_user postgres
    user=("${AS[@]}")
    mkdir -m 700 "$data"
    hand_to postgres "$data"
    "${user[@]}" "${bin##* }/initdb" --no-sync -A trust -U postgres -D "$data" \
        >"$WORK/initdb.log"
    echo "hostssl all all 127.0.0.1/32 trust clientcert=verify-ca" \
        >"$data/pg_hba.conf"
    serve postgres "${user[@]}" "${bin##* }/postgres" -D "$data" -F \
        -c listen_addresses=127.0.0.1 -c port="$PORT" \
        -c unix_socket_directories= -c ssl=on -c ssl_cert_file="$CERT" \
        -c ssl_key_file="$KEY" -c ssl_ca_file="$CA"
}

# psql_asks PORT: psql, with $KEY, asks which TLS it speaks.
psql_asks() {
    local got
    # It may take a moment from the open port to a server that is ready.
    await "PostgreSQL to be ready" "$SPAWNED" \
        grep -q "ready to accept connections" "$WORK/postgres.log"
    got=$(PGSSLMODE=verify-full timeout 20 psql --no-psqlrc --tuples-only \
        "host=localhost hostaddr=127.0.0.1 port=$1 user=postgres \
        dbname=postgres sslrootcert=$CA sslcert=$CERT sslkey=$KEY \
        ssl_min_protocol_version=TLSv$VERSION \
        ssl_max_protocol_version=TLSv$VERSION" --command \
        "select version || ' ' || client_dn from pg_stat_ssl
        where pid = pg_backend_pid()")
    [[ $got == *"TLSv$VERSION "*CN=* ]] || fail "psql got \"$got\""
}

postgresql_as_server() {
    postgres
    # psql takes a key file that nobody else can read.
    cp "$SOFT_KEY" "$WORK/peer.key"
    chmod 600 "$WORK/peer.key"
    SOFT_KEY=$WORK/peer.key
}

postgresql_asked() {
    as_peer psql_asks "$PORT"
}

postgresql_as_client() {
    as_peer postgres
    cp "$KEY" "$WORK/client.key"
    chmod 600 "$WORK/client.key"
    KEY=$WORK/client.key psql_asks "$PORT"
}

# pgbouncer_conf LINE...: $WORK/pgbouncer.ini for a pgbouncer on $PORT.
pgbouncer_conf() {
    cat >"$WORK/pgbouncer.ini" <<EOF
[databases]
postgres = host=localhost port=$DATABASE_PORT user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $PORT
unix_socket_dir =
auth_type = any
EOF
    printf '%s\n' "$@" >>"$WORK/pgbouncer.ini"
    chmod -R a+rX "$WORK"
    as_user postgres
    serve pgbouncer "${AS[@]}" pgbouncer "$WORK/pgbouncer.ini"
}

pgbouncer_as_server() {
    DATABASE_PORT=1
    copy_keys postgres
    pgbouncer_conf "client_tls_sslmode = verify-full" \
        "client_tls_key_file = $KEY" "client_tls_cert_file = $CERT" \
        "client_tls_ca_file = $CA" "client_tls_protocols = secure"
}

pgbouncer_asked() {
    ask_tls '' '' -starttls postgres
}

pgbouncer_as_client() {
    local key=$KEY cert=$CERT got
    as_peer postgres
    await "PostgreSQL to be ready" "$SPAWNED" \
        grep -q "ready to accept connections" "$WORK/postgres.log"
    DATABASE_PORT=$PORT
    PORT=$(free_port)
    KEY=$key CERT=$cert
    copy_keys postgres
    pgbouncer_conf "server_tls_sslmode = verify-full" \
        "server_tls_key_file = $KEY" "server_tls_cert_file = $CERT" \
        "server_tls_ca_file = $CA" "server_tls_protocols = tlsv$VERSION"
    got=$(plain psql --no-psqlrc --tuples-only "host=127.0.0.1 port=$PORT \
        user=postgres dbname=postgres sslmode=disable" --command \
        "select version || ' ' || client_dn from pg_stat_ssl
        where pid = pg_backend_pid()")
    [[ $got == *"TLSv$VERSION "*CN=* ]] || fail "psql got \"$got\""
}

mariadb_start() {
    local data=$WORK/data
    copy_keys mysql
    mkdir -m 700 "$data"
    hand_to mysql "$data"
    as_user mysql
    "${AS[@]}" mariadb-install-db --no-defaults --datadir="$data" \
        --auth-root-authentication-method=normal --skip-test-db \
        >"$WORK/install.log" 2>&1
    serve mariadbd "${AS[@]}" mariadbd --no-defaults --datadir="$data" \
        --port="$PORT" --bind-address=127.0.0.1 --socket="$data/socket" \
        --pid-file="$data/pid" --ssl-cert="$CERT" --ssl-key="$KEY" \
        --ssl-ca="$CA" --innodb-flush-log-at-trx-commit=0
}

mariadb_as_server() {
    mariadb_start
}

mariadb_asked() {
    ask_tls '' '' -starttls mysql
}

mariadb_as_client() {
    local key=$KEY cert=$CERT
    as_peer mariadb_start
    mariadb --no-defaults --host=127.0.0.1 --port="$PORT" --user=root \
        --ssl-cert="$cert" --ssl-key="$key" --ssl-ca="$CA" \
        --tls-version="TLSv$VERSION" --execute "show status like 'ssl_version'" |
        grep -q "TLSv$VERSION"
}

redis_start() {
    serve redis redis-server --port 0 --bind 127.0.0.1 --tls-port "$PORT" \
        --tls-cert-file "$CERT" --tls-key-file "$KEY" \
        --tls-ca-cert-file "$CA" --save '' --dir "$WORK" "$@"
}

redis_as_server() {
    redis_start
}

redis_asked() {
    ask_tls 'PING\r\n' '+PONG'
}

redis_as_client() {
    as_peer redis_start --tls-protocols "TLSv$VERSION"
    [[ $(timeout 20 redis-cli -p "$PORT" --tls --cert "$CERT" --key "$KEY" \
        --cacert "$CA" ping) == PONG ]]
}

memcached_as_server() {
    serve memcached memcached -u memcache -l 127.0.0.1 -p "$PORT" -Z \
        -o "ssl_chain_cert=$CERT,ssl_key=$KEY,ssl_ca_cert=$CA,ssl_verify_mode=2"
}

memcached_asked() {
    ask_tls 'version\r\n' 'VERSION 1'
}
