# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The test harness, for scripts in bash: a work directory, processes that end
# with the script, checks. It brings in lib-tpm.sh (TPMs, traces, a resource
# manager), lib-token.sh (PKCS#11 tokens) and lib-tls.sh (a CA, OpenSSL configuration,
# nginx, curl) and lib-postgres.sh (a database server).
#
#     source "$(dirname "$0")/../swtpm-ci/lib.sh"
#     harness_options "$@"
#     harness_dir
#     start_tpm --srk
#
# Everything runs as root and as an ordinary user, on loopback alone, on ports
# that were free, so any number of scripts may run at once.
#
# A function that starts something sets variables and stops it at the script's
# end, so call it plainly, never in a subshell or as $(function).
#
# From the environment:
#   BUILD_DIR  the build to test (default: build beside this directory)
#   KEEP=1     keep the work directory
set -euo pipefail

HARNESS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$HARNESS")
BUILD_DIR=$(realpath -m "${BUILD_DIR:-$TOP/build}")
WORK=
STARTED=()
# Where Debian has nginx and tpm2-abrmd; an ordinary user's PATH lacks it.
PATH=$PATH:/usr/sbin:/sbin

# say TEXT...: one line of progress.
say() {
    printf '%s\n' "$*"
}

# fail TEXT...: say why, and end the script.
fail() {
    printf 'FAIL: %s\n' "$*" >&2
    exit 1
}

# need COMMAND...: fail where a program is missing.
need() {
    local name
    for name in "$@"; do
        command -v "$name" >/dev/null ||
            fail "$name is not installed; run swtpm-ci/install"
    done
}

# usage: print the comment at the head of the script that runs.
usage() {
    sed -n '2,/^[^#]/{/^#/!q;/SPDX/d;s/^# \{0,1\}//p}' "$0" | sed '1{/^$/d}'
}

# harness_options ARGUMENT...: take --build-dir DIR, --keep and --help from a
# script's arguments; the others are left in the array ARGS.
harness_options() {
    ARGS=()
    while (($#)); do
        case $1 in
        --build-dir)
            (($# > 1)) || fail "--build-dir needs a directory"
            BUILD_DIR=$(realpath -m "$2")
            shift
            ;;
        --build-dir=*) BUILD_DIR=$(realpath -m "${1#*=}") ;;
        --keep) KEEP=1 ;;
        --help)
            usage
            exit 0
            ;;
        --)
            ARGS+=("$@")
            break
            ;;
        *) ARGS+=("$1") ;;
        esac
        shift
    done
}

