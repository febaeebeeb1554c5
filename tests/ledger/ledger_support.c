/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_support.h"

#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- databases --------------------------------------------------------- */

static void sha256_hex(const char *text, char hex[65])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];

    assert_int_equal(
        EVP_Q_digest(NULL, "SHA256", NULL, text, strlen(text), digest, NULL),
        1);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void behind_sqlite(const char *path, const char *sql)
{
    char *message = NULL;
    sqlite3 *sqlite = NULL;

    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    sqlite3_busy_timeout(sqlite, 10000);
    if (sqlite3_exec(sqlite, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(sqlite);
}

static void behind_postgres(const char *url, const char *sql)
{
    PGconn *conn = PQconnectdb(url);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
}

void behind(const struct fixture *fixture, const char *sql)
{
    if (fixture->directory)
        behind_sqlite(fixture->url, sql);
    else
        behind_postgres(fixture->url, sql);
}

int64_t number_of(const struct fixture *fixture, const char *sql)
{
    PGconn *conn = PQconnectdb(fixture->url);
    PGresult *result = PQexec(conn, sql);
    int64_t number;

    if (PQntuples(result) != 1)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    PQfinish(conn);
    return number;
}

void make_version_4(const struct fixture *fixture)
{
    behind(fixture, fixture->directory
                        ? "DROP TRIGGER unit_had_escrow"
                        : "SET client_min_messages = warning;"
                          "DROP FUNCTION unit_escrow_is_kept CASCADE");
    behind(fixture, "DROP TABLE former_escrow");
    behind(fixture, "UPDATE ledger SET version = 4");
}

void make_version_3(const struct fixture *fixture)
{
    const char *order = fixture->directory ? "" : " COLLATE \"C\"";
    char sql[200];

    make_version_4(fixture);
    if (fixture->directory) {
        behind(fixture, "DROP TRIGGER unit_is_new");
        behind(fixture, "DROP TRIGGER unit_goes_on");
        behind(fixture, "DROP TRIGGER unit_is_gone");
    } else {
        behind(fixture, "SET client_min_messages = warning;"
                        "DROP FUNCTION unit_state_follows CASCADE");
        behind(fixture, "ALTER TABLE unit ALTER COLUMN serial TYPE TEXT "
                        "COLLATE \"default\"");
        behind(fixture,
               "ALTER TABLE unit RESET (fillfactor, toast_tuple_target)");
    }
    behind(fixture, "DROP TABLE unit_state");
    snprintf(sql, sizeof(sql), "CREATE INDEX unit_by_serial ON unit (serial%s)",
             order);
    behind(fixture, sql);
    snprintf(sql, sizeof(sql),
             "CREATE INDEX unit_of_state ON unit (state, serial%s)", order);
    behind(fixture, sql);
    snprintf(sql, sizeof(sql),
             "CREATE INDEX unit_of_batch ON unit (batch, serial%s, state)",
             order);
    behind(fixture, sql);
    behind(fixture, "UPDATE ledger SET version = 3");
}

/* A database of its own in the server that DEVID_TEST_POSTGRES names, as
 * postgresql:///postgres?host=DIR. */
static void make_database(struct fixture *fixture, const char *server)
{
    static int number;
    const char *options = strchr(server, '?');
    char sql[128];

    snprintf(fixture->database, sizeof(fixture->database), "t%d_%d",
             (int)getpid(), number++);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", fixture->database);
    behind_postgres(server, sql);
    assert_true(asprintf(&fixture->url, "postgresql:///%s%s", fixture->database,
                         options) > 0);
}

static void make_directory(struct fixture *fixture)
{
    const char *tmp = getenv("TMPDIR");

    assert_true(asprintf(&fixture->directory, "%s/devid.XXXXXX",
                         tmp ? tmp : "/tmp") > 0);
    assert_non_null(mkdtemp(fixture->directory));
    assert_true(asprintf(&fixture->url, "%s/ledger.db", fixture->directory) >
                0);
}

static void remove_ledger(struct fixture *fixture)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    const char *server = getenv("DEVID_TEST_POSTGRES");
    char text[4200];

    if (!fixture->directory) {
        snprintf(text, sizeof(text), "DROP DATABASE %s WITH (FORCE)",
                 fixture->database);
        behind_postgres(server, text);
        return;
    }
    for (size_t i = 0; i < COUNT(ends); i++) {
        snprintf(text, sizeof(text), "%s%s", fixture->url, ends[i]);
        unlink(text);
    }
    assert_int_equal(rmdir(fixture->directory), 0);
}

/* ---- ledgers ----------------------------------------------------------- */

struct ledger *open_station(const struct fixture *fixture, const char *station,
                            const struct ledger_spec *more)
{
    struct ledger_spec spec = more ? *more : (struct ledger_spec){0};
    struct ledger *ledger = NULL;
    struct devid_error err;

    spec.url = fixture->url;
    spec.station = station;
    if (!spec.key)
        spec.key =
            strcmp(station, "line-1") == 0 ? fixture->key : fixture->other_key;
    spec.create = true;
    if (ledger_open(&spec, &ledger, &err))
        fail_msg("%s", err.text);
    return ledger;
}

void reopen(struct fixture *fixture)
{
    ledger_close(&fixture->ledger);
    fixture->ledger = open_station(fixture, "line-1", NULL);
}

int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    const char *server = getenv("DEVID_TEST_POSTGRES");

    assert_non_null(fixture);
    fixture->key = software_key("ec-p256");
    fixture->other_key = software_key("ed25519");
    if (server)
        make_database(fixture, server);
    else
        make_directory(fixture);
    fixture->ledger = open_station(fixture, "line-1", NULL);
    open_batch(fixture->ledger, "B1", 100);
    *state = fixture;
    return 0;
}

