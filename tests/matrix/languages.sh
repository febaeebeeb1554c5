# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Languages' own TLS, and servers and clients written in them. The scripts are in
# scripts/; each takes the role, then CERT KEY CA PORT VERSION.

SCRIPTS=$TOP/tests/matrix/scripts

# script_server NAME COMMAND...: a script as a server.
script_server() {
    local name=$1
    shift
    serve "$name" "$@" server "$CERT" "$KEY" "$CA" "$PORT"
}

# script_client COMMAND...: a script as a client.
script_client() {
    timeout 30 "$@" client "$CERT" "$KEY" "$CA" "$PEER" "$VERSION" | welcomed
}

# Debian's own Python, whatever else a machine has.
PYTHON=/usr/bin/python3

python_as_server() {
    script_server python "$PYTHON" "$SCRIPTS/python_ssl.py" threads
}
python_fork_as_server() {
    script_server python "$PYTHON" "$SCRIPTS/python_ssl.py" forks
}
python_as_client() {
    script_client "$PYTHON" "$SCRIPTS/python_ssl.py" urllib
}
asyncio_as_server() {
    script_server asyncio "$PYTHON" "$SCRIPTS/python_ssl.py" asyncio
}
asyncio_as_client() {
    script_client "$PYTHON" "$SCRIPTS/python_ssl.py" asyncio
}
requests_as_client() {
    script_client "$PYTHON" "$SCRIPTS/python_ssl.py" requests
}
aiohttp_as_client() {
    script_client "$PYTHON" "$SCRIPTS/python_ssl.py" aiohttp
}
pyopenssl_as_server() {
    script_server pyopenssl "$PYTHON" "$SCRIPTS/pyopenssl.py"
}
pyopenssl_as_client() {
    script_client "$PYTHON" "$SCRIPTS/pyopenssl.py"
}
# No TLS of its own: it loads the key and signs with it.
cryptography_as_client() {
    "$PYTHON" "$SCRIPTS/cryptography_sign.py" "$KEY"
}

gunicorn_as_server() {
    serve gunicorn gunicorn --chdir "$SCRIPTS" --worker-tmp-dir "$WORK" \
        --bind "127.0.0.1:$PORT" --certfile "$CERT" --keyfile "$KEY" \
        --ca-certs "$CA" --cert-reqs 2 --ssl-version TLS_SERVER \
        --workers 2 wsgi_app:application
}
uwsgi_as_server() {
    serve uwsgi uwsgi_python3 --die-on-term --master --workers 2 \
        --https-socket "127.0.0.1:$PORT,$CERT,$KEY,HIGH,!$CA" \
        --uid www-data --gid www-data --need-app \
        --wsgi-file "$SCRIPTS/wsgi_app.py"
}

perl_as_server() {
    script_server perl perl "$SCRIPTS/socket_ssl.pl"
}
perl_as_client() {
    script_client perl "$SCRIPTS/socket_ssl.pl"
}
lwp_as_client() {
    script_client perl "$SCRIPTS/lwp.pl"
}

ruby_as_server() {
    script_server ruby ruby "$SCRIPTS/openssl.rb"
}
ruby_as_client() {
    script_client ruby "$SCRIPTS/openssl.rb"
}
# Its key is told that it is a private one.
ruby_private_as_server() {
    RUBY_KEY_IS_PRIVATE=1 ruby_as_server
}
ruby_private_as_client() {
    RUBY_KEY_IS_PRIVATE=1 ruby_as_client
}

php_as_server() {
    script_server php php "$SCRIPTS/streams.php"
}
php_as_client() {
    script_client php "$SCRIPTS/streams.php"
}
php_curl_as_client() {
    script_client php "$SCRIPTS/curl.php"
}

# Where node has an OpenSSL of its own, that reads another section of the file.
node_command() {
    NODE=(node)
    [[ $(node -p process.config.variables.node_shared_openssl) != false ]] ||
        {
            sed 's/^openssl_conf = /nodejs_conf = /' "$OPENSSL_CONF" \
                >"$WORK/node.cnf"
            NODE+=(--openssl-config="$WORK/node.cnf")
        }
}
node_as_server() {
    node_command
    script_server node "${NODE[@]}" "$SCRIPTS/tls.js"
}
node_as_client() {
    node_command
    script_client "${NODE[@]}" "$SCRIPTS/tls.js"
}

lua_as_server() {
    script_server lua lua5.4 "$SCRIPTS/sec.lua"
}
lua_as_client() {
    script_client lua5.4 "$SCRIPTS/sec.lua"
}

tcl_as_server() {
    script_server tcl tclsh "$SCRIPTS/tls.tcl"
}
tcl_as_client() {
    script_client tclsh "$SCRIPTS/tls.tcl"
}
