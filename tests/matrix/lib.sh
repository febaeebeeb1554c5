# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the programs of the matrix share: identities, peers with keys in
# software, and what a case finds in its environment.
#
# A program NAME is NAME_as_server, NAME_as_client, or both:
#   NAME_as_server  starts it, listening on 127.0.0.1:$PORT with $KEY and $CERT
#   NAME_asked      asks that server as a peer, over TLS $VERSION; without one
#                   ask_http does
#   NAME_as_client  has it ask a peer, over TLS $VERSION, with $KEY and $CERT,
#                   and fails where it did not get through with its certificate
# Each runs in a subshell under set -e, and finds:
#   KIND ALGORITHM VERSION  tpm|token, ec-p256|rsa-2048, 1.2|1.3
#   KEY CERT CA             key file, certificate, the CA's certificate
#   BOTH                    $CERT and $KEY in one file
#   SOFT_KEY SOFT_CERT      a peer's key in software, and its certificate
#   PEER                    port of a web server with a key in software, that
#                           speaks TLS $VERSION, demands a certificate, and
#                           answers "TLSv1.3 CIPHER SUCCESS CN=..."
#   PLAIN                   port of one without TLS that answers "served"
#   PORT                    a free port
#   WORK                    an own directory, for root alone to write
#   OPENSSL_CONF            what 'devid conf openssl' prints

# plain COMMAND...: run it without devid.
plain() {
    OPENSSL_CONF=/dev/null "$@"
}

# tls_flag: $VERSION as s_client and s_server have it.
tls_flag() {
    echo "-tls${VERSION/./_}"
}

# port_is_open PORT: some process listens on it.
port_is_open() {
    awk -v port="$(printf ':%04X' "$1")" \
        '$2 ~ port "$" && $4 == "0A" { open = 1 } END { exit !open }' \
        /proc/net/tcp /proc/net/tcp6
}

# serve NAME COMMAND...: start a server and wait until $PORT is open; its
# output goes to $WORK/NAME.log. It gets a session of its own: apache2, told to
# end, ends all of its process group.
serve() {
    local name=$1
    shift
    spawn "$name" setsid "$@"
    await "$name on port $PORT" "$SPAWNED" port_is_open "$PORT"
}

# hand_to USER FILE...: the files become that user's, where we are root.
hand_to() {
    ((EUID)) || chown -R "$@"
}

# as_user USER: the words that run a command as that user, where we are root, in
# the array AS.
# shellcheck disable=SC2034
as_user() {
    AS=()
    ((EUID)) || AS=(setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups)
}

# copy_keys USER: KEY, CERT and CA become copies that only USER can read,
# as servers demand that give up root's rights before they read them.
copy_keys() {
    local dir=$WORK/keys-$PORT
    mkdir "$dir"
    cp "$KEY" "$dir/key.pem"
    cp "$CERT" "$dir/cert.pem"
    cp "$CA" "$dir/ca.pem"
    chmod 600 "$dir"/*
    hand_to "$1" "$dir"
    KEY=$dir/key.pem CERT=$dir/cert.pem CA=$dir/ca.pem
}

# call_it_private: KEY and BOTH become copies under the label DEVID PRIVATE KEY,
# for programs that choose PEM blocks by their labels.
call_it_private() {
    local file
    for file in "$KEY" "$BOTH"; do
        sed -E 's/(TSS2 PRIVATE KEY|DEVID KEY REFERENCE)/DEVID PRIVATE KEY/' \
            "$file" >"$WORK/private.${file##*.}"
    done
    KEY=$WORK/private.key BOTH=$WORK/private.both
}

# as_peer COMMAND...: run NAME_as_server or another that uses $KEY and $CERT with a
# key in software instead, without devid.
as_peer() {
    KEY=$SOFT_KEY CERT=$SOFT_CERT BOTH=$SOFT_BOTH OPENSSL_CONF=/dev/null "$@"
}

# ask_http [CURL ARGUMENT...]: a peer with a certificate gets an answer.
ask_http() {
    plain curl --silent --show-error --fail --ipv4 --noproxy '*' \
        --max-time 20 --cacert "$CA" --cert "$SOFT_CERT" --key "$SOFT_KEY" \
        "--tlsv$VERSION" --tls-max "$VERSION" "$@" "https://localhost:$PORT/"
}

# tell_tls TEXT ANSWER [S_CLIENT ARGUMENT...]: a peer with a certificate sends
# TEXT, as printf %b writes it, waits for ANSWER, and stays; "" is the handshake
# alone. Sets TELLER.
tell_tls() {
    local text=$1 answer=$2 log=$WORK/asked-$VERSION.log
    shift 2
    mkfifo "$WORK/text-$VERSION"
    # Open for both, it never ends, and s_client does not either.
    exec 9<>"$WORK/text-$VERSION"
    plain openssl s_client -connect "127.0.0.1:$PORT" -ign_eof \
        -CAfile "$CA" -verify_return_error -verify_hostname localhost \
        -servername localhost -cert "$SOFT_CERT" -key "$SOFT_KEY" \
        "$(tls_flag)" "$@" <&9 >"$log" 2>&1 &
    TELLER=$!
    STARTED+=("$TELLER")
    await "the handshake" "$TELLER" grep -aq "Verify return code: 0" "$log"
    printf '%b' "$text" >&9
    await "\"$answer\" from the server" "$TELLER" grep -aq "$answer" "$log"
}

# ask_tls ARGUMENT...: the same, and it goes.
ask_tls() {
    tell_tls "$@"
    halt "$TELLER"
}

# welcomed: standard input is what the peer on $PEER answers to a client whose
# certificate it has verified.
welcomed() {
    local got
    got=$(tr -d '\0')
    [[ $got == *"TLSv$VERSION "*" SUCCESS "* ]] ||
        fail "no answer to a client with a certificate: $got"
}

# start_sink: a peer on $PORT that speaks TLS $VERSION with clients that have a
# certificate, and writes what it is told to $WORK/sink.
start_sink() {
    serve sink env OPENSSL_CONF=/dev/null socat -u \
        "OPENSSL-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork,cert=$SOFT_CERT,key=$SOFT_KEY,cafile=$CA,verify=1,openssl-min-proto-version=TLS$VERSION,openssl-max-proto-version=TLS$VERSION" \
        "OPEN:$WORK/sink,creat,append"
}

# sink_has TEXT: whether the sink was told it.
sink_has() {
    grep -aq "$1" "$WORK/sink" 2>/dev/null
}

# write_answer: $WORK/answer, a program that takes a request and answers it.
write_answer() {
    cat >"$WORK/answer" <<'EOF'
#!/bin/sh
# Takes the request, or who hands it on meets a closed pipe.
dd bs=4096 count=1 of=/dev/null 2>/dev/null
printf 'HTTP/1.0 200 OK\r\n\r\nserved\n'
EOF
    chmod 755 "$WORK/answer"
}

# plain_http: what the program answers on $PORT, which has no TLS.
plain_http() {
    plain curl --silent --show-error --ipv4 --noproxy '*' --max-time 20 \
        "http://localhost:$PORT/"
}
