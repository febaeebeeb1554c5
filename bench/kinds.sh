# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The kinds of keys that bench/all compares, and what a program needs to use one.
#
#   software         a file that OpenSSL reads by itself
#   persistent blob  devid, a TPM: the key at a persistent handle; in its file
#   tpm2-openssl     that provider, with the same blob
#   token            devid, a PKCS#11 token
#   pkcs11-provider  that provider, with the same key
#   libp11           its engine, with the same key
#
# A key NAME is $WORK/NAME-KIND.key with the certificate $WORK/NAME-KIND.pem; an
# engine has a URI in place of the file.

TPM_KINDS=(persistent blob) TOKEN_KINDS=(token)
declare -A HANDLES=([ec-p256]=0x81000101 [rsa-2048]=0x81000102)

# is_peer KIND: whether it is none of ours, so that a failure is a result.
is_peer() {
    [[ $1 == tpm2-openssl || $1 == pkcs11-provider || $1 == libp11 ]]
}

# on_token KIND
on_token() {
    [[ $1 == token || $1 == pkcs11-provider || $1 == libp11 ]]
}

# ---- devices -------------------------------------------------------------

# open_devices: a TPM and a token of their own. Keys name the token's module by
# a link, so that calls can be counted and need not be.
open_devices() {
    REAL_MODULE=$SOFTHSM_MODULE
    SOFTHSM_MODULE=$WORK/module.so
    ln -s "$REAL_MODULE" "$SOFTHSM_MODULE"
    SPY_LOG=$WORK/spy.calls
    : >"$SPY_LOG"
    chmod 666 "$SPY_LOG"
    start_tpm --srk
    start_token bench
    share_token
    chmod 644 "$TOKEN_PIN_FILE"
    make_ca "$WORK/ca"
}

# spy_on, spy_off: count the calls to the token's module, or do not.
spy_on() {
    export DEVID_SPY_MODULE=$REAL_MODULE DEVID_SPY_LOG=$SPY_LOG
    ln -sfn "$BUILD_DIR/swtpm-ci/pkcs11-spy.so" "$SOFTHSM_MODULE"
}
spy_off() {
    ln -sfn "$REAL_MODULE" "$SOFTHSM_MODULE"
    unset DEVID_SPY_MODULE DEVID_SPY_LOG
}

# ---- configurations ------------------------------------------------------

# provider_conf FILE SECTION-TEXT...: an openssl.cnf with default and one more
# provider, whose section the texts are; the last may begin others.
provider_conf() {
    local file=$1
    shift
    printf '%s\n' 'openssl_conf = openssl_init' '[openssl_init]' \
        'providers = provider_sect' '[provider_sect]' 'default = default_sect' \
        "$1 = other_sect" '[default_sect]' 'activate = 1' '[other_sect]' \
        'activate = 1' "${@:2}" >"$file"
}

# tpm2_openssl_conf FILE: the configuration in which that provider works at nginx
# with the fewest TPM commands. Debian 12's 1.1.1 needs a property query, so that
# hashes, ciphers and random numbers stay with OpenSSL.
tpm2_openssl_conf() {
    provider_conf "$1" tpm2
    [[ $(package_version tpm2-openssl) == 1.[3-9]* ]] ||
        sed -i 's/^providers = .*/&\nalg_section = algorithm_sect\
random = random_sect\
[algorithm_sect]\
default_properties = ?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes\
[random_sect]\
random = CTR-DRBG\
properties = provider=default/' "$1"
}

