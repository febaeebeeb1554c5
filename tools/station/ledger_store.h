/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam between the ledger and a database: statements that are known by
 * number, values in, rows out. What a statement is in SQL stands in
 * ledger_sql.c and ledger_sql_check.c alone; what the ledger does with them
 * knows of no database.
 */
#ifndef DEVID_STATION_LEDGER_STORE_H
#define DEVID_STATION_LEDGER_STORE_H

#include "ledger.h"

#define LEDGER_VALUES_MAX 32 /* columns of a row, parameters of a statement */

enum ledger_dialect {
    DIALECT_SQLITE,
    DIALECT_POSTGRES,
    DIALECT_COUNT,
};

enum ledger_stmt {
    STMT_BEGIN,      /* to write; another writer of this station's waits */
    STMT_BEGIN_READ, /* one view of the whole, however long it takes */
    STMT_COMMIT,
    STMT_ROLLBACK,
    STMT_LOCK_CHAIN,
    STMT_NEW_CHAIN,
    STMT_PUT_CHAIN,
    STMT_SEAL_CHAIN,
    STMT_PUT_ENTRY,
    STMT_GET_ENTRY,
    STMT_GET_BATCH,
    STMT_LOCK_BATCH,
    STMT_TAKE_LEASE,
    STMT_TAKE_BLOCK,
    STMT_TAKE_FOREIGN,
    STMT_GIVE_LEASE,
    STMT_PUT_BATCH,
    STMT_SHUT_BATCH,
    STMT_PUT_UNIT,
    STMT_SET_UNIT,   /* all that it has */
    STMT_STEP_UNIT,  /* what a step may change */
    STMT_UNIT_BY_ID, /* in the order of enum unit_key */
    STMT_UNIT_BY_SERIAL,
    STMT_UNIT_BY_EK,
    STMT_UNIT_BY_IAK,
    STMT_UNIT_BY_IDEVID,
    STMT_UNIT_BY_MAC,
    STMT_PUT_CERTIFICATE,
    STMT_REVOKE,
    STMT_REVOKE_NUMBER,
    STMT_HOLD_UNIT,
    STMT_PUT_LDEVID,
    STMT_SET_LDEVID,
    STMT_GET_CERTIFICATE,
    STMT_REVOCATIONS,
    STMT_LDEVID_BY_ID,
    STMT_LDEVID_BY_NUMBER,
    STMT_LDEVID_BY_KEY,  /* its newest */
    STMT_LDEVID_OF_UNIT, /* likewise, of a label */
    STMT_BATCH_BY_NAME,
    STMT_BATCH_BY_TOKEN,
    STMT_WRITES_END,
    /* Only by ledger_store.query. */
    STMT_UNITS = STMT_WRITES_END,
    STMT_UNITS_PAGE,
    STMT_UNITS_PAGE_STATE,
    STMT_UNITS_PAGE_BATCH,
    STMT_UNITS_PAGE_BOTH,
    STMT_TALLIES,
    STMT_PACES,
    STMT_STUMBLED,
    STMT_NEWEST_BATCH,
    STMT_RENEWALS,
    STMT_BATCHES,
    STMT_REVOKED,
    STMT_LDEVIDS_OF_UNIT,
    STMT_LDEVIDS_ENDING,
    STMT_LDEVIDS_PENDING,
    STMT_ENTRIES,
    STMT_ENTRIES_OF_UNIT,
    STMT_FORMER_ESCROWS,
    STMT_CHAINS,
    STMT_CHECKS,
    STMT_CHECK_UNITS = STMT_CHECKS,
    STMT_CHECK_BATCHES,
    STMT_CHECK_LDEVIDS,
    STMT_CHECK_LOST,
    STMT_CHECK_ISSUED,
    STMT_CHECK_CERTIFICATES,
    STMT_CHECK_STATES,
    STMT_COUNT,
};

const char *ledger_sql(enum ledger_dialect dialect, enum ledger_stmt stmt);
/* The number of the tables that this program writes. */
#define LEDGER_VERSION 5
/* Statements that make tables of that version out of those of the one before,
 * ended by NULL; 1: out of nothing. */
const char *const *ledger_schema(enum ledger_dialect dialect, int version);
/*
 * From which version on these tables are to be made: 0, where there are none
 * (`found` ""), LEDGER_VERSION where nothing is to be done. A newer one, or an
 * older one that is not to be changed, is refused.
 */
