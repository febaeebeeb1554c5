/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "ledger_postgres.h"

/*
 * An enrolment is not answered before it is on disk, whatever the server's
 * default; a lock that nobody gives back is an error, not for ever.
 */
static const char *const session[] = {
    "SET synchronous_commit = on",
    "SET default_transaction_isolation = 'read committed'",
    "SET lock_timeout = '10s'",
    "SET client_min_messages = warning",
    NULL,
};

/* Two stations that start at once do not both make the tables. */
#define SCHEMA_LOCK "SELECT pg_advisory_xact_lock(4918312205)"
#define HAS_TABLES "SELECT to_regclass('ledger') IS NOT NULL"
#define VERSION "SELECT version FROM ledger"

static enum devid_err run(struct postgres_db *db, const char *sql,
                          PGresult **answer, struct devid_error *err)
{
    PGresult *result = PQexec(db->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    enum devid_err code = DEVID_OK;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        code = postgres_fail(db, "be set up", result, err);
    if (answer && code == DEVID_OK)
        *answer = result;
    else
        PQclear(result);
    return code;
}

/* The first column of the first row; "" where there is none. */
static enum devid_err ask(struct postgres_db *db, const char *sql,
                          char text[32], struct devid_error *err)
{
    PGresult *result = NULL;
    enum devid_err code = run(db, sql, &result, err);

    text[0] = '\0';
    if (result && PQntuples(result) > 0)
        snprintf(text, 32, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return code;
}

/* The version that is there; 0 for no tables. */
static enum devid_err find_version(struct postgres_db *db, bool create,
                                   int *version, struct devid_error *err)
{
    char there[32];
    char found[32] = "";
    enum devid_err code = ask(db, HAS_TABLES, there, err);

    if (code == DEVID_OK && there[0] != 'f')
        code = ask(db, VERSION, found, err);
    else if (code == DEVID_OK && !create)
        code = ledger_fail(err, DEVID_ERR_NOT_FOUND,
                           "the %s has no tables of a ledger", db->name);
    return code == DEVID_OK
               ? ledger_version_check(db->name, found, create, version, err)
               : code;
}

/* What is not there yet of them, once no other station makes it. */
static enum devid_err make_tables(struct postgres_db *db,
                                  struct devid_error *err)
{
    enum devid_err code = run(db, "BEGIN", NULL, err);
    int version = LEDGER_VERSION;

    if (code == DEVID_OK)
        code = run(db, SCHEMA_LOCK, NULL, err);
    if (code == DEVID_OK)
        code = find_version(db, true, &version, err);
    while (code == DEVID_OK && version++ < LEDGER_VERSION) {
        for (const char *const *sql = ledger_schema(DIALECT_POSTGRES, version);
             code == DEVID_OK && *sql; sql++)
            code = run(db, *sql, NULL, err);
    }
    if (code == DEVID_OK)
        return run(db, "COMMIT", NULL, err);
    PQclear(PQexec(db->conn, "ROLLBACK"));
    return code;
}

static enum devid_err find_tables(struct postgres_db *db, bool create,
                                  struct devid_error *err)
{
    int version = LEDGER_VERSION;
    enum devid_err code = find_version(db, create, &version, err);

    return code == DEVID_OK && version != LEDGER_VERSION ? make_tables(db, err)
                                                         : code;
}

static enum devid_err prepare_all(struct postgres_db *db,
                                  struct devid_error *err)
{
    enum devid_err code = DEVID_OK;

    for (int i = 0; code == DEVID_OK && i < STMT_WRITES_END; i++) {
        char name[16];
        PGresult *result;
        postgres_statement_name((enum ledger_stmt)i, name);
        result = PQprepare(db->conn, name,
                           ledger_sql(DIALECT_POSTGRES, (enum ledger_stmt)i), 0,
                           NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            code = postgres_fail(db, "be set up", result, err);
        PQclear(result);
    }
    return code;
}

static void set_name(struct postgres_db *db)
{
    const char *host = PQhost(db->conn);
    const char *name = PQdb(db->conn);

    snprintf(db->name, sizeof(db->name), "ledger %.40s at %.60s",
             name ? name : "", host ? host : "");
}

static enum devid_err connect_to(struct postgres_db *db,
                                 struct devid_error *err)
{
    /* What the URL says of these comes later and wins. */
    static const char *const keywords[] = {
        "connect_timeout", "application_name", "tcp_user_timeout",
        "client_encoding", "dbname",           NULL};
    const char *const values[] = {"5",    "devid-station", "10000",
                                  "UTF8", db->url,         NULL};
    enum devid_err code = DEVID_OK;

    PQfinish(db->conn);
    db->in_air = 0;
    db->synced = false;
    db->conn = PQconnectdbParams(keywords, values, 1);
    set_name(db);
    if (PQstatus(db->conn) != CONNECTION_OK) {
        code = postgres_fail(db, "be reached", NULL, err);
        return strstr(PQerrorMessage(db->conn), "does not exist")
                   ? DEVID_ERR_NOT_FOUND
                   : code;
    }
    for (const char *const *sql = session; code == DEVID_OK && *sql; sql++)
        code = run(db, *sql, NULL, err);
    return code;
}

static enum devid_err begin_pipeline(struct postgres_db *db,
                                     struct devid_error *err)
{
    enum devid_err code = prepare_all(db, err);

    if (code == DEVID_OK &&
        (PQsetnonblocking(db->conn, 1) || !PQenterPipelineMode(db->conn)))
        code = postgres_fail(db, "be set up", NULL, err);
    return code;
}

enum devid_err postgres_reconnect(struct ledger_db *base,
                                  struct devid_error *err)
{
    struct postgres_db *db = (struct postgres_db *)base;
    enum devid_err code = connect_to(db, err);

    return code == DEVID_OK ? begin_pipeline(db, err) : code;
}

enum devid_err postgres_begin(const char *url, bool create,
                              struct ledger_db **out, struct devid_error *err)
{
    struct postgres_db *db = OPENSSL_zalloc(sizeof(*db));
    enum devid_err code;

    *out = NULL;
    if (!db)
        return ledger_no_memory(err);
    db->db.store = &ledger_postgres;
    db->url = OPENSSL_strdup(url);
    code = db->url ? connect_to(db, err) : ledger_no_memory(err);
    if (code == DEVID_OK)
        code = find_tables(db, create, err);
    if (code == DEVID_OK)
        code = begin_pipeline(db, err);
    if (code == DEVID_OK)
        *out = &db->db;
    else
        postgres_end(&db->db);
    return code;
}

void postgres_end(struct ledger_db *base)
{
    struct postgres_db *db = (struct postgres_db *)base;

    if (!db)
        return;
    PQfinish(db->conn);
    OPENSSL_free(db->url);
    OPENSSL_free(db);
}