# write_confs: one for each kind, as $WORK/KIND.cnf.
write_confs() {
    local kind
    for kind in persistent blob token; do
        openssl_conf "$WORK/$kind.cnf"
    done
    ln -sf /dev/null "$WORK/software.cnf"
    tpm2_openssl_conf "$WORK/tpm2-openssl.cnf"
    # Without the quirk SoftHSM crashes when the program ends.
    provider_conf "$WORK/pkcs11-provider.cnf" pkcs11 \
        "pkcs11-module-path = $SOFTHSM_MODULE" \
        "pkcs11-module-token-pin = file:$TOKEN_PIN_FILE" \
        'pkcs11-module-quirks = no-deinit'
    cat >"$WORK/libp11.cnf" <<END
openssl_conf = openssl_init
[openssl_init]
engines = engine_sect
[engine_sect]
pkcs11 = pkcs11_sect
[pkcs11_sect]
engine_id = pkcs11
MODULE_PATH = $SOFTHSM_MODULE
PIN = $TOKEN_PIN
init = 1
END
    chmod 644 "$WORK"/*.cnf 2>/dev/null || true
}

# with_kind KIND COMMAND...: run it, or a function, with that configuration.
with_kind() {
    local kind=$1
    shift
    TPM2OPENSSL_TCTI=$DEVID_TCTI TSS2_LOG=all+none \
        OPENSSL_CONF=$WORK/$kind.cnf "$@"
}

# find_peers: add to the kinds those that are installed. Sets KINDS.
find_peers() {
    local listed
    listed=$(with_kind tpm2-openssl openssl list -providers 2>&1 || true)
    peer_is tpm2-openssl "$listed" 'TPM 2.0 Provider' &&
        TPM_KINDS+=(tpm2-openssl)
    listed=$(with_kind pkcs11-provider openssl list -providers 2>&1 || true)
    peer_is pkcs11-provider "$listed" 'PKCS#11' &&
        TOKEN_KINDS+=(pkcs11-provider)
    listed=$(with_kind libp11 openssl engine pkcs11 2>&1 || true)
    peer_is libp11 "$listed" '(pkcs11) ' && TOKEN_KINDS+=(libp11)
    # shellcheck disable=SC2034 # the parts read it
    KINDS=(software "${TPM_KINDS[@]}" "${TOKEN_KINDS[@]}")
}

# peer_is NAME LISTED WORDS: whether it is there, which the results say.
peer_is() {
    [[ $2 == *"$3"* ]] || return 1
    printf 'present/%s\tyes\t1\n' "$1" >>"$RESULTS"
}

# ---- keys ----------------------------------------------------------------

# key_of NAME KIND: set KEY to what names it for nginx, and URI. No subshell: it is
# called where time is taken.
key_of() {
    URI="pkcs11:token=$TOKEN_LABEL;object=$1;type=private"
    KEY=$WORK/$1-$2.key
    [[ $2 != libp11 ]] || KEY=engine:pkcs11:$URI
}

# curl_key NAME KIND, openssl_key NAME KIND OPTION: set KEY_OPTIONS to the options
# that name it.
curl_key() {
    key_of "$@"
    KEY_OPTIONS=(--key "$KEY")
    [[ $2 != libp11 ]] || KEY_OPTIONS=(--engine pkcs11 --key-type ENG --key "$URI")
}
openssl_key() {
    key_of "$@"
    KEY_OPTIONS=("$3" "$KEY")
    # shellcheck disable=SC2034 # the clients read it
    [[ $2 != libp11 ]] ||
        KEY_OPTIONS=(-engine pkcs11 -keyform engine "$3" "$URI")
}

# certify NAME KIND: a certificate for a key, made by the CA.
certify() {
    with_kind "$2" openssl pkey -in "$WORK/$1-$2.key" -pubout \
        -out "$WORK/certify.pub"
    plain_openssl x509 -new -subj "/CN=$1" -force_pubkey "$WORK/certify.pub" \
        -CA "$CA_DIR/ca.pem" -CAkey "$CA_DIR/ca.key" -days 30 \
        -out "$WORK/$1-$2.pem" 2>"$WORK/certify.log"
}

# share_key NAME FROM KIND: KIND uses the key of FROM.
share_key() {
    ln -sf "$1-$2.pem" "$WORK/$1-$3.pem"
    [[ -e $WORK/$1-$3.key ]] || ln -sf "$1-$2.key" "$WORK/$1-$3.key"
}

# make_token_key NAME ALGORITHM: one on the token, for each kind that has it.
make_token_key() {
    "$BUILD_DIR/tools/devid" keygen --algorithm "$2" --device "$TOKEN_URI" \
        --label "$1" --out "$WORK/$1-token.key"
    certify "$1" token
    share_key "$1" token libp11
    key_of "$1" token
    peer_pem "$URI" "$WORK/$1-pkcs11-provider.key"
    share_key "$1" token pkcs11-provider
}

# make_key NAME ALGORITHM: one for each kind, with certificates.
make_key() {
    local group=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)
    [[ $2 == ec-p256 ]] || group=(-algorithm RSA -pkeyopt rsa_keygen_bits:2048)
    plain_openssl genpkey -quiet "${group[@]}" -out "$WORK/$1-software.key"
    "$BUILD_DIR/tools/devid" keygen --algorithm "$2" --parent "$SRK_HANDLE" \
        --out "$WORK/$1-blob.key"
    certify "$1" software
    certify "$1" blob
    share_key "$1" blob tpm2-openssl
    make_token_key "$@"
}

# make_keys: the key of each algorithm, which has its name; one more at a
# persistent handle.
make_keys() {
    local algorithm
    for algorithm in "${ALGORITHMS[@]}"; do
        make_key "$algorithm" "$algorithm"
        "$BUILD_DIR/tools/devid" keygen --algorithm "$algorithm" \
            --persist "${HANDLES[$algorithm]}" \
            --out "$WORK/$algorithm-persistent.key"
        certify "$algorithm" persistent
    done
    share_keys
}

# share_keys: nginx's workers are another user, who reads the token's files.
share_keys() {
    share_token
    chmod 644 "$WORK"/*.pem
}

# tidy KIND: what that kind leaves in the TPM. tpm2-openssl may leave its key.
tidy() {
    [[ $1 != tpm2-openssl ]] || tpm2_flushcontext -t 2>/dev/null || true
}
