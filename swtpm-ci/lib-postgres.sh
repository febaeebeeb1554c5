# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A PostgreSQL for tests: a cluster of its own in the work directory, on a Unix
# socket alone. Part of lib.sh.
#
# The server refuses to run as root.

# postgres_bin: print the directory of the newest server that is installed.
postgres_bin() {
    local bin
    bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    [[ -x $bin/postgres ]] ||
        fail "PostgreSQL's server is not installed; run swtpm-ci/install"
    printf '%s\n' "$bin"
}

# not_root: fill NOT_ROOT with what goes before a command that root may not run,
# see not_root.c.
not_root() {
    NOT_ROOT=()
    ((EUID)) || NOT_ROOT=(env "LD_PRELOAD=$BUILD_DIR/swtpm-ci/not_root.so")
}

# start_postgres [SETTING=VALUE...]: make a cluster and start it. What it has
# committed is not synced unless fsync=on is given: a killed server loses
# nothing by it, a power cut would. Sets POSTGRES_DIR, POSTGRES_URL (of the
# database postgres), and what launch_postgres sets.
start_postgres() {
    not_root
    POSTGRES_BIN=$(postgres_bin)
    POSTGRES_DIR=$WORK/postgres
    POSTGRES_SETTINGS=(-c fsync=off "${@/#/-c}")
    # A path of a socket has 107 bytes; TMPDIR may be deep.
    POSTGRES_SOCKET=$WORK/pg
    ((${#POSTGRES_SOCKET} < 80)) ||
        fail "$WORK is too long a name for a socket of PostgreSQL's in it"
    mkdir -m 700 "$POSTGRES_SOCKET"
    mkdir -m 700 "$POSTGRES_DIR"
    ((EUID)) || chown 65534 "$POSTGRES_DIR"
    "${NOT_ROOT[@]}" "$POSTGRES_BIN/initdb" --no-sync --auth=trust \
        --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
        --pgdata="$POSTGRES_DIR" >"$WORK/initdb.log" 2>&1 ||
        fail "initdb: $(tail -n 3 "$WORK/initdb.log")"
    # shellcheck disable=SC2034 # scripts read it
    POSTGRES_URL="postgresql:///postgres?host=$POSTGRES_SOCKET&user=postgres"
    launch_postgres
}

# launch_postgres: run the server of start_postgres, again where it was stopped.
# Sets POSTGRES_PID.
launch_postgres() {
    spawn postgres "${NOT_ROOT[@]}" "$POSTGRES_BIN/postgres" \
        -D "$POSTGRES_DIR" -k "$POSTGRES_SOCKET" -c listen_addresses= \
        -c max_connections=60 "${POSTGRES_SETTINGS[@]}"
    POSTGRES_PID=$SPAWNED
    await "PostgreSQL" "$POSTGRES_PID" postgres_answers
}

# postgres_answers: whether it does.
postgres_answers() {
    "$POSTGRES_BIN/pg_isready" -q -h "$POSTGRES_SOCKET" -U postgres -t 1
}

# postgres_sql DATABASE [SQL]: run it, or what is on standard input, and print
# what it says.
postgres_sql() {
    "$POSTGRES_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$POSTGRES_SOCKET" \
        -U postgres -d "$1" ${2+-c "$2"}
}

# stop_postgres [SIGNAL]: stop it: INT throws its clients out, KILL is a crash.
stop_postgres() {
    halt "$POSTGRES_PID" "${1:-INT}"
}
