/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolments a second on a ledger, and what the same database does with a bare
 * loop that commits a row at a time.
 *
 *   ledger_load fill URL ROWS            so many units, of a station "filled",
 *                                        without a chain: nothing verifies it
 *   ledger_load enrol URL CLIENTS SECONDS   a unit's row alone
 *   ledger_load life URL CLIENTS SECONDS    and all its steps, until it is
 *                                           locked: six commits
 *   ledger_load bare URL SECONDS         INSERT of 1 kB and COMMIT, again and
 *                                        again, into a table of its own
 *
 * Prints "rate=1234.5"; of enrol and life also "cpu_us=80.1": what a unit takes
 * of the processor, here and in PostgreSQL's process for it, which other
 * programs disturb less than the rate; and "written=9700", the bytes of
 * a unit that PostgreSQL writes into its log, SQLite into all its files.
 */
#include <libpq-fe.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ledger.h"
#include "ledger_load.h"
#include "measure.h"

enum {
    CLIENTS_MAX = 256,
    CERT_LEN = LEDGER_LOAD_CERT_LEN,
    CHALLENGE_LEN = 200,
    KEYS_LEN = 182, /* of two P-256 keys */
    ESCROW_LEN = 700,
    NUMBER_LEN = 16,
    QUOTA = 1000000000,
};

_Noreturn void die(const char *why)
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

/* Nothing in it that a database could make shorter. */
static void random_blob(struct ledger_blob *blob, size_t len)
{
    blob->data = OPENSSL_malloc(len);
    blob->len = len;
    if (!blob->data || RAND_bytes(blob->data, (int)len) != 1)
        die("no random numbers");
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
    random_blob(&unit->ek_cert, CERT_LEN);
    random_blob(&unit->challenge, CHALLENGE_LEN);
    random_blob(&unit->keys, KEYS_LEN);
}

static void do_job(struct ledger_job *job)
{
    job->peer = "192.0.2.1";
    if (ledger_do(ledger, job) != LEDGER_DONE)
        die(job->error.text);
}

static void issue(const char *id)
{
    struct ledger_job job = {.op = LEDGER_ISSUE};
    uint8_t numbers[2][NUMBER_LEN];

    strcpy(job.unit.id, id);
    random_blob(&job.unit.idevid_cert, CERT_LEN);
    random_blob(&job.unit.iak_cert, CERT_LEN);
    for (int i = 0; i < 2; i++) {
        if (RAND_bytes(numbers[i], NUMBER_LEN) != 1)
            die("no random numbers");
        job.numbers[i] = (struct devid_bytes){numbers[i], NUMBER_LEN};
    }
    do_job(&job);
    ledger_unit_clear(&job.unit);
}

static void advance(const char *id, enum unit_state state)
{
    struct ledger_job job = {.op = LEDGER_ADVANCE, .unit.state = state};

    strcpy(job.unit.id, id);
    if (state == UNIT_LOCKED)
        random_blob(&job.unit.escrow, ESCROW_LEN);
    do_job(&job);
    ledger_unit_clear(&job.unit);
}

/* What a line does with a unit, in the order of its requests. */
static void live(const char *id)
{
    advance(id, UNIT_ACTIVATED);
    issue(id);
    advance(id, UNIT_INSTALLED);
    advance(id, UNIT_TESTED);
    advance(id, UNIT_LOCKED);
}

static void *be_client(void *arg)
{
    const bool *whole = arg;

    while (measure_now_ns() < end_ns) {
        struct ledger_job job = {.op = LEDGER_ENROL};
        fill_unit(&job.unit);
        do_job(&job);
        if (*whole)
            live(job.unit.id);
        ledger_unit_clear(&job.unit);
        enrolled++;
    }
    return NULL;
}

static void run_clients(int count, bool whole)
{
    static pthread_t threads[CLIENTS_MAX];

    for (int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, be_client, &whole))
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

static double run_for(int clients, bool whole, double seconds)
{
    uint64_t start = measure_now_ns();

    enrolled = 0;
    end_ns = start + (uint64_t)(seconds * MEASURE_NS_PER_S);
    run_clients(clients, whole);
    return (double)enrolled * MEASURE_NS_PER_S /
           (double)(measure_now_ns() - start);
}

/* Into PostgreSQL's log since it was made; or by this process. */
static double written(const char *url)
{
    char text[64] = "";
    PGresult *result;
    PGconn *conn;
    FILE *file;

    if (!strstr(url, "://")) {
        file = fopen("/proc/self/io", "r");
        if (!file || fscanf(file, "rchar: %*d wchar: %63s", text) != 1)
            die("what was written is not known");
        fclose(file);
        return atof(text);
    }
    conn = PQconnectdb(url);
    result = PQexec(conn, "SELECT pg_current_wal_insert_lsn() - '0/0'");
    snprintf(text, sizeof(text), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(conn);
    return atof(text);
}

static void enrol(const char *url, int clients, bool whole, double seconds)
{
    double cpu;
    double bytes;
    double rate;

    ledger = open_ledger(url);
    if (clients < 1 || clients > CLIENTS_MAX)
        die("CLIENTS is 1 to 256");
    (void)run_for(clients, whole, MEASURE_WARM_UP_S);
    cpu = cpu_us(url);
    bytes = written(url);
    rate = run_for(clients, whole, seconds);
    cpu = cpu_us(url) - cpu;
    bytes = written(url) - bytes;
    printf("rate=%.1f cpu_us=%.1f written=%.0f\n", rate, cpu / (double)enrolled,
           bytes / (double)enrolled);
    ledger_close(&ledger);
}

static void fill(const char *url, long rows)
{
    ledger = open_ledger(url);
    ledger_close(&ledger);
    fill_rows(url, rows);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "fill") == 0)
        fill(argv[2], atol(argv[3]));
    else if (argc == 5 &&
             (strcmp(argv[1], "enrol") == 0 || strcmp(argv[1], "life") == 0))
        enrol(argv[2], atoi(argv[3]), strcmp(argv[1], "life") == 0,
              measure_seconds(argv[4]));
    else if (argc == 4 && strcmp(argv[1], "bare") == 0)
        bare(argv[2], measure_seconds(argv[3]));
    else
        die("usage: see the head of ledger_load.c");
    return 0;
}
