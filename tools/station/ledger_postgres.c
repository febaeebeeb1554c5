/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger in PostgreSQL. What is sent goes through libpq's pipeline: a whole
 * group of statements costs one turn to the server and back.
 */
#include "ledger_postgres.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* pg_type.dat's numbers of the types that the tables have. */
enum {
    TYPE_BYTEA = 17,
    TYPE_BIGINT = 20,
    TYPE_TEXT = 25,
};

enum {
    NUMBER_SIZE = 24,
    BINARY = 1,
    BIGINT_LEN = 8,
};

/* SQLSTATEs after which the same may succeed. */
static bool is_busy(const char *state)
{
    static const char *const states[] = {
        "40001", /* serialization_failure */
        "40P01", /* deadlock_detected */
        "55P03", /* lock_not_available: lock_timeout */
    };

    for (size_t i = 0; state && i < sizeof(states) / sizeof(*states); i++) {
        if (strcmp(state, states[i]) == 0)
            return true;
    }
    return false;
}

enum devid_err postgres_fail(const struct postgres_db *db, const char *what,
                             const PGresult *result, struct devid_error *err)
{
    const char *state =
        result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *said =
        result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    char text[400];
    size_t len;

    snprintf(text, sizeof(text), "%s", said ? said : PQerrorMessage(db->conn));
    /* One line. */
    for (char *c = text; *c; c++) {
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    }
    len = strlen(text);
    while (len > 0 && text[len - 1] == ' ')
        text[--len] = '\0';
    return ledger_fail(err, is_busy(state) ? DEVID_ERR_BUSY : DEVID_ERR_SYSTEM,
                       "the %s cannot %s: %s", db->name, what, text);
}

void postgres_statement_name(enum ledger_stmt stmt, char name[16])
{
    snprintf(name, 16, "devid_%d", (int)stmt);
}

/* ---- sending ----------------------------------------------------------- */

struct parameters {
    const char *values[LEDGER_VALUES_MAX];
    int lengths[LEDGER_VALUES_MAX];
    int formats[LEDGER_VALUES_MAX];
    char numbers[LEDGER_VALUES_MAX][NUMBER_SIZE];
};

static void fill_parameters(struct parameters *parameters,
                            const struct ledger_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ledger_value *value = &values[i];
        parameters->lengths[i] = (int)value->len;
        parameters->formats[i] = BINARY;
        parameters->values[i] = value->data;
        if (value->kind != VALUE_NUMBER)
            continue;
        parameters->formats[i] = 0;
        snprintf(parameters->numbers[i], NUMBER_SIZE, "%lld",
                 (long long)value->number);
        parameters->values[i] = parameters->numbers[i];
    }
}

/* To wait for room alone would hang where the server waits for us to read. */
static bool flush(struct postgres_db *db)
{
    int left;

    while ((left = PQflush(db->conn)) == 1) {
        struct pollfd ready = {.fd = PQsocket(db->conn),
                               .events = POLLIN | POLLOUT};
        if (poll(&ready, 1, -1) < 0 && errno != EINTR)
            return false;
        if ((ready.revents & POLLIN) && !PQconsumeInput(db->conn))
            return false;
    }
    return left == 0;
}

static enum devid_err postgres_send(struct ledger_db *base,
                                    enum ledger_stmt stmt,
                                    const struct ledger_value *values,
                                    size_t count, struct devid_error *err)
{
    struct postgres_db *db = (struct postgres_db *)base;
    struct parameters parameters;
    char name[16];

    postgres_statement_name(stmt, name);
    fill_parameters(&parameters, values, count);
    if (!PQsendQueryPrepared(db->conn, name, (int)count, parameters.values,
                             parameters.lengths, parameters.formats, BINARY))
        return postgres_fail(db, "be asked", NULL, err);
    db->in_air++;
    db->synced = false;
    return DEVID_OK;
}

/* ---- receiving --------------------------------------------------------- */

