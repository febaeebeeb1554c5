# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What stands ready before the first program runs: variants of openssl.cnf, keys
# and certificates, peers.

# Where the keys are that stay in the TPM.
declare -A HANDLES=([ec-p256]=0x81000100 [rsa-2048]=0x81000101)

# make_conf NAME: $WORK/NAME.cnf, a variant of what devid conf prints.
make_conf() {
    local file=$WORK/$1.cnf properties=''
    case $1 in
    *properties) properties='?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes' ;;
    *ours) properties='?provider=devid' ;;
    esac
    "$BUILD_DIR/tools/devid" conf openssl >"$file"
    if [[ $1 == first* ]]; then
        sed -i '/^default = /{h;d};/^devid = /G' "$file"
    fi
    if [[ $properties ]]; then
        sed -i '/^providers = providers/a alg_section = properties' "$file"
        printf '\n[properties]\ndefault_properties = %s\n' "$properties" \
            >>"$file"
    fi
}

# make_identity KIND ALGORITHM: a key of that kind, its certificate, and both in
# one file: $WORK/KIND-ALGORITHM.key, .pem, .both.
make_identity() {
    local name=$WORK/$1-$2
    case $1 in
    soft)
        plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -keyout "$name.key" -subj "/O=Acme/CN=peer" -addext \
            subjectAltName=DNS:localhost,IP:127.0.0.1 -out "$name.csr" \
            2>/dev/null
        ;;
    token)
        "$BUILD_DIR/tools/devid" keygen --device "$TOKEN_URI" --label "$2" \
            --algorithm "$2" --out "$name.key"
        share_token
        ;;&
    tpm)
        "$BUILD_DIR/tools/devid" keygen --algorithm "$2" --out "$name.key"
        ;;&
    tpm-handle)
        "$BUILD_DIR/tools/devid" keygen --algorithm "$2" --out "$name.key" \
            --persist "${HANDLES[$2]}"
        ;;&
    tpm | tpm-handle | token)
        "$BUILD_DIR/tools/devid" csr --key "$name.key" \
            --subject "/O=Acme/CN=$1-$2" --san DNS:localhost \
            --san IP:127.0.0.1 --out "$name.csr"
        ;;
    esac
    sign_csr "$name.csr" "$name.pem" both
    cat "$name.pem" "$name.key" >"$name.both"
    # The test's own: users that servers drop to must get at them.
    chmod 644 "$name".*
}

# start_peers: a web server with a key in software that demands a certificate
# of its clients, and one without TLS. Sets PEERS, by version, and PLAIN.
start_peers() {
    local version servers=''
    declare -gA PEERS=()
    PLAIN=$(free_port)
    mkdir "$WORK/peers"
    for version in "${VERSIONS[@]}"; do
        PEERS[$version]=$(free_port)
        # shellcheck disable=SC2016
        servers+="server {
            listen 127.0.0.1:${PEERS[$version]} ssl http2;
            ssl_certificate $WORK/soft-ec-p256.pem;
            ssl_certificate_key $WORK/soft-ec-p256.key;
            ssl_client_certificate $CA_DIR/ca.pem;
            ssl_verify_client on;
            ssl_protocols TLSv$version;
            root $WORK/peers;
            location = / {
                return 200 \"\$ssl_protocol \$ssl_cipher \$ssl_client_verify \$ssl_client_s_dn\\n\";
            }
        }"
    done
    cat >"$WORK/peers.conf" <<EOF
$(nginx_head "$WORK/peers")
    access_log off;
    $servers
    server {
        listen 127.0.0.1:$PLAIN;
        location = / { return 200 "served\n"; }
    }
}
EOF
    spawn peers env OPENSSL_CONF=/dev/null nginx -p "$WORK/peers" \
        -e "$WORK/peers.log" -g "error_log $WORK/peers.log info;" -c "$WORK/peers.conf"
    await "the peers" "$SPAWNED" port_is_open "$PLAIN"
}

# prepare: the build, a TPM, a token, a CA, identities, peers.
# shellcheck disable=SC2154
prepare() {
    local kind algorithm conf
    [[ ! $build ]] || build_project "$BUILD_DIR" || fail "devid does not build"
    harness_dir
    start_tpm --srk
    start_token
    make_ca "$WORK/ca"
    make_identity soft ec-p256
    for kind in "${kinds[@]}"; do
        for algorithm in "${ALGORITHMS[@]}"; do
            make_identity "$kind" "$algorithm"
            [[ $kind != tpm ]] || make_identity tpm-handle "$algorithm"
        done
    done
    for conf in printed first properties first-properties ours first-ours; do
        make_conf "$conf"
    done
    # From here on programs know the TPM by openssl.cnf alone.
    unset DEVID_TCTI TPM2TOOLS_TCTI
    chmod 644 "$TOKEN_PIN_FILE"
    start_peers
}
