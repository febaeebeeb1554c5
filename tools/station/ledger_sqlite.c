/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger in a file of SQLite's: write-ahead log, each commit synced. A
 * statement is done when it is sent; its row waits to be received.
 */
#include "ledger_sqlite.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum {
    SQL_SIZE = 2048
};

enum devid_err sqlite_fail(const struct sqlite_db *db, const char *what,
                           struct devid_error *err)
{
    int code = sqlite3_errcode(db->sqlite) & 0xff;
    bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;

    return ledger_fail(err, busy ? DEVID_ERR_BUSY : DEVID_ERR_SYSTEM,
                       "the ledger %s cannot %s: %s", db->path, what,
                       sqlite3_errmsg(db->sqlite));
}

/* ---- statements -------------------------------------------------------- */

/* PostgreSQL's $1 is ?1 here. */
static enum devid_err prepare(struct sqlite_db *db, enum ledger_stmt stmt,
                              struct devid_error *err)
{
    char sql[SQL_SIZE];

    if (db->prepared[stmt])
        return DEVID_OK;
    snprintf(sql, sizeof(sql), "%s", ledger_sql(DIALECT_SQLITE, stmt));
    for (char *c = sql; *c; c++) {
        if (*c == '$')
            *c = '?';
    }
    if (sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &db->prepared[stmt], NULL) != SQLITE_OK)
        return sqlite_fail(db, "be asked", err);
    return DEVID_OK;
}

