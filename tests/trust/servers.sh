# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of nginx and haproxy share: devices, one with its key in a TPM,
# a server that keeps to the list, and who gets what of it. A test has
# start_server, which takes the lines that `devid trust write` has printed, and sets
# PORT and SERVER_PID; TARGET is the option of that, RELOAD the server's signal.

# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# make_devices: of the CA ca one each by fingerprint, serial and subject, one
# that nobody has named, one that will be revoked; of the CA other, stranger.
# "by-tpm" is named by its fingerprint.
make_devices() {
    local name
    start_tpm --srk
    make_ca "$WORK/other"
    make_device stranger
    make_authority "$WORK/ca"
    for name in by-serial by-subject unnamed revoked; do make_device $name; done
    "$DEVID" keygen --out by-tpm.key
    "$DEVID" csr --key by-tpm.key --subject '/O=Acme "Inc", Ltd/CN=by-tpm' \
        --out by-tpm.csr
    sign_csr by-tpm.csr by-tpm.pem
    openssl_conf "$WORK/openssl.cnf"
    plain_key server
    plain_openssl x509 -req -in server.csr -CA ca/ca.pem -CAkey ca/ca.key \
        -out server.pem -extfile <(echo subjectAltName=DNS:localhost) \
        2>/dev/null
    cat server.key server.pem >server.both
}

# name_devices: on the list.
name_devices() {
    make_crl "$WORK/ca.crl"
    trust add --ca ca/ca.pem
    trust add --crl "file://$WORK/ca.crl"
    trust add --cert by-tpm.pem
    trust add --cert by-serial.pem --by serial
    trust add --subject 'CN=by-subject,O=Acme'
    trust add --cert revoked.pem
    trust refresh
    write
}

# write: what the list has, to the server's files. The lines are in $LINES.
write() {
    trust write "--$TARGET" "$WORK/$TARGET.d"
    [[ ! $ERRORS ]] || fail "devid trust write complains: $ERRORS"
    LINES=$OUTPUT
}

# status NAME [CURL ARGUMENT...]: of the answer to that device; "": none.
status() {
    local identity=()
    [[ ! $1 ]] || identity=(--key "$WORK/$1.key" --cert "$WORK/$1.pem")
    OPENSSL_CONF=$WORK/openssl.cnf curl --silent --show-error --max-time 20 \
        --noproxy '*' --cacert "$WORK/ca/ca.pem" "${identity[@]}" \
        --output /dev/null --write-out '%{http_code}' "${@:2}" \
        "https://localhost:${PORT:?}${PATH_ASKED:-/}"
}

# gets NAME STATUS WHAT: over both versions of TLS.
gets() {
    assert_equal "$3" "$2 $2" \
        "$(status "$1" --tlsv1.3) $(status "$1" --tls-max 1.2)"
}

# reload_server: it has read its files anew, and no worker is left who has not.
reload_server() {
    reload_workers "$SERVER_PID" "$RELOAD"
}

# session NAME [OPTION OF s_client...]: "New 200" or "Reused 200": the session,
# and the status of one request in it.
session() {
    printf 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
        plain_openssl s_client -connect "localhost:$PORT" -ign_eof \
            -servername localhost -tls1_2 -cert "$WORK/$1.pem" \
            -key "$WORK/$1.key" "${@:2}" 2>"$WORK/session.err" |
        sed -nE 's/^(New|Reused), .*/\1/p; s/^HTTP[^ ]* ([0-9]*).*/\1/p' | xargs
}

# everybody_gets_theirs: all of this, at one server.
everybody_gets_theirs() {
    local name
    say "Who is let in"
    gets by-tpm 200 "a device by its fingerprint, its key in a TPM"
    gets by-serial 200 "a device by its serial number"
    gets by-subject 200 "a device by its subject"
    gets revoked 200 "one that is not revoked yet"
    gets unnamed 403 "one that nobody has named"
    gets stranger 403 "one of a CA that nobody has named"
    gets '' 403 "somebody without a certificate"

    say "Who resumes a session"
    for name in by-serial:200 unnamed:403 stranger:403; do
        assert_equal "${name%:*} gets ${name#*:}" "New ${name#*:}" \
            "$(session "${name%:*}" -sess_out "$WORK/session")"
        assert_contains "and again" " ${name#*:}" \
            "$(session "${name%:*}" -sess_in "$WORK/session")"
    done
    assert_equal "which is one that is resumed" "Reused 403" \
        "$(session unnamed -sess_out "$WORK/session" >/dev/null
            session unnamed -sess_in "$WORK/session")"

    say "What changes"
    assert_equal "a session begins" "New 200" \
        "$(session revoked -sess_out "$WORK/session")"
    revoke revoked.pem
    make_crl ca.crl
    trust refresh --all
    write
    reload_server
    gets revoked 403 "one that is revoked"
    assert_contains "also who has a session" " 403" \
        "$(session revoked -sess_in "$WORK/session")"
    gets by-tpm 200 "the others are let in still"
    trust remove --cert by-tpm.pem
    write
    reload_server
    gets by-tpm 403 "one that is removed"
    gets by-serial 200 "the others are let in still"
    trust add --cert by-tpm.pem --by subject
    write
    reload_server
    gets by-tpm 200 "one that is named again, by its odd subject"
    trust add --subject "CN=$(printf 'long%.0s' {1..50}),O=Acme"
    trust add --cert unnamed.pem
    write
    reload_server
    gets unnamed 200 "one that is named beside a very long name"
    trust remove --cert unnamed.pem
    write
    reload_server
    gets unnamed 403 "one that is forgotten"
    trust write "--$TARGET" "$WORK/$TARGET.d" --quiet
    assert_equal "written again it is as it was" \
        "# $WORK/$TARGET.d: as it was" "$OUTPUT"
}

# nothing_is_written WHAT SENTENCE: and the server's files are what they were.
nothing_is_written() {
    local before
    before=$(readlink "$WORK/$TARGET.d")
    trust_fails "$1" "$2" write "--$TARGET" "$WORK/$TARGET.d"
    assert_equal "  and nothing is written" "$before" \
        "$(readlink "$WORK/$TARGET.d")"
}
