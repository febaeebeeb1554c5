# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of EST share: units with IDevIDs in software, requests, and
# curl as client.

# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# make_unit SERIAL: a unit with an IDevID: SERIAL.key and SERIAL.pem.
make_unit() {
    plain_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$1.key" -subj "/CN=$1" -outform DER -out "$1.csr" 2>>req.log
    post /v1/units "$(jq -n --rawfile csr <(base64_of "$1.csr") --arg serial "$1" \
        '{serial: $serial, model: "Gate", pkcs10: $csr}')"
    assert_equal "the unit $1 has its IDevID" 201 "$STATUS"
    json .idevid | base64 -d | plain_openssl x509 -inform DER -out "$1.pem"
}

# self_signed NAME SUBJECT: NAME.key, NAME.pem.
self_signed() {
    plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$1.key" -subj "$2" -days 1 -out "$1.pem" 2>>req.log
}

# make_csr NAME SUBJECT [KEY [SAN]]: NAME.der by KEY, or by a new NAME.key.
make_csr() {
    if [[ -z ${3:-} ]]; then
        plain_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
            -out "$1.key"
    fi
    plain_openssl req -new -key "${3:-$1.key}" -subj "$2" -outform DER \
        -out "$1.der" ${4:+-addext "subjectAltName=$4"}
}

# est METHOD PATH [CURL ARGUMENT...]: sets STATUS, OUTPUT and TYPE; the files
# answer and headers are what came back.
est() {
    ask "$@" --header 'Content-Type: application/pkcs10' --dump-header headers
    # shellcheck disable=SC2034 # scripts read it
    TYPE=$(sed -n 's/^Content-Type: \(.*\)\r$/\1/p' headers)
}

# enrol_est UNIT NAME: NAME.der, under the IDevID of UNIT.
enrol_est() {
    est POST /.well-known/est/simpleenroll --key "$1.key" --cert "$1.pem" \
        --data-binary "$(base64 "$2.der")"
}

# renew_est OLD NAME: NAME.der, under OLD.pem.
renew_est() {
    est POST /.well-known/est/simplereenroll --key "$1.key" --cert "$1.pem" \
        --data-binary "$(base64 "$2.der")"
}

# by_secret NAME:SECRET NAME: NAME.der.
by_secret() {
    est POST /.well-known/est/simpleenroll --user "$1" \
        --data-binary "$(base64 "$2.der")"
}

# certs_of FILE: the certificates in an answer, in PEM.
certs_of() {
    base64 -d "$1" | plain_openssl pkcs7 -inform DER -print_certs |
        sed -n '/^-----BEGIN/,/^-----END/p'
}

# seconds_left CERT: from its beginning to its end, without what it is backdated.
seconds_left() {
    local from to
    from=$(plain_openssl x509 -in "$1" -noout -startdate)
    to=$(plain_openssl x509 -in "$1" -noout -enddate)
    echo $(($(date -d "${to#*=}" +%s) - $(date -d "${from#*=}" +%s) - 300))
}

# set_lifetime TIME: of the default label, from now on.
set_lifetime() {
    setting est lifetime "$1"
    stop_station
    start_station
}
