# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What bench/run and bench/token are made of: keys and configurations, one
# function for each kind of measurement, the list of what came out, and what
# their pages have in common.
#
# A result is a line "KEY METRIC VALUE" in $RESULTS, one for each round; a key
# says what was measured, as nginx/ec-p256/persistent/2 does.

# shellcheck source=../swtpm-ci/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../swtpm-ci/lib.sh"

SECONDS_EACH=5 ROUNDS=3 output=''

declare -A HANDLES=([ec-p256]=0x81000101 [rsa-2048]=0x81000102)

# progress TEXT...: one line for who waits; the page goes to standard output.
progress() {
    say "$*" >&2
}

# record KEY FIGURES: take down what a program printed, "rate=1.5 cpu_us=2".
record() {
    local figure
    progress "  $1: $2"
    for figure in $2; do
        printf '%s %s %s\n' "$1" "${figure%%=*}" "${figure#*=}" >>"$RESULTS"
    done
}

# measure KEY COMMAND...: run a measurement and record it; where other programs
# took more than 5 % of the cores meanwhile, again, three times at most, and
# record the least disturbed.
measure() {
    local key=$1 figures others best='' least=101 i
    shift
    for ((i = 0; i < 3; i++)); do
        figures=$("$@") || return 1
        others=${figures##*others_pct=}
        others=${others%%.*}
        if ((others < least)); then
            best=$figures least=$others
        fi
        ((least > 5)) || break
    done
    record "$key" "$best"
}

# last KEY METRIC: print what was recorded last under that name.
last() {
    awk -v key="$1" -v metric="$2" \
        '$1 == key && $2 == metric { value = $3 } END { print value }' \
        "$RESULTS"
}

# ---- a run ---------------------------------------------------------------

# number OPTION VALUE: print a whole number from 1 to 999.
number() {
    [[ $2 =~ ^[1-9][0-9]{0,2}$ ]] ||
        fail "$1 takes a number from 1 to 999, not \"$2\""
    echo "$2"
}

# options ARGUMENT...: what harness_options has left.
# shellcheck disable=SC2034 # the scripts read it
options() {
    while (($#)); do
        case $1 in
        --seconds | --rounds | --output)
            (($# > 1)) || fail "$1 needs a value"
            ;;&
        --seconds) SECONDS_EACH=$(number "$1" "$2") ;;
        --rounds) ROUNDS=$(number "$1" "$2") ;;
        --output) output=$2 ;;
        *)
            usage >&2
            exit 2
            ;;
        esac
        shift 2
    done
}

# bench_begin ARGUMENT...: take a script's options, and make its work directory.
# Sets BENCH, RESULTS.
bench_begin() {
    harness_options "$@"
    options "${ARGS[@]}"
    BENCH=$BUILD_DIR/bench
    [[ -x $BENCH/handshakes ]] ||
        fail "nothing to measure with in $BUILD_DIR: build it with" \
            "cmake -B $BUILD_DIR -DCMAKE_BUILD_TYPE=Release -DDEVID_BENCH=ON &&" \
            "cmake --build $BUILD_DIR"
    need nginx pgrep openssl
    [[ -z $output ]] || output=$(realpath -m "$output")

    harness_dir
    RESULTS=$WORK/results
}

# bench_end: what the script's write_page prints goes where it should.
bench_end() {
    write_page >"$WORK/page.md"
    if [[ $output ]]; then
        cp "$WORK/page.md" "$output"
        progress "Written: $output"
    else
        cat "$WORK/page.md"
    fi
}

# ---- keys ----------------------------------------------------------------

# certify KEY-NAME CONF: a certificate for $WORK/KEY-NAME.key, made by the CA.
certify() {
    OPENSSL_CONF=$2 openssl req -new -key "$WORK/$1.key" -subj "/CN=$1" \
        -out "$WORK/$1.csr"
    sign_csr "$WORK/$1.csr" "$WORK/$1.pem" server
}

# software_key ALGORITHM: print a new one.
software_key() {
    case $1 in
    ec-p256)
        plain_openssl genpkey -quiet -algorithm EC \
            -pkeyopt ec_paramgen_curve:P-256
        ;;
    rsa-2048)
        plain_openssl genpkey -quiet -algorithm RSA \
            -pkeyopt rsa_keygen_bits:2048
        ;;
    esac
}

