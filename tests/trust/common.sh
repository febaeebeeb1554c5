# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What these tests share: a CA that revokes, devices of it, and devid trust.

# shellcheck source=../tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"

# trust ARGUMENT...: devid trust on $WORK/trust.json. It must succeed.
trust() {
    run_devid trust "$@" --file "$WORK/trust.json"
    [[ $STATUS == 0 ]] || fail "devid trust $*: $STATUS: $ERRORS"
}

# trust_fails WHAT SENTENCE ARGUMENT...: it fails, and says why.
trust_fails() {
    run_devid trust "${@:3}" --file "$WORK/trust.json"
    assert_equal "$1: its exit code" 1 "$STATUS" >/dev/null
    assert_contains "$1" "$2" "$ERRORS"
}

# entries FILTER: what jq makes of the list's file.
entries() {
    jq -r "$1" "$WORK/trust.json"
}

# make_authority DIR [SUBJECT]: make_ca, and what openssl ca needs to revoke.
make_authority() {
    make_ca "$1"
    mkdir -p "$CA_DIR/new"
    : >"$CA_DIR/index.txt"
    echo 1000 >"$CA_DIR/crlnumber"
    cat >"$CA_DIR/ca.cnf" <<END
[ca]
default_ca = this
[this]
database = $CA_DIR/index.txt
crlnumber = $CA_DIR/crlnumber
certificate = $CA_DIR/ca.pem
private_key = $CA_DIR/ca.key
default_md = sha256
default_crl_days = 30
new_certs_dir = $CA_DIR/new
END
}

# revoke CERT
revoke() {
    plain_openssl ca -config "$CA_DIR/ca.cnf" -revoke "$1" 2>"$CA_DIR/log" ||
        fail "the CA cannot revoke $1: $(<"$CA_DIR/log")"
}

# make_crl FILE [OPTION OF openssl ca...]: the CA's list of revoked ones.
make_crl() {
    plain_openssl ca -config "$CA_DIR/ca.cnf" -gencrl -out "$1.new" \
        "${@:2}" 2>"$CA_DIR/log" || fail "no CRL: $(<"$CA_DIR/log")"
    mv "$1.new" "$1"
    chmod 644 "$1"
}

# make_device NAME: a device of the CA whose key is in software.
make_device() {
    plain_key "$1"
    sign_csr "$WORK/$1.csr" "$WORK/$1.pem"
}

# of_cert NAME OPTION...: "subject=..." and others as openssl prints them.
of_cert() {
    plain_openssl x509 -in "$WORK/$1.pem" -noout -nameopt RFC2253 "${@:2}" |
        sed 's/^[^=]*=//'
}