int tear_down(void **state)
{
    struct fixture *fixture = *state;

    ledger_close(&fixture->ledger);
    remove_ledger(fixture);
    EVP_PKEY_free(fixture->key);
    EVP_PKEY_free(fixture->other_key);
    free(fixture->directory);
    free(fixture->url);
    free(fixture);
    return 0;
}

EVP_PKEY *key_of(void *arg, const char *station)
{
    const struct fixture *fixture = arg;
    EVP_PKEY *key =
        strcmp(station, "line-1") == 0 ? fixture->key : fixture->other_key;

    if (strncmp(station, "line-", 5) != 0 || EVP_PKEY_up_ref(key) != 1)
        return NULL;
    return key;
}

void expect_whole(struct fixture *fixture, uint64_t entries)
{
    struct ledger_verdict verdict;
    struct devid_error err;

    if (ledger_verify(fixture->ledger, key_of, fixture, &verdict, &err))
        fail_msg("%s", err.text);
    assert_int_equal(verdict.entries, entries);
}

uint64_t unsealed(struct fixture *fixture, struct ledger *ledger)
{
    struct ledger_verdict verdict;
    struct devid_error err;

    if (ledger_verify(ledger, key_of, fixture, &verdict, &err))
        fail_msg("%s", err.text);
    return verdict.unsealed;
}

void expect_fault(struct fixture *fixture, const char *fragment)
{
    struct ledger_verdict verdict;
    struct devid_error err = {0};

    assert_int_equal(
        ledger_verify(fixture->ledger, key_of, fixture, &verdict, &err),
        DEVID_ERR_INPUT);
    expect_text(&err, fragment);
}

uint64_t used_of(struct ledger *ledger, const char *name)
{
    struct ledger_batch batch;
    struct devid_error err;

    if (ledger_batch(ledger, name, NULL, &batch, &err))
        fail_msg("%s", err.text);
    return batch.used;
}

/* ---- jobs -------------------------------------------------------------- */