# make_keys ALGORITHM: a key in software, two in the TPM, with certificates, as
# $WORK/ALGORITHM-software, -persistent and -blob; tpm2-openssl uses a copy of
# the blob, whose format it shares.
make_keys() {
    local devid=$BUILD_DIR/tools/devid
    software_key "$1" >"$WORK/$1-software.key"
    "$devid" keygen --algorithm "$1" --persist "${HANDLES[$1]}" \
        --out "$WORK/$1-persistent.key"
    "$devid" keygen --algorithm "$1" --parent "$SRK_HANDLE" \
        --out "$WORK/$1-blob.key"
    certify "$1-software" /dev/null
    certify "$1-persistent" "$WORK/devid.cnf"
    certify "$1-blob" "$WORK/devid.cnf"
    cp "$WORK/$1-blob.key" "$WORK/$1-tpm2-openssl.key"
    cp "$WORK/$1-blob.pem" "$WORK/$1-tpm2-openssl.pem"
}

# tpm2_openssl_conf FILE: the configuration in which Debian's tpm2-openssl works
# at nginx with the fewest TPM commands: hashes, ciphers and random numbers stay
# with OpenSSL.
tpm2_openssl_conf() {
    cat >"$1" <<'EOF'
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
alg_section = algorithm_sect
random = random_sect
[algorithm_sect]
default_properties = ?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes
[random_sect]
random = CTR-DRBG
properties = provider=default
[provider_sect]
default = on
tpm2 = on
[on]
activate = 1
EOF
}

# has_tpm2_openssl: whether that provider is installed.
has_tpm2_openssl() {
    [[ $(TPM2OPENSSL_TCTI=$DEVID_TCTI OPENSSL_CONF=$WORK/tpm2-openssl.cnf \
        openssl list -providers 2>&1) == *'TPM 2.0 Provider'* ]]
}

# conf_of KIND: print the OpenSSL configuration that such a key needs.
conf_of() {
    case $1 in
    software) echo /dev/null ;;
    *-openssl | *-provider | copied) echo "$WORK/$1.cnf" ;;
    *) echo "$WORK/devid.cnf" ;;
    esac
}

# ---- signatures ----------------------------------------------------------

# raw_sign ALGORITHM PLACE CLIENTS [PID,...]: sign with the TPM alone. Those
# processes are part of the measurement: they are no others that disturb it.
raw_sign() {
    local place=(--parent "$SRK_HANDLE")
    [[ $2 != persistent ]] || place=(--handle "${HANDLES[$1]}")
    "$BENCH/raw_sign" --tcti "$DEVID_TCTI" --algorithm "$1" "${place[@]}" \
        --clients "$3" --seconds "$SECONDS_EACH" --watch "tpm=$TPM_PID" \
        ${4:+--watch "beside=$4"}
}

# provider_sign ALGORITHM PLACE: sign with devid in one thread.
provider_sign() {
    OPENSSL_CONF=$WORK/devid.cnf "$BENCH/provider_sign" "$WORK/$1-$2.key" \
        "$SECONDS_EACH" "tpm=$TPM_PID"
}

# ---- handshakes ----------------------------------------------------------

# nginx_conf --key FILE --cert FILE --workers N: in place of the harness's.
# Clients show no certificate, and sessions are not resumed: the server's own
# signature is what there is to measure. Sets NGINX_DIR, NGINX_PORT.
nginx_conf() {
    local key=$2 cert=$4 workers=$6 user='' path paths=''
    NGINX_DIR=$WORK/nginx
    NGINX_PORT=$(free_port)
    mkdir -p "$NGINX_DIR"
    ((EUID)) || user="user ${NGINX_USER:-www-data};"
    for path in client_body proxy fastcgi uwsgi scgi; do
        paths+="${path}_temp_path $NGINX_DIR/$path; "
    done
    cat >"$NGINX_DIR/nginx.conf" <<EOF
daemon off;
$user
worker_processes $workers;
pid $NGINX_DIR/nginx.pid;
error_log $WORK/nginx.log error;
env TPM2OPENSSL_TCTI;
env TSS2_LOG;
env SOFTHSM2_CONF;
events { worker_connections 1024; }
http {
    access_log off;
    $paths
    server {
        listen 127.0.0.1:$NGINX_PORT ssl;
        ssl_certificate $cert;
        ssl_certificate_key $key;
        ssl_protocols TLSv1.3;
        ssl_session_cache off;
        ssl_conf_command NumTickets 0;
        keepalive_timeout 0;
        location / { return 204; }
    }
}
EOF
}

# nginx_workers: print their process ids, separated by commas.
nginx_workers() {
    # shellcheck disable=SC2153 # the harness sets it
    pgrep -d , -P "$NGINX_PID"
}

# nginx_has WORKERS: whether so many are there.
nginx_has() {
    [[ $(nginx_workers | tr , '\n' | wc -l) == "$1" ]]
}

