# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the program tests share: the harness, the tool, identities.

# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../swtpm-ci/lib.sh"
harness_options "$@"
DEVID=$BUILD_DIR/tools/devid

# What devid keygen is told of the device: nothing of a TPM.
KEYGEN_DEVICE=()

# start_device bare|abrmd|managed|token: what this test's keys are made in: a
# TPM with nothing before it, behind tpm2-abrmd, or said to be behind another
# manager; a token of SoftHSM. Sets KEYGEN_DEVICE.
start_device() {
    case $1 in
    token)
        start_token
        KEYGEN_DEVICE=(--device "$TOKEN_URI")
        return
        ;;
    bare | abrmd | managed) start_tpm --srk ;;
    *) fail "bare, abrmd, managed or token, not $1" ;;
    esac
    [[ $1 != abrmd ]] || start_abrmd
    [[ $1 != managed ]] || export DEVID_TPM2_SHARING=managed
}

# left_in_device: what programs left in the TPM when they ended.
left_in_device() {
    ((${#KEYGEN_DEVICE[@]})) || tpm2_getcap handles-transient
    ((${#KEYGEN_DEVICE[@]})) || tpm2_getcap handles-loaded-session
}

# make_key NAME [KEYGEN OPTION...]: a key in the device: $WORK/NAME.key.
make_key() {
    "$DEVID" keygen "${KEYGEN_DEVICE[@]}" "${@:2}" --out "$WORK/$1.key"
    # Workers that are not root read the objects of SoftHSM themselves.
    [[ ! ${TOKEN_DIR:-} ]] || share_token
}

# make_identity NAME server|client [KEYGEN OPTION...]: a key in the device, its
# request and a certificate by the CA of CA_DIR: $WORK/NAME.key, .csr, .pem.
make_identity() {
    local name=$1 purpose=$2 sans=()
    shift 2
    [[ $purpose != server ]] || sans=(--san DNS:localhost --san IP:127.0.0.1
        --san "DNS:$name.localhost")
    make_key "$name" "$@"
    "$DEVID" csr --key "$WORK/$name.key" --subject "/O=Acme/CN=$name" \
        "${sans[@]}" --out "$WORK/$name.csr"
    sign_csr "$WORK/$name.csr" "$WORK/$name.pem" "$purpose"
    # nginx's master and curl read keys as whoever runs the test.
    chmod 644 "$WORK/$name.pem"
}

# make_plain_client: a client whose key is in software, so that only the server
# asks the TPM: $WORK/plain.key, .csr, .pem.
make_plain_client() {
    plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$WORK/plain.key" -subj /CN=plain -addext \
        subjectAltName=DNS:localhost -out "$WORK/plain.csr" 2>/dev/null
    sign_csr "$WORK/plain.csr" "$WORK/plain.pem"
}

# plain_request [CURL ARGUMENT...]: that client asks nginx.
plain_request() {
    OPENSSL_CONF=/dev/null curl_mtls "$WORK/plain.key" "$WORK/plain.pem" "$@"
}

# with_devid COMMAND...: run it with $WORK/openssl.cnf, which has devid in it.
with_devid() {
    OPENSSL_CONF=$WORK/openssl.cnf "$@"
}

# one_request NAME: to nginx, by the client of that name with its key in the device.
one_request() {
    with_devid curl_mtls "$WORK/$1-client.key" "$WORK/$1-client.pem"
}

# costs WHAT LIST PROGRAM...: the program succeeds and asks of the device just these:
# calls of a token with a spy before it, commands of a TPM.
costs() {
    local what=$1 expected=$2 asked=trace
    shift 2
    [[ ! ${SPY_LOG:-} ]] || asked=spy
    "${asked}_reset"
    "$@" >"$WORK/out" 2>&1 || fail "$what: $(<"$WORK/out")"
    assert_equal "$what" "$expected" "$("${asked}_list")"
}
