# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Proxies and tunnels: haproxy, stunnel, hitch, squid, socat, ncat.

# haproxy_conf GLOBAL FRONT: $WORK/haproxy.cfg with these lines in it.
haproxy_conf() {
    cat >"$WORK/haproxy.cfg" <<EOF
global
    $1
defaults
    mode http
    timeout client 20s
    timeout server 20s
    timeout connect 20s
frontend f
    $2
EOF
}

haproxy_as_server() {
    haproxy_conf "nbthread 4" "bind 127.0.0.1:$PORT ssl crt $BOTH ca-file $CA verify required
    http-request return status 200 content-type text/plain string served"
    serve haproxy haproxy -db -f "$WORK/haproxy.cfg"
}

# A master and its worker; the worker gives up root's rights, and its root
# directory, after the key is loaded.
haproxy_workers_as_server() {
    mkdir "$WORK/empty"
    haproxy_conf "chroot $WORK/empty
    user haproxy
    group haproxy" "bind 127.0.0.1:$PORT ssl crt $BOTH ca-file $CA verify required
    http-request return status 200 content-type text/plain string served"
    serve haproxy haproxy -W -db -f "$WORK/haproxy.cfg"
}

haproxy_as_client() {
    haproxy_conf "nbthread 4" "bind 127.0.0.1:$PORT
    default_backend b
backend b
    server s 127.0.0.1:$PEER ssl crt $BOTH ca-file $CA verify required verifyhost localhost ssl-min-ver TLSv$VERSION ssl-max-ver TLSv$VERSION"
    serve haproxy haproxy -db -f "$WORK/haproxy.cfg"
    plain_http | welcomed
}

# stunnel_conf LINE...: $WORK/stunnel.conf.
stunnel_conf() {
    printf '%s\n' "foreground = yes" "pid =" "cert = $CERT" "key = $KEY" \
        "CAfile = $CA" "$@" >"$WORK/stunnel.conf"
}

stunnel_as_server() {
    stunnel_conf "verifyChain = yes" "[s]" \
        "accept = 127.0.0.1:$PORT" "connect = 127.0.0.1:$PLAIN"
    serve stunnel stunnel4 "$WORK/stunnel.conf"
}

stunnel_chroot_as_server() {
    mkdir "$WORK/empty"
    stunnel_conf "verifyChain = yes" "chroot = $WORK/empty" \
        "setuid = nobody" "setgid = nogroup" "[s]" \
        "accept = 127.0.0.1:$PORT" "connect = 127.0.0.1:$PLAIN"
    serve stunnel stunnel4 "$WORK/stunnel.conf"
}

stunnel_as_client() {
    stunnel_conf "client = yes" "[s]" "accept = 127.0.0.1:$PORT" \
        "connect = localhost:$PEER" "sslVersion = TLSv$VERSION" \
        "verifyChain = yes" "checkHost = localhost"
    serve stunnel stunnel4 "$WORK/stunnel.conf"
    plain_http | welcomed
}

hitch_as_server() {
    cat >"$WORK/hitch.conf" <<EOF
frontend = { host = "127.0.0.1" port = "$PORT" }
backend = "[127.0.0.1]:$PLAIN"
pem-file = { cert = "$CERT" private-key = "$KEY" }
tls-protos = TLSv1.2 TLSv1.3
client-verify = required
client-verify-ca = "$CA"
workers = 2
daemon = off
user = "_hitch"
group = "_hitch"
EOF
    serve hitch hitch --config="$WORK/hitch.conf"
}

# squid_conf LINE...: $WORK/squid.conf for a squid that keeps nothing.
squid_conf() {
    mkdir "$WORK/cache"
    hand_to proxy "$WORK/cache"
    printf '%s\n' "pid_filename $WORK/cache/pid" "cache deny all" \
        "access_log none" "cache_log $WORK/cache/log" "cache_store_log none" \
        "coredump_dir $WORK/cache" "http_access allow all" \
        "visible_hostname localhost" "shutdown_lifetime 0 seconds" \
        "pinger_enable off" "icon_directory /usr/share/squid/icons" \
        "netdb_filename none" "$@" >"$WORK/squid.conf"
}

squid_as_server() {
    squid_conf "https_port 127.0.0.1:$PORT accel defaultsite=localhost \
tls-cert=$CERT tls-key=$KEY tls-clientca=$CA" \
        "cache_peer 127.0.0.1 parent $PLAIN 0 no-query originserver"
    serve squid squid -N -f "$WORK/squid.conf"
}

squid_as_client() {
    squid_conf "http_port 127.0.0.1:$PORT accel defaultsite=localhost" \
        "cache_peer localhost parent $PEER 0 no-query originserver tls \
tls-cert=$CERT tls-key=$KEY tls-cafile=$CA"
    serve squid squid -N -f "$WORK/squid.conf"
    plain_http | welcomed
}

socat_as_server() {
    write_answer
    serve socat socat "OPENSSL-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork,cert=$CERT,key=$KEY,cafile=$CA,verify=1" \
        "EXEC:$WORK/answer"
}

socat_as_client() {
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 socat -t 10 - \
        "OPENSSL:localhost:$PEER,cert=$CERT,key=$KEY,cafile=$CA,verify=1,openssl-min-proto-version=TLS$VERSION,openssl-max-proto-version=TLS$VERSION" |
        welcomed
}

ncat_as_server() {
    write_answer
    serve ncat ncat --listen 127.0.0.1 "$PORT" --keep-open --ssl \
        --ssl-cert "$CERT" --ssl-key "$KEY" \
        --exec "$WORK/answer"
}

ncat_as_client() {
    # It may end in a broken pipe after the answer, as the peer closes first.
    { printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 ncat --ssl \
        --ssl-cert "$CERT" --ssl-key "$KEY" --ssl-verify \
        --ssl-trustfile "$CA" localhost "$PEER" || true; } | welcomed
}
