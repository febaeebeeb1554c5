# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A line as it was before, for tests that try one thing many times; after
# line_common.sh.

# copy_database FROM TO: the database TO becomes what FROM is.
copy_database() {
    PGOPTIONS="-c client_min_messages=warning" \
        postgres_sql postgres "DROP DATABASE IF EXISTS $2"
    postgres_sql postgres "CREATE DATABASE $2 TEMPLATE $1"
}

# keep_ledger, ledger_as_kept: the station does not run.
keep_ledger() {
    if [[ $LEDGER == postgres ]]; then
        copy_database line kept
    else
        cp line/ledger.db* kept
    fi
}
ledger_as_kept() {
    if [[ $LEDGER == postgres ]]; then
        # It takes a moment to see that who was killed is gone.
        await "the killed station's connections to end" "$POSTGRES_PID" nobody
        copy_database kept line
    else
        rm -f line/ledger.db*
        cp kept/ledger.db* line
    fi
}
# nobody: is connected to the database line.
nobody() {
    [[ $(postgres_sql postgres "SELECT count(*) FROM pg_stat_activity
        WHERE datname = 'line'") == 0 ]]
}

# keep_state, as_kept: device, station and folder as they are now.
keep_state() {
    rm -rf kept
    mkdir kept
    if [[ ${TOKEN_DIR:-} ]]; then
        cp -a "$TOKEN_DIR" kept/token
    else
        restart_tpm TERM cp "$WORK/tpm/tpm2-00.permall" kept
    fi
    stop_station
    keep_ledger
    [[ ! -e id ]] || cp -a id id.* kept
    start_station
}
as_kept() {
    if [[ ${TOKEN_DIR:-} ]]; then
        rm -rf "$TOKEN_DIR"
        cp -a kept/token "$TOKEN_DIR"
    else
        restart_tpm TERM cp kept/tpm2-00.permall "$WORK/tpm/tpm2-00.permall"
    fi
    stop_station KILL
    rm -rf id id.*
    ledger_as_kept
    [[ ! -e kept/id ]] || cp -a kept/id kept/id.* .
    start_station
}