# start_server ALGORITHM KIND WORKERS: nginx with that key.
start_server() {
    TPM2OPENSSL_TCTI=${DEVID_TCTI:-} TSS2_LOG=all+none \
        OPENSSL_CONF=$(conf_of "$2") start_nginx --key "$WORK/$1-$2.key" \
        --cert "$WORK/$1-$2.pem" --workers "$3"
    await "nginx's workers" "$NGINX_PID" nginx_has "$3"
}

# stop_server KIND: stop it. tpm2-openssl may leave its key in the TPM.
stop_server() {
    stop_nginx
    [[ $1 != tpm2-openssl ]] || tpm2_flushcontext -t
}

# handshakes ALGORITHM KIND: make as many as the nginx of start_server can.
handshakes() {
    OPENSSL_CONF=/dev/null "$BENCH/handshakes" --port "$NGINX_PORT" \
        --cert "$WORK/$1-$2.pem" --seconds "$SECONDS_EACH" \
        ${TPM_PID:+--watch "tpm=$TPM_PID"} --watch "nginx=$(nginx_workers)"
}

# measure_server ALGORITHM KIND WORKERS [PREFIX]: full handshakes a second. What
# tpm2-openssl cannot do is no failure of ours.
measure_server() {
    start_server "$1" "$2" "$3"
    measure "${4:-nginx}/$1/$2/$3" handshakes "$1" "$2" ||
        [[ $2 == tpm2-openssl ]] ||
        fail "no handshakes with $1, $2, $3 workers"
    stop_server "$2"
}

# sign_beside_tls ALGORITHM PLACE WORKERS RATE: sign with the TPM alone, by as
# many clients as there are workers, while the nginx of start_server does RATE
# handshakes a second.
sign_beside_tls() {
    local load status=0 tls
    OPENSSL_CONF=/dev/null "$BENCH/handshakes" --port "$NGINX_PORT" \
        --cert "$WORK/ec-p256-software.pem" --seconds 3600 \
        --rate "${4%.*}" >"$WORK/load" &
    load=$!
    raw_sign "$1" "$2" "$3" "$(nginx_workers),$load" >"$WORK/raw" || status=1
    kill "$load" && wait "$load" || status=1
    tls=$(grep -o 'rate=[^ ]*' "$WORK/load")
    echo "tls_$tls $(<"$WORK/raw")"
    return "$status"
}

# measure_beside ALGORITHM PLACE WORKERS: what is left of the TPM's rate where
# the machine also does as many handshakes a second as it did with that key, but
# with one in software.
measure_beside() {
    start_server ec-p256 software "$3"
    measure "beside/$1/$2/$3" sign_beside_tls "$1" "$2" "$3" \
        "$(last "nginx/$1/$2/$3" rate)"
    stop_server software
}

# ---- counts --------------------------------------------------------------

# one_handshake: with the nginx of start_server, by openssl alone.
one_handshake() {
    plain_openssl s_client -connect "127.0.0.1:$NGINX_PORT" -tls1_3 \
        </dev/null >"$WORK/s_client.log" 2>&1 ||
        fail "no handshake: $(tail -n 3 "$WORK/s_client.log")"
}

# count_commands ALGORITHM KIND: a line of the page's table: what the first and
# the second handshake at nginx ask of the TPM.
count_commands() {
    local first
    start_trace --name count
    start_server "$1" "$2" 1
    trace_reset
    one_handshake
    first=$(trace_list)
    trace_reset
    one_handshake
    printf '| %s | %s | %d | %s | %s |\n' "$1" "$2" "$(trace_count)" \
        "$(trace_list)" "$first" >>"$COMMANDS"
    stop_server "$2"
    stop_trace
}

# ---- the page ------------------------------------------------------------

# table NAME: one of figures.awk's, or of those in MORE_TABLES.
MORE_TABLES=()
table() {
    awk -f "$TOP/bench/figures.awk" "${MORE_TABLES[@]}" -v "table=$1" \
        -v "cores=$(nproc)" "$RESULTS"
}

# first_version COMMAND...: print the first version number of what it prints.
first_version() {
    "$@" 2>&1 | awk '!found && match($0, /[0-9]+(\.[0-9]+)+/) {
        print substr($0, RSTART, RLENGTH)
        found = 1
    }'
}

# package_version PACKAGE: print what Debian has installed, or nothing.
package_version() {
    dpkg-query -W -f '${Version}' "$1" 2>/dev/null |
        sed -E 's/^[0-9]*://;s/-[^-]*$//' || true
}

# machine: print its size.
machine() {
    local model memory
    model=$(sed -n 's/^model name[[:space:]]*: //p;T;q' /proc/cpuinfo)
    memory=$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
    echo "$(nproc) cores (${model:-$(uname -m)}), $memory, $(uname -sr)"
}
