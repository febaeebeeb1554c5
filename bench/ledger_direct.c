/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with a ledger's database behind the ledger's back. */
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "ledger_load.h"
#include "measure.h"

/* ---- the bare loop ----------------------------------------------------- */

static void exec_sqlite(sqlite3 *sqlite, const char *sql)
{
    if (sqlite3_exec(sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(sqlite));
}

static long bare_sqlite(const char *path, uint64_t until)
{
    static const char zeros[LEDGER_LOAD_CERT_LEN];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *insert = NULL;
    long count = 0;

    if (sqlite3_open(path, &sqlite) != SQLITE_OK)
        die("no such file");
    exec_sqlite(sqlite, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                        "CREATE TABLE IF NOT EXISTS bare "
                        "(id INTEGER PRIMARY KEY, data BLOB)");
    sqlite3_prepare_v2(sqlite, "INSERT INTO bare (data) VALUES (?)", -1,
                       &insert, NULL);
    for (; measure_now_ns() < until; count++) {
        sqlite3_bind_blob(insert, 1, zeros, sizeof(zeros), SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE)
            die(sqlite3_errmsg(sqlite));
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    sqlite3_close(sqlite);
    return count;
}

static void check(PGconn *conn, PGresult *result)
{
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        die(PQerrorMessage(conn));
    PQclear(result);
}

static long bare_postgres(const char *url, uint64_t until)
{
    static const char zeros[LEDGER_LOAD_CERT_LEN];
    const char *const values[] = {zeros};
    const int lengths[] = {sizeof(zeros)};
    const int formats[] = {1};
    PGconn *conn = PQconnectdb(url);
    long count = 0;

    check(conn, PQexec(conn, "SET client_min_messages = warning"));
    check(conn, PQexec(conn, "CREATE TABLE IF NOT EXISTS bare "
                             "(id BIGSERIAL PRIMARY KEY, data BYTEA)"));
    check(conn, PQprepare(conn, "bare", "INSERT INTO bare (data) VALUES ($1)",
                          1, NULL));
    for (; measure_now_ns() < until; count++)
        check(conn,
              PQexecPrepared(conn, "bare", 1, values, lengths, formats, 0));
    PQfinish(conn);
    return count;
}

void bare(const char *url, double seconds)
{
    uint64_t start = measure_now_ns();
    uint64_t until = start + (uint64_t)(seconds * MEASURE_NS_PER_S);
    long count = strstr(url, "://") ? bare_postgres(url, until)
                                    : bare_sqlite(url, until);

    printf("rate=%.1f\n", (double)count * MEASURE_NS_PER_S /
                              (double)(measure_now_ns() - start));
}

/* ---- rows -------------------------------------------------------------- */

/* As many rows as `wanted` says, "i" each, ten thousand a batch; random hex; a
 * certificate's room. */
#define FILL(rows, hex8, hex16, hex32, id, cert)                               \
    "INSERT INTO unit (id, serial, model, mac, batch, operator_name, "         \
    "station, ek_digest, iak_name, idevid_name, state, attested, "             \
    "generation, enrolled_ms, changed_ms, challenge_digest, "                  \
    "challenge_expires_ms, hw_serial, ek_cert, reason, revision) SELECT " id   \
    ", " hex8 ", 'M', " hex8                                                   \
    ", 'B-' || CAST(i / 10000 AS TEXT), '', 'filled', " hex32 ", " hex32       \
    ", " hex32 ", 'locked', 1, 1, i, i, '', 0, '', " cert ", 0, 1 FROM " rows  \
    ";"                                                                        \
    "INSERT INTO certificate (number, subject, generation, expires_ms, "       \
    "revoked_ms, reason) SELECT " hex16 ", " id ", 1, 0, 0, 0 FROM " rows ", " \
    "(SELECT 1 UNION ALL SELECT 2) two;"                                       \
    "INSERT INTO audit (station, seq, time_ms, event, subject, revision, "     \
    "serial, peer, detail, row_digest, hash) SELECT 'filled', i, i, "          \
    "'enrol', " id ", 1, '', '', '', " hex32 ", " hex32 " FROM " rows ";"

#define POSTGRES_HEX "encode(sha256((i::text || random()::text)::bytea), 'hex')"

static const char fill_sqlite[] =
    FILL("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
         "WHERE i < (SELECT count FROM wanted)) SELECT i FROM n)",
         "hex(randomblob(8))", "hex(randomblob(16))", "hex(randomblob(32))",
         "printf('%032x', i)", "zeroblob(1024)");
static const char fill_postgres[] = FILL(
    "generate_series(1, (SELECT count FROM wanted)) i",
    "left(" POSTGRES_HEX ", 16)", "left(" POSTGRES_HEX ", 32)", POSTGRES_HEX,
    "lpad(to_hex(i), 32, '0')", "decode(repeat('00', 1024), 'hex')");

static void fill_file(const char *path, const char *wanted)
{
    sqlite3 *sqlite = NULL;

    if (sqlite3_open(path, &sqlite) != SQLITE_OK)
        die("no such file");
    /* Nobody mourns it where this breaks off. */
    exec_sqlite(sqlite, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                        "PRAGMA cache_size = -400000");
    exec_sqlite(sqlite, wanted);
    exec_sqlite(sqlite, fill_sqlite);
    sqlite3_close(sqlite);
}

void fill_rows(const char *url, long rows)
{
    char wanted[100];
    PGconn *conn;

    snprintf(wanted, sizeof(wanted),
             "CREATE TEMP TABLE wanted AS SELECT CAST(%ld AS BIGINT) AS count",
             rows);
    if (!strstr(url, "://")) {
        fill_file(url, wanted);
        return;
    }
    conn = PQconnectdb(url);
    PQclear(PQexec(conn, wanted));
    check(conn, PQexec(conn, fill_postgres));
    check(conn, PQexec(conn, "VACUUM ANALYZE"));
    check(conn, PQexec(conn, "CHECKPOINT"));
    PQfinish(conn);
}
