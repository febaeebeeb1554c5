# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What bench/all is made of: its options, the build, and the list of results.
#
# A result is a line "KEY METRIC VALUE", between tabs, in $RESULTS, one for each
# round; a key says what was measured, as tls/ec-p256/persistent/2/16 does. What
# the machine has and what ran are lines "NAME TEXT" in $FACTS. Both are files in a
# directory of the system's name.

# The other files read what is set here; os-release sets NAME.
# shellcheck disable=SC2034,SC2153
# shellcheck source=../swtpm-ci/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../swtpm-ci/lib.sh"

PARTS=(counts handshakes curl threads checks delay keys large)
ONLY=() SECONDS_EACH=1 ROUNDS=2 REPEATS=2 OUTPUT=''
RESULTS_DIR='' PART='' QUICK='' BUILD=1 MEASURE=1 REPORT=1

# What --quick makes smaller.
ALGORITHMS=(ec-p256 rsa-2048)
WORKERS=(1 2 4)
CLIENTS=(1 2 4 8 16)
THREADS=(1 2 4 8 16)
NGINX_KEYS=(1 10 100)
DELAYS=(0 10 50 100)
TIMES=15
OTHER_OBJECTS=2000

# ---- options -------------------------------------------------------------

# number OPTION VALUE: print a whole number from 1 to 999.
number() {
    [[ $2 =~ ^[1-9][0-9]{0,2}$ ]] ||
        fail "$1 takes a number from 1 to 999, not \"$2\""
    echo "$2"
}

# parts_of TEXT: set ONLY to the parts in it, separated by commas.
parts_of() {
    local part
    IFS=, read -ra ONLY <<<"$1"
    for part in "${ONLY[@]}"; do
        [[ " ${PARTS[*]} " == *" $part "* ]] ||
            fail "--only takes some of ${PARTS[*]}, by commas, not \"$part\""
    done
}

# quick: a smoke test, whose figures say nothing.
quick() {
    QUICK=1 ROUNDS=1 REPEATS=1 TIMES=2 OTHER_OBJECTS=100
    ALGORITHMS=(ec-p256)
    WORKERS=(1 2)
    CLIENTS=(1 16)
    THREADS=(1 16)
    NGINX_KEYS=(1 10)
    DELAYS=(0 10)
}

