#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Servers that fork a process for each connection, and servers that give up
# rights and their root directory after they loaded the key.
#
# Usage: forking.sh bare|abrmd|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
LINK=${ARGS[0]:?bare, abrmd or token}

# ten WHAT PORT: ten of ten connections get an answer.
ten() {
    local i good=0
    for ((i = 0; i < 10; i++)); do
        if OPENSSL_CONF=/dev/null curl --silent --ipv4 --noproxy '*' \
            --max-time 20 --http0.9 --cacert "$CA_DIR/ca.pem" \
            "https://localhost:$2/" 2>>"$WORK/curl.log" | grep -q served; then
            good=$((good + 1))
        fi
    done
    assert_equal "$1: connections served of ten" 10 "$good"
}

harness_dir
need socat haproxy stunnel4 python3
start_device "$LINK"
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_identity server server
cat "$WORK/server.pem" "$WORK/server.key" >"$WORK/combined.pem"
cat >"$WORK/answer" <<'END'
#!/bin/sh
# Takes the request, or who hands it on meets a closed pipe.
dd bs=4096 count=1 of=/dev/null 2>/dev/null
printf 'HTTP/1.0 200 OK\r\n\r\nserved\n'
END
chmod 755 "$WORK/answer"

say "A process for each connection"
port=$(free_port)
with_devid spawn socat socat \
    "OPENSSL-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,cert=$WORK/server.pem,key=$WORK/server.key,verify=0" \
    "EXEC:$WORK/answer"
await_port "$SPAWNED" "$port"
ten "socat" "$port"

cat >"$WORK/forking.py" <<'END'
"""Serves each connection in a child that ends as programs do; with a fourth
argument the parent serves the first one itself."""
import os, socket, ssl, sys

cert, key, port = sys.argv[1:4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
listener = socket.create_server(("127.0.0.1", int(port)))

def serve(connection):
    with context.wrap_socket(connection, server_side=True) as tls:
        tls.recv(4096)
        tls.sendall(b"HTTP/1.0 200 OK\r\n\r\nserved\n")

if len(sys.argv) > 4:
    serve(listener.accept()[0])
while True:
    connection, _ = listener.accept()
    if os.fork() == 0:
        serve(connection)
        sys.exit(0)
    connection.close()
END
port=$(free_port)
with_devid spawn python /usr/bin/python3 "$WORK/forking.py" \
    "$WORK/server.pem" "$WORK/server.key" "$port"
await_port "$SPAWNED" "$port"
ten "python" "$port"
port=$(free_port)
with_devid spawn python-signed /usr/bin/python3 "$WORK/forking.py" \
    "$WORK/server.pem" "$WORK/server.key" "$port" sign
await_port "$SPAWNED" "$port"
OPENSSL_CONF=/dev/null curl -s --ipv4 --noproxy '*' --cacert "$CA_DIR/ca.pem" \
    "https://localhost:$port/" >/dev/null || fail "the parent does not sign"
if [[ $LINK != abrmd ]]; then
    ten "python, whose parent process signed before" "$port"
else
    # GLib cannot be helped from outside; it must not hang, and be said.
    assert_fails "python, whose parent process used abrmd before" \
        env OPENSSL_CONF=/dev/null curl -s --ipv4 --noproxy '*' --max-time 5 \
        --cacert "$CA_DIR/ca.pem" "https://localhost:$port/"
fi

# The objects of SoftHSM are files, which are not there.
if ((EUID == 0)) && [[ $LINK == bare ]]; then
    say "A root directory that holds nothing, and another user"
    mkdir "$WORK/empty"
    port=$(free_port)
    cat >"$WORK/haproxy.cfg" <<END
global
    chroot $WORK/empty
    user nobody
    group nogroup
    nbthread 4
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 10s
frontend f
    bind 127.0.0.1:$port ssl crt $WORK/combined.pem
    http-request return status 200 content-type text/plain string served
END
    with_devid spawn haproxy haproxy -db -f "$WORK/haproxy.cfg"
    await_port "$SPAWNED" "$port"
    ten "haproxy" "$port"

    back=$(free_port)
    spawn back socat "TCP-LISTEN:$back,bind=127.0.0.1,reuseaddr,fork" \
        "EXEC:$WORK/answer"
    await_port "$SPAWNED" "$back"
    port=$(free_port)
    cat >"$WORK/stunnel.conf" <<END
foreground = yes
pid =
chroot = $WORK/empty
setuid = nobody
setgid = nogroup
[s]
accept = 127.0.0.1:$port
connect = 127.0.0.1:$back
cert = $WORK/server.pem
key = $WORK/server.key
END
    with_devid spawn stunnel stunnel4 "$WORK/stunnel.conf"
    await_port "$SPAWNED" "$port"
    ten "stunnel" "$port"
fi

[[ $LINK == abrmd ]] ||
    assert_equal "nothing was left in the TPM" "" "$(left_in_device)"
