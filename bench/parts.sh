# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The parts of bench/all, part_NAME for each. What a peer cannot do is left out
# of the results, and the page says "fails"; what devid cannot ends the run.
# lib.sh has the sizes of all, in capitals.
# shellcheck disable=SC2153

# fails KIND WHAT...: how a peer's failure is told; ours ends the run.
fails() {
    is_peer "$1" || fail "$1: ${*:2}"
    progress "  $1, ${*:2}: it fails"
}

# ---- counts --------------------------------------------------------------

# calls_reset: forget what reached the devices so far.
calls_reset() {
    trace_reset
    : >"$SPY_LOG"
}

# calls_record KEY KIND: what came since, and in which order, unless it is long.
calls_record() {
    local list count
    if on_token "$2"; then
        list=$(spy_list)
    else
        list=$(trace_list)
    fi
    count=$(wc -w <<<"$list")
    ((count > 0 && count < 60)) || list=-
    record "$1" "calls=$count list=${list// /,}"
}

# counted KEY KIND COMMAND...: what it asks of the device.
counted() {
    local key=$1 kind=$2
    shift 2
    calls_reset
    if "$@" >"$WORK/counted.out" 2>&1; then
        calls_record "$key" "$kind"
    else
        fails "$kind" "$key: $(tail -n 1 "$WORK/counted.out")"
    fi
}

# count_client ALGORITHM KIND: programs that begin and end.
count_client() {
    local program
    for program in curl req dgst; do
        counted "counts/$1/$2/$program" "$2" "${program}_with" "$1" "$2"
        tidy "$2"
    done
}

# count_server ALGORITHM KIND
count_server() {
    local key=counts/$1/$2
    peer_loads "$1" "$2" 1 || return 0
    calls_reset
    launch_server "$1" "$2" 1
    calls_record "$key/start" "$2"
    counted "$key/first" "$2" one_handshake
    counted "$key/next" "$2" one_handshake
    stop_server "$2"
}

part_counts() {
    local algorithm kind
    start_trace --name count
    spy_on
    for algorithm in "${ALGORITHMS[@]}"; do
        for kind in "${KINDS[@]:1}"; do
            count_server "$algorithm" "$kind"
        done
        start_verifier
        for kind in "${KINDS[@]:1}"; do
            count_client "$algorithm" "$kind"
        done
        stop_server software
    done
    spy_off
    stop_trace
}

# ---- handshakes ----------------------------------------------------------

# serve ALGORITHM KIND WORKERS: handshakes a second, by how many clients.
serve() {
    local clients
    start_server "$1" "$2" "$3" || return 0
    warm_up "$1" "$2"
    for clients in "${CLIENTS[@]}"; do
        measure "tls/$1/$2/$3/$clients" handshakes "$1" "$2" "$clients" ||
            fails "$2" "$1, $3 workers, $clients clients"
    done
    stop_server "$2"
}

# part_handshakes: what is compared stands side by side.
part_handshakes() {
    local round algorithm workers kind
    for ((round = 1; round <= ROUNDS; round++)); do
        progress " Round $round of $ROUNDS"
        for algorithm in "${ALGORITHMS[@]}"; do
            for workers in "${WORKERS[@]}"; do
                for kind in persistent blob; do
                    measure "bare/$algorithm/$kind/$workers" bare_tpm \
                        "$algorithm" "$kind" "$workers"
                done
                measure "bare/$algorithm/token/$workers" bare_token \
                    "$algorithm" "$workers"
                for kind in "${KINDS[@]}"; do
                    serve "$algorithm" "$kind" "$workers"
                done
            done
        done
    done
}

# ---- a program's cold start ----------------------------------------------

part_curl() {
    local i algorithm kind
    start_verifier
    for ((i = 0; i < TIMES; i++)); do
        for algorithm in "${ALGORITHMS[@]}"; do
            for kind in "${KINDS[@]}"; do
                timed "curl/$algorithm/$kind" curl_with "$algorithm" "$kind" ||
                    fails "$kind" "curl with $algorithm"
                tidy "$kind"
            done
        done
    done
    stop_server software
}

# ---- threads -------------------------------------------------------------

part_threads() {
    local algorithm threads kind
    for algorithm in "${ALGORITHMS[@]}"; do
        for threads in "${THREADS[@]}"; do
            measure "threads/$algorithm/bare-tpm/$threads" bare_tpm \
                "$algorithm" persistent "$threads"
            measure "threads/$algorithm/bare-token/$threads" bare_token \
                "$algorithm" "$threads"
            for kind in "${KINDS[@]}"; do
                measure "threads/$algorithm/$kind/$threads" threads_sign \
                    "$algorithm" "$kind" "$threads" ||
                    fails "$kind" "$algorithm in $threads threads"
                tidy "$kind"
            done
        done
    done
}

# ---- checked signatures --------------------------------------------------

