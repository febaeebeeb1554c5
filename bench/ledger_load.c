/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolments a second on a ledger, and what the same database does with a bare
 * loop that commits a row at a time.
 *
 *   ledger_load fill URL ROWS            so many units, of a station "filled",
 *                                        without a chain: nothing verifies it
 *   ledger_load enrol URL CLIENTS SECONDS
 *   ledger_load bare URL SECONDS         INSERT of 1 kB and COMMIT, again and
 *                                        again, into a table of its own
 *
 * Prints "rate=1234.5"; enrol also "cpu_us=80.1": what an enrolment takes of
 * the processor, here and in PostgreSQL's process for it, which other programs
 * disturb less than the rate.
 */
#include <libpq-fe.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ledger.h"
#include "measure.h"

enum {
    CLIENTS_MAX = 256,
    CERT_LEN = 1024, /* an EK's certificate, and the bare row */
    QUOTA = 1000000000,
};

_Noreturn static void die(const char *why)
{
    fprintf(stderr, "ledger_load: %s\n", why);
    exit(1);
}

static struct ledger *open_ledger(const char *url)
{
    struct ledger_spec spec = {
        .url = url, .station = "bench", .create = true, .lease = 4096};
    struct ledger_job job = {
        .op = LEDGER_OPEN_BATCH,
        .batch = {
            .name = "B", .product = "M", .token_digest = "t", .quota = QUOTA}};
    struct ledger *ledger = NULL;
    struct devid_error err;

    spec.key = EVP_EC_gen("P-256");
    if (!spec.key || ledger_open(&spec, &ledger, &err))
        die(spec.key ? err.text : "no key");
    EVP_PKEY_free(spec.key);
    if (ledger_do(ledger, &job) == LEDGER_FAILED)
        die(job.error.text);
    return ledger;
}

/* ---- clients ----------------------------------------------------------- */

static struct ledger *ledger;
static atomic_long enrolled;
static uint64_t end_ns;