# options ARGUMENT...: what harness_options and chroot_options have left.
options() {
    while (($#)); do
        case $1 in
        --only | --part | --seconds | --rounds | --results | --output)
            (($# > 1)) || fail "$1 needs a value"
            ;;&
        --only) parts_of "$2" ;;
        --part) parts_of "$2" && PART=$2 ;;
        --seconds) SECONDS_EACH=$(number "$1" "$2") ;;
        --rounds) ROUNDS=$(number "$1" "$2") ;;
        --results) RESULTS_DIR=$(realpath -m "$2") ;;
        --output) OUTPUT=$(realpath -m "$2") ;;
        --quick) quick ;;
        --no-build) BUILD='' ;;
        --measure-only) REPORT='' ;;
        --report-only) MEASURE='' ;;
        *)
            usage >&2
            exit 2
            ;;
        esac
        case $1 in
        --only | --part | --seconds | --rounds | --results | --output) shift ;;
        esac
        shift
    done
    ((${#ONLY[@]})) || ONLY=("${PARTS[@]}")
    # Figures that say nothing stay out of docs, and of other results.
    if [[ $QUICK ]]; then
        OUTPUT=${OUTPUT:-$BUILD_DIR/quick}
        RESULTS_DIR=${RESULTS_DIR:-$BUILD_DIR/quick}
    fi
    OUTPUT=${OUTPUT:-$TOP/docs}
    RESULTS_DIR=${RESULTS_DIR:-$BUILD_DIR/results}
    SYSTEM_DIR=$RESULTS_DIR/$(system_name)
}

# wanted PART
wanted() {
    [[ " ${ONLY[*]} " == *" $1 "* ]]
}

# ---- the build -----------------------------------------------------------

# Programs of the build that the parts run.
TARGETS=(devid devid_provider tpm-proxy pkcs11-spy fill_token raw_sign raw_token
    provider_sign handshakes)

# build: bring them up to date in BUILD_DIR, optimized.
build() {
    local log=$BUILD_DIR/bench.log
    mkdir -p "$BUILD_DIR"
    progress "Building"
    if ! { cmake -G Ninja -S "$TOP" -B "$BUILD_DIR" -DDEVID_BENCH=ON \
        -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$BUILD_DIR" --target "${TARGETS[@]}"; } >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        fail "the build failed; it must succeed before anything is measured"
    fi
}

# ---- results -------------------------------------------------------------

# progress TEXT...: one line for who waits.
progress() {
    say "$*" >&2
}

# record KEY FIGURES: take down what a program printed, "rate=1.5 cpu_us=2".
record() {
    local figure
    progress "  $1: $2"
    for figure in $2; do
        printf '%s\t%s\t%s\n' "$1" "${figure%%=*}" "${figure#*=}" >>"$RESULTS"
    done
}

# fact NAME TEXT...: take down what the page tells of the system.
fact() {
    printf '%s\t%s\n' "$1" "${*:2}" >>"$FACTS"
}

# measure KEY COMMAND...: run a measurement and record it; where other programs
# took more than 5 % of the cores meanwhile, again, REPEATS times at most, and
# record the least disturbed.
measure() {
    local key=$1 figures others best='' least=101 i
    shift
    for ((i = 0; i < REPEATS; i++)); do
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

# timed KEY COMMAND...: how long it takes, and what of the CPU, in ms. False, and
# nothing recorded, where it fails.
timed() {
    local key=$1 TIMEFORMAT='%R %U %S' log=$WORK/timed.out
    shift
    { time "$@" >"$log" 2>&1; } 2>"$WORK/timed" || return 1
    record "$key" "$(tail -n 1 "$WORK/timed" | awk '{
        printf "ms=%.0f cpu_ms=%.0f", $1 * 1000, ($2 + $3) * 1000 }')"
}

# ---- what there is -------------------------------------------------------

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

# package_fact NAME PACKAGE: ", NAME VERSION" where that package is installed.
package_fact() {
    local version
    version=$(package_version "$2")
    printf '%s' "${version:+, $1 $version}"
}

# system_name: print this system's, as results are named by it: debian-12.
system_name() {
    # shellcheck source=/dev/null
    (source /etc/os-release && echo "${ID:-system}-${VERSION_ID:-unstable}")
}

# machine: print its size.
machine() {
    local model memory
    model=$(sed -n 's/^model name[[:space:]]*: //p;T;q' /proc/cpuinfo)
    memory=$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
    echo "$(nproc) cores (${model:-$(uname -m)}), $memory"
}

# facts: take down all that the page tells of this system.
facts() {
    # shellcheck source=/dev/null
    fact name "$(source /etc/os-release && echo "${NAME%% *} ${VERSION_ID:-}")"
    fact when "$(date -u +%F)"
    fact machine "$(machine)"
    fact software "devid $(first_version "$BUILD_DIR/tools/devid" --version)," \
        "OpenSSL $(first_version openssl version)," \
        "nginx $(first_version nginx -v), curl $(first_version curl --version)," \
        "tpm2-tss $(first_version pkg-config --modversion tss2-esys)," \
        "swtpm $(first_version swtpm --version)," \
        "SoftHSM $(first_version softhsm2-util --version)$(
            package_fact tpm2-openssl tpm2-openssl
            package_fact pkcs11-provider pkcs11-provider
            package_fact libp11 libengine-pkcs11-openssl)"
    fact took "$SECONDS_EACH s, $ROUNDS rounds${QUICK:+, quick}"
}