void open_batch(struct ledger *ledger, const char *name, uint64_t quota)
{
    struct ledger_job job = {.op = LEDGER_OPEN_BATCH};

    snprintf(job.batch.name, sizeof(job.batch.name), "%s", name);
    snprintf(job.batch.product, sizeof(job.batch.product), "M1");
    sha256_hex(name, job.batch.token_digest);
    job.batch.quota = quota;
    if (ledger_do(ledger, &job) != LEDGER_DONE)
        fail_msg("%s", job.error.text);
}

void fill_unit(struct ledger_unit *unit, int number)
{
    char name[64];

    *unit = (struct ledger_unit){.state = UNIT_CERTIFIED, .attested = true};
    snprintf(unit->serial, sizeof(unit->serial), "SN-%d", number);
    snprintf(unit->model, sizeof(unit->model), "M1");
    snprintf(unit->batch, sizeof(unit->batch), "B1");
    snprintf(unit->operator_name, sizeof(unit->operator_name), "J\xc3\xb8rgen");
    snprintf(unit->mac, sizeof(unit->mac), "02:00:00:%02x:%02x:%02x",
             number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff);
    snprintf(name, sizeof(name), "ek %d", number);
    sha256_hex(name, unit->ek_digest);
    snprintf(name, sizeof(name), "iak %d", number);
    sha256_hex(name, unit->iak_name);
    snprintf(name, sizeof(name), "idevid %d", number);
    sha256_hex(name, unit->idevid_name);
    snprintf(name, sizeof(name), "challenge %d", number);
    sha256_hex(name, unit->challenge_digest);
    unit->challenge_expires_ms = 1;
    unit->ek_cert.data = OPENSSL_memdup("an EK's", 7);
    unit->ek_cert.len = 7;
    unit->challenge.data = OPENSSL_memdup(name, sizeof(name));
    unit->challenge.len = strlen(name);
}

static enum ledger_outcome enrol_as(struct ledger *ledger, int number,
                                    enum unit_state state,
                                    struct ledger_job *job)
{
    *job = (struct ledger_job){.op = LEDGER_ENROL, .peer = "192.0.2.7"};
    fill_unit(&job->unit, number);
    job->unit.state = state;
    return ledger_do(ledger, job);
}

enum ledger_outcome enrol(struct ledger *ledger, int number,
                          struct ledger_job *job)
{
    return enrol_as(ledger, number, UNIT_CERTIFIED, job);
}

enum ledger_outcome enrol_activated(struct ledger *ledger, int number,
                                    struct ledger_job *job)
{
    return enrol_as(ledger, number, UNIT_ACTIVATED, job);
}

enum ledger_outcome follow(struct ledger *ledger, enum ledger_op op,
                           const struct ledger_unit *unit,
                           struct ledger_job *job)
{
    job->op = op;
    snprintf(job->unit.id, sizeof(job->unit.id), "%s", unit->id);
    return ledger_do(ledger, job);
}

void make_cert(struct ledger_blob *blob, int number)
{
    EVP_PKEY *key = software_key("ec-p256");
    X509 *cert = X509_new();
    int len;

    assert_non_null(cert);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), number);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 60);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    blob->data = NULL;
    len = i2d_X509(cert, &blob->data);
    assert_true(len > 0);
    blob->len = (size_t)len;
    X509_free(cert);
    EVP_PKEY_free(key);
}

void make_issued(struct ledger *ledger, int number, struct ledger_job *job)
{
    struct ledger_job issue = {0};

    assert_int_equal(enrol_activated(ledger, number, job), LEDGER_DONE);
    make_cert(&issue.unit.idevid_cert, 2 * number);
    make_cert(&issue.unit.iak_cert, 2 * number + 1);
    assert_int_equal(follow(ledger, LEDGER_ISSUE, &job->unit, &issue),
                     LEDGER_DONE);
    clear(job);
    *job = issue;
}

void clear(struct ledger_job *job)
{
    ledger_unit_clear(&job->unit);
}