# part_checks: a signature that is left to auto, and one that is always checked.
part_checks() {
    local round algorithm kind check
    for ((round = 1; round <= ROUNDS; round++)); do
        for algorithm in "${ALGORITHMS[@]}"; do
            for kind in persistent blob token; do
                for check in auto always; do
                    DEVID_CHECK_SIGNATURES=$check \
                        measure "checks/$algorithm/$kind/$check" threads_sign \
                        "$algorithm" "$kind" 1
                done
            done
        done
    done
}

# ---- a slow TPM ----------------------------------------------------------

# load_timed KEY NAME KIND WORKERS [COUNT]: how long nginx takes to load that.
load_timed() {
    local key=$1
    shift
    nginx_conf "$@"
    if timed "$key" nginx_loads "$2"; then
        tidy "$2"
        return
    fi
    tidy "$2"
    fails "$2" "$key: $(head -n 1 "$WORK/nginx.t")"
    return 1
}

# slow_server KIND DELAY: nginx's start, a worker's first handshake and others.
slow_server() {
    local key=delay/$1/$2 first next i
    load_timed "$key/start" ec-p256 "$1" 1 || return 0
    launch_server ec-p256 "$1" 1
    first=$(handshake_ms) && record "$key/first" "ms=$first"
    for i in 1 2 3; do
        next=$(handshake_ms) && record "$key/next" "ms=$next"
    done
    [[ ${next:-} ]] || fails "$1" "handshakes at $2 ms a command"
    stop_server "$1"
}

# part_delay: each command of the TPM takes so much longer, as a chip's does.
part_delay() {
    local delay kind
    start_trace --name delay
    for delay in "${DELAYS[@]}"; do
        fault "delay * $delay"
        for kind in "${TPM_KINDS[@]}"; do
            slow_server "$kind" "$delay"
        done
        start_verifier
        for kind in "${TPM_KINDS[@]}"; do
            timed "delay/$kind/$delay/curl" curl_with ec-p256 "$kind" ||
                fails "$kind" "curl at $delay ms a command"
            tidy "$kind"
        done
        stop_server software
    done
    stop_trace
}

# ---- many keys -----------------------------------------------------------

# pss_kb PID: print its memory, that which it shares divided by how many do.
pss_kb() {
    awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"
}

# many_keys KIND COUNT: how long nginx takes to load them, thrice, and what it
# and its worker have of the memory, which has made a handshake.
many_keys() {
    local key=keys/$1/$2 i pid=''
    for ((i = 0; i < 3; i++)); do
        load_timed "$key" k "$1" 1 "$2" || return 0
    done
    # A worker that is not yet there after ten seconds is no result.
    (($(awk -v key="$key" '$1 == key && $2 == "ms" { ms = $3 }
        END { printf "%d", ms }' "$RESULTS") < 8000)) || return 0
    launch_server k "$1" 1 "$2"
    pid=$(nginx_workers)
    if one_handshake; then
        record "$key" "master_kb=$(pss_kb "$NGINX_PID") worker_kb=$(pss_kb "$pid")"
    else
        fails "$1" "a handshake with $2 keys"
    fi
    stop_server "$1"
}

part_keys() {
    local count kind i
    progress " Making ${NGINX_KEYS[-1]} keys of each kind"
    for ((i = 1; i <= NGINX_KEYS[-1]; i++)); do
        make_key "k$i" ec-p256
    done
    share_keys
    for count in "${NGINX_KEYS[@]}"; do
        for kind in "${KINDS[@]}"; do
            [[ $kind == persistent ]] || many_keys "$kind" "$count"
        done
    done
}

# ---- a large token -------------------------------------------------------

# search_uri KIND: print a URI by which openssl finds the key.
search_uri() {
    local uri="pkcs11:token=$TOKEN_LABEL;object=large;type=private"
    [[ $1 != token ]] || uri+="?${TOKEN_URI#*\?}"
    echo "$uri"
}

# search_with KIND: openssl finds the key by its URI.
search_with() {
    local engine=()
    [[ $1 != libp11 ]] || engine=(-engine pkcs11 -inform engine)
    with_kind "$1" timeout 120 openssl pkey "${engine[@]}" \
        -in "$(search_uri "$1")" -noout
}

# look_around SIZE: what a key costs on a token of that size, by its file and by
# a URI.
look_around() {
    local kind i
    for kind in "${TOKEN_KINDS[@]}"; do
        spy_on
        counted "large/$kind/$1/curl" "$kind" curl_with large "$kind"
        counted "large/$kind/$1/uri" "$kind" search_with "$kind"
        spy_off
        for ((i = 0; i < 3; i++)); do
            timed "large/$kind/$1/curl" curl_with large "$kind" || true
            timed "large/$kind/$1/uri" search_with "$kind" || true
        done
    done
}

# part_large: on a token of its own, with one key, which is then the current one.
part_large() {
    start_trace --name large
    start_token large
    chmod 644 "$TOKEN_PIN_FILE"
    write_confs
    make_token_key large ec-p256
    share_keys
    start_verifier
    look_around few
    progress " Putting $OTHER_OBJECTS other keys on the token"
    fill_token "$OTHER_OBJECTS" keys
    share_token
    look_around many
    stop_server software
    stop_trace
}