DEVID_CHECK enum devid_err ledger_version_check(const char *name,
                                                const char *found, bool change,
                                                int *version,
                                                struct devid_error *err);

enum ledger_kind {
    VALUE_NULL,
    VALUE_TEXT,
    VALUE_NUMBER,
    VALUE_BLOB,
};

/* Borrowed; a row's texts are ended by NUL. */
struct ledger_value {
    enum ledger_kind kind;
    int64_t number;
    const void *data;
    size_t len;
};

struct ledger_row {
    bool found;
    unsigned count;
    struct ledger_value values[LEDGER_VALUES_MAX];
    void *memory; /* the store's: what the values lie in */
    void (*release)(void *memory);
};
void ledger_row_clear(struct ledger_row *row);

/* A connection; the first member of a store's own struct. */
struct ledger_db {
    const struct ledger_store *store;
};

/* A statement of many rows, and what is done with each, until `each` returns
 * false. */
struct ledger_query {
    enum ledger_stmt stmt;
    const struct ledger_value *values;
    size_t count;
    bool (*each)(void *arg, const struct ledger_row *row);
    void *arg;
};

/*
 * The functions of a database. One thread at a time uses a connection. A
 * failure has DEVID_ERR_BUSY where the same may succeed in a moment (a lock
 * that another holds), else DEVID_ERR_SYSTEM, and a sentence.
 */
struct ledger_store {
    enum ledger_dialect dialect;

    /* Returns as ledger_open does. Tables that are not there are made where
     * `create`. */
    enum devid_err (*open)(const char *url, bool create, struct ledger_db **db,
                           struct devid_error *err);
    void (*close)(struct ledger_db *db);

    /*
     * Ask for a statement: of those in the air the results come in the order
     * in which they were sent, one `receive` each, also of those that failed
     * because one before them did. The values are done with on return.
     */
    enum devid_err (*send)(struct ledger_db *db, enum ledger_stmt stmt,
                           const struct ledger_value *values, size_t count,
                           struct devid_error *err);
    /* At most one row; the caller clears it. */
    enum devid_err (*receive)(struct ledger_db *db, struct ledger_row *row,
                              struct devid_error *err);
    /* Receive what is still in the air, for nobody, and roll back. */
    void (*abandon)(struct ledger_db *db);

    /* One statement of many rows. */
    enum devid_err (*query)(struct ledger_db *db,
                            const struct ledger_query *query,
                            struct devid_error *err);

    /* Whether the connection is gone: what was begun on it may have been
     * committed or not. */
    bool (*lost)(const struct ledger_db *db);
    enum devid_err (*reconnect)(struct ledger_db *db, struct devid_error *err);
};

extern const struct ledger_store ledger_sqlite;
extern const struct ledger_store ledger_postgres;

/* ---- what makes statements short to write ------------------------------ */

struct ledger_value value_text(const char *text);
struct ledger_value value_name(const char *text); /* "": NULL */
struct ledger_value value_number(int64_t number);
struct ledger_value value_blob(const void *data, size_t len); /* empty: NULL */

/* Column `at` of a row; "" and 0 where it is NULL. */
const char *row_text(const struct ledger_row *row, unsigned at);
int64_t row_number(const struct ledger_row *row, unsigned at);
void row_copy_text(const struct ledger_row *row, unsigned at, char *text,
                   size_t size);

/* Send and receive. `row` NULL: none is wanted. */
DEVID_CHECK enum devid_err db_run(struct ledger_db *db, enum ledger_stmt stmt,
                                  const struct ledger_value *values,
                                  size_t count, struct ledger_row *row,
                                  struct devid_error *err);

/* Receive the number in a row's first column; 0: there is none. */
DEVID_CHECK enum devid_err db_receive_number(struct ledger_db *db,
                                             int64_t *number,
                                             struct devid_error *err);

/* Write the sentence and return `code`; err may be NULL. */
enum devid_err ledger_fail(struct devid_error *err, enum devid_err code,
                           const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum devid_err ledger_no_memory(struct devid_error *err);

/* Milliseconds since 1970; and of a clock that only goes forward. */
int64_t ledger_now_ms(void);
int64_t ledger_ticks_ms(void);

#endif