static int bind_value(sqlite3_stmt *prepared, int at,
                      const struct ledger_value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        return sqlite3_bind_null(prepared, at);
    case VALUE_NUMBER:
        return sqlite3_bind_int64(prepared, at, value->number);
    case VALUE_TEXT:
        return sqlite3_bind_text(prepared, at, value->data, (int)value->len,
                                 SQLITE_STATIC);
    case VALUE_BLOB:
        return sqlite3_bind_blob64(prepared, at, value->data, value->len,
                                   SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static enum devid_err bind_all(struct sqlite_db *db, enum ledger_stmt stmt,
                               const struct ledger_value *values, size_t count,
                               struct devid_error *err)
{
    enum devid_err code = prepare(db, stmt, err);

    if (code != DEVID_OK)
        return code;
    for (size_t i = 0; i < count; i++) {
        if (bind_value(db->prepared[stmt], (int)i + 1, &values[i]) != SQLITE_OK)
            return sqlite_fail(db, "be asked", err);
    }
    return DEVID_OK;
}

/* The row as SQLite has it, for as long as it stands there. */
static void borrow_row(sqlite3_stmt *prepared, struct ledger_row *row)
{
    int count = sqlite3_column_count(prepared);

    *row = (struct ledger_row){.found = true, .count = (unsigned)count};
    for (int i = 0; i < count && i < LEDGER_VALUES_MAX; i++) {
        struct ledger_value *value = &row->values[i];
        switch (sqlite3_column_type(prepared, i)) {
        case SQLITE_INTEGER:
            *value = value_number(sqlite3_column_int64(prepared, i));
            break;
        case SQLITE_TEXT:
            value->kind = VALUE_TEXT;
            value->data = sqlite3_column_text(prepared, i);
            break;
        case SQLITE_BLOB:
            value->kind = VALUE_BLOB;
            value->data = sqlite3_column_blob(prepared, i);
            break;
        default:
            value->kind = VALUE_NULL;
            break;
        }
        if (value->data)
            value->len = (size_t)sqlite3_column_bytes(prepared, i);
    }
}

static void release_row(void *memory)
{
    OPENSSL_free(memory);
}

/* Give a borrowed row memory of its own. */
static bool keep_row(struct ledger_row *row)
{
    size_t size = 0;
    char *at;

    for (unsigned i = 0; i < row->count; i++)
        size += row->values[i].data ? row->values[i].len + 1 : 0;
    if (size == 0)
        return true;
    at = OPENSSL_malloc(size);
    if (!at)
        return false;
    row->memory = at;
    row->release = release_row;
    for (unsigned i = 0; i < row->count; i++) {
        struct ledger_value *value = &row->values[i];
        if (!value->data)
            continue;
        memcpy(at, value->data, value->len);
        at[value->len] = '\0';
        value->data = at;
        at += value->len + 1;
    }
    return true;
}

static void run_statement(struct sqlite_db *db, enum ledger_stmt stmt,
                          const struct ledger_value *values, size_t count,
                          struct sqlite_answer *answer)
{
    sqlite3_stmt *prepared;
    int step;

    answer->code = bind_all(db, stmt, values, count, &answer->err);
    if (answer->code != DEVID_OK)
        return;
    prepared = db->prepared[stmt];
    step = sqlite3_step(prepared);
    if (step == SQLITE_ROW) {
        borrow_row(prepared, &answer->row);
        if (!keep_row(&answer->row)) {
            answer->row = (struct ledger_row){0};
            answer->code = ledger_no_memory(&answer->err);
        }
        /* A change with RETURNING is whole once it was stepped to its end. */
        step = sqlite3_step(prepared);
    }
    if (step != SQLITE_DONE && answer->code == DEVID_OK)
        answer->code = sqlite_fail(db, "do what it was asked", &answer->err);
    sqlite3_reset(prepared);
    sqlite3_clear_bindings(prepared);
}

static enum devid_err sqlite_send(struct ledger_db *base, enum ledger_stmt stmt,
                                  const struct ledger_value *values,
                                  size_t count, struct devid_error *err)
{
    struct sqlite_db *db = (struct sqlite_db *)base;
    const struct sqlite_answer *before;
    struct sqlite_answer *answer;

    if (db->in_air == SQLITE_IN_AIR_MAX)
        return ledger_fail(err, DEVID_ERR_SYSTEM,
                           "the ledger was asked %d things at once",
                           SQLITE_IN_AIR_MAX);
    answer = &db->answers[(db->first + db->in_air) % SQLITE_IN_AIR_MAX];
    *answer = (struct sqlite_answer){0};
    before =
        db->in_air > 0
            ? &db->answers[(db->first + db->in_air - 1) % SQLITE_IN_AIR_MAX]
            : NULL;
    db->in_air++;
    /* Nothing is done behind what failed: COMMIT least of all. */
    if (before && before->code != DEVID_OK) {
        answer->code = before->code;
        answer->err = before->err;
        return DEVID_OK;
    }
    run_statement(db, stmt, values, count, answer);
    return DEVID_OK;
}

static enum devid_err sqlite_receive(struct ledger_db *base,
                                     struct ledger_row *row,
                                     struct devid_error *err)
{
    struct sqlite_db *db = (struct sqlite_db *)base;
    struct sqlite_answer *answer = &db->answers[db->first];

    if (db->in_air == 0)
        return ledger_fail(err, DEVID_ERR_SYSTEM,
                           "the ledger was asked for no answer");
    db->first = (db->first + 1) % SQLITE_IN_AIR_MAX;
    db->in_air--;
    *row = answer->row;
    if (answer->code != DEVID_OK && err)
        *err = answer->err;
    return answer->code;
}

void sqlite_abandon(struct ledger_db *base)
{
    struct sqlite_db *db = (struct sqlite_db *)base;
    struct ledger_row row = {0};

    while (db->in_air > 0) {
        if (sqlite_receive(base, &row, NULL) == DEVID_OK)
            ledger_row_clear(&row);
    }
    if (!sqlite3_get_autocommit(db->sqlite))
        sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

static enum devid_err sqlite_query(struct ledger_db *base,
                                   const struct ledger_query *query,
                                   struct devid_error *err)
{
    struct sqlite_db *db = (struct sqlite_db *)base;
    enum devid_err code =
        bind_all(db, query->stmt, query->values, query->count, err);
    sqlite3_stmt *prepared = db->prepared[query->stmt];
    bool more = true;
    int step = SQLITE_DONE;

    if (code != DEVID_OK)
        return code;
    while (more && (step = sqlite3_step(prepared)) == SQLITE_ROW) {
        struct ledger_row row;
        borrow_row(prepared, &row);
        more = query->each(query->arg, &row);
    }
    if (more && step != SQLITE_DONE)
        code = sqlite_fail(db, "be read", err);
    sqlite3_reset(prepared);
    sqlite3_clear_bindings(prepared);
    return code;
}

static bool sqlite_lost(const struct ledger_db *base)
{
    (void)base;
    return false;
}

static enum devid_err sqlite_reconnect(struct ledger_db *base,
                                       struct devid_error *err)
{
    (void)base;
    (void)err;
    return DEVID_OK;
}

const struct ledger_store ledger_sqlite = {
    .dialect = DIALECT_SQLITE,
    .open = sqlite_begin,
    .close = sqlite_end,
    .send = sqlite_send,
    .receive = sqlite_receive,
    .abandon = sqlite_abandon,
    .query = sqlite_query,
    .lost = sqlite_lost,
    .reconnect = sqlite_reconnect,
};