static void random_hex(char *text, size_t bytes)
{
    uint8_t data[64];

    if (RAND_bytes(data, (int)bytes) != 1)
        die("no random numbers");
    for (size_t i = 0; i < bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", data[i]);
}

static void fill_unit(struct ledger_unit *unit)
{
    strcpy(unit->model, "M");
    strcpy(unit->batch, "B");
    random_hex(unit->serial, 8);
    random_hex(unit->mac, 6);
    random_hex(unit->ek_digest, 32);
    random_hex(unit->iak_name, 34);
    random_hex(unit->idevid_name, 34);
    random_hex(unit->challenge_digest, 32);
    unit->state = UNIT_CERTIFIED;
    unit->attested = true;
    unit->ek_cert.len = CERT_LEN;
    unit->ek_cert.data = OPENSSL_zalloc(CERT_LEN);
}

static void *be_client(void *arg)
{
    (void)arg;
    while (measure_now_ns() < end_ns) {
        struct ledger_job job = {.op = LEDGER_ENROL, .peer = "192.0.2.1"};
        fill_unit(&job.unit);
        if (ledger_do(ledger, &job) != LEDGER_DONE)
            die(job.error.text);
        ledger_unit_clear(&job.unit);
        enrolled++;
    }
    return NULL;
}

static void run_clients(int count)
{
    static pthread_t threads[CLIENTS_MAX];

    for (int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, be_client, NULL))
            die("no thread");
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* Of a process, in microseconds: fields 14 and 15 of proc(5)'s stat. */
static double cpu_of_pid(const char *pid)
{
    unsigned long user = 0;
    unsigned long system = 0;
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    file = fopen(path, "r");
    if (!file ||
        fscanf(file,
               "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
               "%lu %lu",
               &user, &system) != 2)
        die("no such process");
    fclose(file);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

/* This process and, of PostgreSQL, those that serve the ledger. */
static double cpu_us(const char *url)
{
    double total = (double)clock() * 1e6 / CLOCKS_PER_SEC;
    PGresult *result;
    PGconn *conn;

    if (!strstr(url, "://"))
        return total;
    conn = PQconnectdb(url);
    result = PQexec(conn, "SELECT pid FROM pg_stat_activity WHERE "
                          "application_name = 'devid-station'");
    for (int i = 0; i < PQntuples(result); i++)
        total += cpu_of_pid(PQgetvalue(result, i, 0));
    PQclear(result);
    PQfinish(conn);
    return total;
}

static double run_for(int clients, double seconds)
{
    uint64_t start = measure_now_ns();

    enrolled = 0;
    end_ns = start + (uint64_t)(seconds * MEASURE_NS_PER_S);
    run_clients(clients);
    return (double)enrolled * MEASURE_NS_PER_S /
           (double)(measure_now_ns() - start);
}

static void enrol(const char *url, int clients, double seconds)
{
    double cpu;
    double rate;

    ledger = open_ledger(url);
    if (clients < 1 || clients > CLIENTS_MAX)
        die("CLIENTS is 1 to 256");
    (void)run_for(clients, MEASURE_WARM_UP_S);
    cpu = cpu_us(url);
    rate = run_for(clients, seconds);
    cpu = cpu_us(url) - cpu;
    printf("rate=%.1f cpu_us=%.1f\n", rate, cpu / (double)enrolled);
    ledger_close(&ledger);
}

/* ---- the bare loop ----------------------------------------------------- */

static void exec_sqlite(sqlite3 *sqlite, const char *sql)
{
    if (sqlite3_exec(sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(sqlite));
}

static long bare_sqlite(const char *path, uint64_t until)
{
    static const char zeros[CERT_LEN];
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
    static const char zeros[CERT_LEN];
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

/* ---- rows -------------------------------------------------------------- */

/* As many rows as `wanted` says, "i" each; random hex; a certificate's room. */
#define FILL(rows, hex8, hex32, id, cert)                                      \
    "INSERT INTO unit (id, serial, model, mac, batch, operator_name, "         \
    "station, ek_digest, iak_name, idevid_name, state, attested, "             \
    "generation, enrolled_ms, changed_ms, challenge_digest, "                  \
    "challenge_expires_ms, hw_serial, ek_cert, reason, revision) SELECT " id   \
    ", " hex8 ", 'M', " hex8 ", 'B', '', 'filled', " hex32 ", " hex32          \
    ", " hex32 ", 'certified', 1, 1, i, i, '', 0, '', " cert                   \
    ", 0, 1 FROM " rows ";"                                                    \
    "INSERT INTO audit (station, seq, time_ms, event, subject, revision, "     \
    "serial, peer, detail, row_digest, hash) SELECT 'filled', i, i, "          \
    "'enrol', " id ", 1, '', '', '', " hex32 ", " hex32 " FROM " rows ";"

#define POSTGRES_HEX "encode(sha256((i::text || random()::text)::bytea), 'hex')"

static const char fill_sqlite[] =
    FILL("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
         "WHERE i < (SELECT count FROM wanted)) SELECT i FROM n)",
         "hex(randomblob(8))", "hex(randomblob(32))", "printf('%032x', i)",
         "zeroblob(1024)");
static const char fill_postgres[] =
    FILL("generate_series(1, (SELECT count FROM wanted)) i",
         "left(" POSTGRES_HEX ", 16)", POSTGRES_HEX, "lpad(to_hex(i), 32, '0')",
         "decode(repeat('00', 1024), 'hex')");

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

static void fill(const char *url, long rows)
{
    char wanted[100];
    PGconn *conn;

    ledger = open_ledger(url);
    ledger_close(&ledger);
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

static void bare(const char *url, double seconds)
{
    uint64_t start = measure_now_ns();
    uint64_t until = start + (uint64_t)(seconds * MEASURE_NS_PER_S);
    long count = strstr(url, "://") ? bare_postgres(url, until)
                                    : bare_sqlite(url, until);

    printf("rate=%.1f\n", (double)count * MEASURE_NS_PER_S /
                              (double)(measure_now_ns() - start));
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "fill") == 0)
        fill(argv[2], atol(argv[3]));
    else if (argc == 5 && strcmp(argv[1], "enrol") == 0)
        enrol(argv[2], atoi(argv[3]), measure_seconds(argv[4]));
    else if (argc == 4 && strcmp(argv[1], "bare") == 0)
        bare(argv[2], measure_seconds(argv[3]));
    else
        die("usage: see the head of ledger_load.c");
    return 0;
}