static int64_t big_endian(const char *bytes)
{
    uint64_t number = 0;

    for (int i = 0; i < BIGINT_LEN; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return (int64_t)number;
}

static void release_result(void *memory)
{
    PQclear(memory);
}

/* A row of a result, which the row takes over where `own`. */
static void row_of(PGresult *result, struct ledger_row *row)
{
    int count = PQnfields(result);

    *row = (struct ledger_row){.found = true, .count = (unsigned)count};
    for (int i = 0; i < count && i < LEDGER_VALUES_MAX; i++) {
        struct ledger_value *value = &row->values[i];
        if (PQgetisnull(result, 0, i)) {
            value->kind = VALUE_NULL;
            continue;
        }
        value->data = PQgetvalue(result, 0, i);
        value->len = (size_t)PQgetlength(result, 0, i);
        value->kind =
            PQftype(result, i) == TYPE_BYTEA ? VALUE_BLOB : VALUE_TEXT;
        if (PQftype(result, i) == TYPE_BIGINT)
            *value = value_number(big_endian(value->data));
    }
}

/* The next result; each but a sync is followed by an empty one. */
static PGresult *next_result(struct postgres_db *db)
{
    PGresult *result = PQgetResult(db->conn);
    PGresult *after;

    if (!result || PQresultStatus(result) == PGRES_PIPELINE_SYNC)
        return result;
    while ((after = PQgetResult(db->conn)) != NULL) {
        ExecStatusType status = PQresultStatus(after);
        PQclear(after);
        if (status == PGRES_FATAL_ERROR && PQstatus(db->conn) == CONNECTION_BAD)
            break;
    }
    return result;
}

static bool sync_pipeline(struct postgres_db *db)
{
    if (db->synced)
        return true;
    db->synced = PQpipelineSync(db->conn) == 1 && flush(db);
    return db->synced;
}

static enum devid_err take_result(const struct postgres_db *db,
                                  PGresult *result, struct ledger_row *row,
                                  struct devid_error *err)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_TUPLES_OK && PQntuples(result) > 0) {
        row_of(result, row);
        row->memory = result;
        row->release = release_result;
        return DEVID_OK;
    }
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        PQclear(result);
        return DEVID_OK;
    }
    enum devid_err code =
        postgres_fail(db, "do what it was asked", result, err);
    PQclear(result);
    return code;
}

static enum devid_err postgres_receive(struct ledger_db *base,
                                       struct ledger_row *row,
                                       struct devid_error *err)
{
    struct postgres_db *db = (struct postgres_db *)base;
    PGresult *result;
    enum devid_err code;

    *row = (struct ledger_row){0};
    if (!sync_pipeline(db) || !(result = next_result(db)))
        return postgres_fail(db, "be reached", NULL, err);
    db->in_air--;
    code = take_result(db, result, row, err);
    /* The sync that stands behind the last. */
    if (db->in_air == 0 && PQstatus(db->conn) == CONNECTION_OK)
        PQclear(next_result(db));
    return code;
}

static bool postgres_lost(const struct ledger_db *base)
{
    const struct postgres_db *db = (const struct postgres_db *)base;

    return PQstatus(db->conn) != CONNECTION_OK;
}

static void postgres_abandon(struct ledger_db *base)
{
    struct postgres_db *db = (struct postgres_db *)base;
    struct ledger_row row;

    while (db->in_air > 0 && !postgres_lost(base)) {
        size_t before = db->in_air;
        if (postgres_receive(base, &row, NULL) == DEVID_OK)
            ledger_row_clear(&row);
        if (db->in_air == before)
            break;
    }
    if (postgres_lost(base) || PQtransactionStatus(db->conn) == PQTRANS_IDLE)
        return;
    if (db_run(base, STMT_ROLLBACK, NULL, 0, NULL, NULL) != DEVID_OK &&
        !postgres_lost(base) && postgres_reconnect(base, NULL) != DEVID_OK)
        return; /* and lost it is */
}

/* ---- many rows --------------------------------------------------------- */

static enum devid_err read_all(struct postgres_db *db,
                               const struct ledger_query *query,
                               struct devid_error *err)
{
    enum devid_err code = DEVID_OK;
    PGresult *result;
    bool more = true;

    while ((result = PQgetResult(db->conn)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        struct ledger_row row;
        if (status == PGRES_SINGLE_TUPLE && more) {
            row_of(result, &row);
            more = query->each(query->arg, &row);
        } else if (status == PGRES_FATAL_ERROR && more) {
            code = postgres_fail(db, "be read", result, err);
        }
        PQclear(result);
        if (postgres_lost(&db->db))
            return code == DEVID_OK ? postgres_fail(db, "be read", NULL, err)
                                    : code;
    }
    return code;
}

static enum devid_err postgres_query(struct ledger_db *base,
                                     const struct ledger_query *query,
                                     struct devid_error *err)
{
    struct postgres_db *db = (struct postgres_db *)base;
    const char *sql = ledger_sql(DIALECT_POSTGRES, query->stmt);
    struct parameters parameters;
    enum devid_err code;

    fill_parameters(&parameters, query->values, query->count);
    if (!PQexitPipelineMode(db->conn) || PQsetnonblocking(db->conn, 0) ||
        !PQsendQueryParams(db->conn, sql, (int)query->count, NULL,
                           parameters.values, parameters.lengths,
                           parameters.formats, BINARY) ||
        !PQsetSingleRowMode(db->conn))
        return postgres_fail(db, "be read", NULL, err);
    code = read_all(db, query, err);
    if (PQsetnonblocking(db->conn, 1) || !PQenterPipelineMode(db->conn))
        return postgres_fail(db, "be read", NULL, err);
    return code;
}

const struct ledger_store ledger_postgres = {
    .dialect = DIALECT_POSTGRES,
    .open = postgres_begin,
    .close = postgres_end,
    .send = postgres_send,
    .receive = postgres_receive,
    .abandon = postgres_abandon,
    .query = postgres_query,
    .lost = postgres_lost,
    .reconnect = postgres_reconnect,
};
