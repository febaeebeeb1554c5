# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What these tests share: a CA with an EST server of the tests' own, a device
# with an IDevID of another CA, its factory's.

# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../swtpm-ci/lib.sh"
harness_options "$@"
DEVID=$BUILD_DIR/tools/devid
RENEW_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# make_est: the EST server's CA in $WORK/est; one that nobody trusts in
# $WORK/est/elsewhere.
make_est() {
    need python3 openssl
    make_ca "$WORK/est/elsewhere"
    make_ca "$WORK/est"
    plain_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
        -quiet -out est/server.key
    plain_openssl req -new -key est/server.key -subj /CN=est -out est/server.csr \
        -addext subjectAltName=DNS:localhost
    sign_csr est/server.csr est/server.pem server
    cat est/ca.pem factory/ca.pem >est/clients.pem
    : >est/log
}

# start_est [OPTION...]: sets EST_PID, EST_URL.
start_est() {
    rm -f est/port
    spawn est "$RENEW_DIR/est_server.py" est "$@"
    EST_PID=$SPAWNED
    await "the EST server" "$EST_PID" test -s est/port
    EST_URL=https://localhost:$(<est/port)/.well-known/est
    # The same again, when it is started once more.
    cp est/port est/want-port
}

stop_est() {
    halt "$EST_PID" "${1:-KILL}"
}

# mode LINE...: how the EST server behaves from now on.
mode() {
    printf '%s\n' "$@" >est/mode.new
    mv est/mode.new est/mode
}

# est_log: the requests since the last time, their paths in one line.
est_log() {
    awk '{ printf "%s%s", sep, $1; sep = " " }' est/log
    : >est/log
}

# make_device tpm|token: a device with an IDevID in $WORK/idevid, by the CA of a
# factory. Sets KIND, and DEVICE, options that name it. What it is asked is
# counted from here on.
make_device() {
    local keygen=()
    KIND=$1
    DEVICE=()
    if [[ $KIND == tpm ]]; then
        start_tpm --srk
        start_trace
    else
        start_token
        start_spy
        DEVICE=(--device "$TOKEN_URI")
        keygen=("${DEVICE[@]}" --label IDevID)
    fi
    make_ca "$WORK/factory"
    mkdir idevid
    "$DEVID" keygen --out idevid/key.pem "${keygen[@]}"
    "$DEVID" csr --key idevid/key.pem --subject /O=Acme/CN=unit-1 --out i.csr
    sign_csr i.csr idevid/cert.pem
    cp idevid/cert.pem idevid/chain.pem
    cp factory/ca.pem idevid/ca.pem
}

# cost_reset: forget what the device was asked so far.
cost_reset() {
    if [[ $KIND == tpm ]]; then
        trace_reset
    else
        spy_reset
    fi
}

# commands: those of the TPM since the reset, in one line. swtpm puts off the
# first signature after its start by TPM_RC_RETRY; that answer is left out.
commands() {
    trace_list | sed -E 's/[A-Za-z]+:0x922 //'
}

# assert_keys WHAT COUNT: nothing is in the TPM; the token holds that many key
# pairs. What was loaded when its program was killed, with KILLED=1, a resource
# manager removes; without one it goes when its place is needed.
assert_keys() {
    if [[ $KIND == tpm ]]; then
        [[ ! $(tpm2_getcap handles-loaded-session) ]] ||
            fail "$1: a session is left in the TPM"
        [[ ${KILLED:-} || ! $(tpm2_getcap handles-transient) ]] ||
            fail "$1: something is loaded in the TPM"
        [[ $(tpm2_getcap handles-persistent) == "- 0x81000001" ]] ||
            fail "$1: something is persistent in the TPM"
        say "  ok: $1: nothing is left in the TPM"
    else
        assert_equal "$1: keys on the token" "$2 $2" "$(token_keys)"
    fi
}

# lose_key: the identity's key is gone: from the token; or it is of no use, as all
# are after TPM2_Clear: its parent is another TPM's.
lose_key() {
    if [[ $KIND == token ]]; then
        "$DEVID" delete --yes "$("$DEVID" show --json root/unit/key.pem |
            jq -r '.[0].uri')"
    else
        clear_key >root/unit/key.pem
    fi
}

# clear_key: print such a key.
clear_key() {
    local front=$DEVID_TCTI
    start_tpm --srk "other$((OTHERS += 1))" >&2
    "$DEVID" keygen --out -
    stop_tpm
    use_tpm tpm
    DEVID_TCTI=$front
}
OTHERS=0

# token_keys: how many private and public keys the token holds.
token_keys() {
    pkcs11-tool --module "$SOFTHSM_MODULE" --token-label "$TOKEN_LABEL" \
        --login --pin "$TOKEN_PIN" --list-objects 2>/dev/null |
        awk '/^Private Key/ { private++ } /^Public Key/ { public++ }
            END { print private + 0, public + 0 }'
}

# key_kind: that of the identity's key, as devid names it.
key_kind() {
    "$DEVID" show --json root/unit/key.pem | jq -r '.[0].algorithm'
}

# enroll [OPTION...]: identity unit in $WORK/root. The device's URI has the module,
# which so is good for the key files of that device, for renewals as well.
enroll() {
    ${EXEC:-} env -u DEVID_PKCS11_MODULE "$DEVID" enroll --est "$EST_URL" --identity unit \
        --root "$WORK/root" --idevid "$WORK/${IDEVID:-idevid}" --ca "$WORK/est/ca.pem" \
        "${DEVICE[@]}" "$@"
}

renew() {
    ${EXEC:-} env -u DEVID_PKCS11_MODULE "$DEVID" renew --root "$WORK/root" "$@"
}

# fails CODE WHAT SENTENCE COMMAND...: it ends so. Sets OUTPUT.
fails() {
    local code=$1 what=$2 sentence=$3 status=0
    shift 3
    OUTPUT=$("$@" 2>&1) || status=$?
    [[ $status == "$code" ]] ||
        fail "$what: ended with $status, not $code: $OUTPUT"
    assert_contains "$what" "$sentence" "$OUTPUT"
}

# state NAME: a member of the identity's state.
state() {
    jq -r ".$1" root/unit.state
}

# serial: the number of the certificate in the identity's folder.
serial() {
    plain_openssl x509 -in root/unit/cert.pem -noout -serial
}

# assert_whole WHAT: a folder of one version whose key and certificate belong
# together and work.
assert_whole() {
    local key cert
    cert=$(plain_openssl x509 -in root/unit/cert.pem -noout -pubkey)
    key=$(OPENSSL_CONF=$WORK/openssl.cnf openssl pkey -in root/unit/key.pem \
        -pubout 2>&1) || fail "$1: $key"
    [[ $key == "$cert" ]] || fail "$1: the key is not the certificate's"
    [[ $(cd root && echo unit unit.[0-9]*) == "unit $(readlink root/unit)" ]] ||
        fail "$1: left beside the folder: $(ls root)"
    plain_openssl verify -partial_chain -no_check_time -CAfile root/unit/ca.pem \
        -untrusted root/unit/chain.pem root/unit/cert.pem >/dev/null ||
        fail "$1: no chain"
    [[ $(cat root/unit/key.pem root/unit/chain.pem) == \
    "$(<root/unit/combined.pem)" ]] || fail "$1: combined.pem is something else"
    say "  ok: $1: the folder is whole"
}