# report_option ARGUMENT...: take --report FILE, a file that figures are appended
# to, from a script's arguments. Sets REPORT ("": none) and ARGS, the others.
report_option() {
    REPORT='' ARGS=()
    while (($#)); do
        if [[ $1 == --report ]]; then
            (($# > 1)) || fail "--report needs a file"
            REPORT=$(realpath -m "$2")
            shift
        else
            ARGS+=("$1")
        fi
        shift
    done
}

# report PROMISE TEST FIGURE: a line for tests/assurance, where one is wanted.
report() {
    [[ ! $REPORT ]] || printf '%s\t%s\t%s\n' "$@" >>"$REPORT"
}

# harness_dir: make the work directory. Sets WORK. At the script's end every
# process started is stopped and the directory removed, unless KEEP=1.
harness_dir() {
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/devid.XXXXXXXX")
    # Workers of a master that is root run as www-data and must get in.
    ((EUID)) || chmod 755 "$WORK"
    trap harness_end EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# harness_end: the one trap. A script that failed shows its programs' last
# words first.
harness_end() {
    local status=$? i log
    trap - EXIT HUP INT TERM
    for ((i = ${#STARTED[@]} - 1; i >= 0; i--)); do
        halt "${STARTED[i]}"
    done
    if ((status)); then
        for log in "$WORK"/*.log; do
            [[ -s $log ]] && tail -n 15 "$log" | sed "s|^|${log##*/}: |" >&2
        done
    fi
    if [[ ${KEEP:-} ]]; then
        say "Kept: $WORK"
    else
        rm -rf "$WORK"
    fi
    exit "$status"
}

# Options of setpriv(1) that take rights from programs that spawn starts.
SPAWN_RIGHTS=()

# spawn NAME COMMAND...: start a program in the background; its output goes to
# $WORK/NAME.log. Sets SPAWNED to its process id.
spawn() {
    local log=$WORK/$1.log
    shift
    # The death signal serves where this script is killed and no trap runs.
    setpriv --pdeathsig TERM "${SPAWN_RIGHTS[@]}" -- "$@" </dev/null \
        >>"$log" 2>&1 &
    SPAWNED=$!
    STARTED+=("$SPAWNED")
}

# halt PID [SIGNAL]: stop a program that spawn started (SIGNAL: TERM) and wait
# for it; after ten seconds it is killed.
halt() {
    local i pid left=()
    # Bash reports a death by KILL on the standard error of this shell.
    {
        kill -"${2:-TERM}" "$1" || true
        for ((i = 0; i < 500; i++)); do
            kill -0 "$1" || break
            sleep 0.02
        done
        kill -KILL "$1" || true
        wait "$1" || true
    } 2>/dev/null
    for pid in "${STARTED[@]}"; do
        [[ $pid == "$1" ]] || left+=("$pid")
    done
    STARTED=("${left[@]}")
}

# await WHAT PID COMMAND...: run COMMAND until it succeeds; fail where it does
# not within ten seconds or the process PID, which should bring it about, ends.
await() {
    local what=$1 pid=$2 i
    shift 2
    for ((i = 0; i < 500; i++)); do
        "$@" && return
        kill -0 "$pid" 2>/dev/null || fail "waited for $what, which ended"
        sleep 0.02
    done
    fail "waited ten seconds for $what"
}

# kill_when PID COMMAND...: kill that process, which runs in the background, as
# soon as COMMAND succeeds. False: it ended before.
kill_when() {
    local i pid=$1
    shift
    for ((i = 0; i < 3000; i++)); do
        if "$@"; then
            kill -KILL "$pid" 2>/dev/null || true
            wait "$pid" 2>/dev/null || true
            return
        fi
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.01
    done
    fail "waited thirty seconds for $*"
}

# port_is_free PORT: no socket of this machine has it, in whatever state.
port_is_free() {
    awk -v port="$(printf ':%04X' "$1")" \
        '$2 ~ port "$" { taken = 1 } END { exit taken }' \
        /proc/net/tcp /proc/net/tcp6
}

# free_port [COUNT]: print the first of COUNT (1) free ports in a row. They lie
# below the range that outgoing connections take theirs from.
free_port() {
    local count=${1:-1} i port offset
    for ((i = 0; i < 100; i++)); do
        port=$((10000 + SRANDOM % 20000))
        for ((offset = 0; offset < count; offset++)); do
            port_is_free $((port + offset)) || continue 2
        done
        echo "$port"
        return
    done
    fail "found no free port"
}

# listens PID PORT: whether that process listens on that port. It connects
# nowhere: a swtpm serves one connection, which would be taken from a client.
listens() {
    local inode
    inode=$(awk -v port="$(printf ':%04X' "$2")" \
        '$2 ~ port "$" && $4 == "0A" { print $10; exit }' /proc/net/tcp)
    # One that allows no core dumps shows its files to root alone: that somebody
    # listens on the port that was free for it must do.
    [[ ! $inode || $(open_file_of "$1" '*') ]] || return 0
    [[ $inode && $(open_file_of "$1" "socket:\[$inode\]") ]]
}

# open_file_of PID PATTERN: print one descriptor of a process that is open to a
# file whose name matches; nothing where it shows none.
open_file_of() {
    find "/proc/$1/fd" -lname "$2" -print -quit 2>/dev/null || true
}

# await_port PID PORT: wait until the process listens; false where it ended
# instead, as it does when another program was faster to take the port.
await_port() {
    local i
    for ((i = 0; i < 500; i++)); do
        listens "$1" "$2" && return
        kill -0 "$1" 2>/dev/null || return 1
        sleep 0.02
    done
    fail "process $1 did not listen on port $2 within ten seconds"
}

# assert_equal WHAT EXPECTED GOT
assert_equal() {
    [[ $2 == "$3" ]] || fail "$1: expected \"$2\", got \"$3\""
    say "  ok: $1"
}

# assert_contains WHAT PART TEXT
assert_contains() {
    [[ $3 == *"$2"* ]] || fail "$1: expected \"$2\" in \"$3\""
    say "  ok: $1"
}

# assert_fails WHAT COMMAND...: COMMAND must end with an error of its own, not
# be killed by a signal. Sets OUTPUT to what it wrote to both streams.
assert_fails() {
    local what=$1 status=0
    shift
    OUTPUT=$("$@" 2>&1) || status=$?
    ((status)) || fail "$what: expected a failure, it succeeded: $OUTPUT"
    ((status < 128)) || fail "$what: ended by signal $((status - 128))"
    say "  ok: $what"
}

# build_project DIR [CMAKE OPTION...] [--target TARGET...]: configure and build the
# source tree in DIR, or those targets of it, quietly; where it fails, show the end
# of $DIR/build.log. False then.
build_project() {
    local dir=$1 options=()
    shift
    while (($#)) && [[ $1 != --target ]]; do
        options+=("$1")
        shift
    done
    mkdir -p "$dir"
    if cmake -G Ninja -S "$TOP" -B "$dir" "${options[@]}" >"$dir/build.log" 2>&1 &&
        cmake --build "$dir" "$@" >>"$dir/build.log" 2>&1; then
        return
    fi
    tail -n 40 "$dir/build.log" >&2
    return 1
}

# shellcheck source=lib-tpm.sh
source "$HARNESS/lib-tpm.sh"
# shellcheck source=lib-token.sh
source "$HARNESS/lib-token.sh"
# shellcheck source=lib-tls.sh
source "$HARNESS/lib-tls.sh"
# shellcheck source=lib-postgres.sh
source "$HARNESS/lib-postgres.sh"
