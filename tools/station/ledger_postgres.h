/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two files of the PostgreSQL store share: a connection.
 */
#ifndef DEVID_STATION_LEDGER_POSTGRES_H
#define DEVID_STATION_LEDGER_POSTGRES_H

#include <libpq-fe.h>

#include "ledger_store.h"

struct postgres_db {
    struct ledger_db db;
    PGconn *conn; /* in pipeline mode, but while a query is read */
    char *url;
    char name[128]; /* "ledger at db.example" for sentences: no password */
    size_t in_air;
    bool synced; /* what is in the air was ended by a sync */
};

enum devid_err postgres_begin(const char *url, bool create,
                              struct ledger_db **out, struct devid_error *err);
void postgres_end(struct ledger_db *base);
enum devid_err postgres_reconnect(struct ledger_db *base,
                                  struct devid_error *err);

/* The name by which the server knows a statement. */
void postgres_statement_name(enum ledger_stmt stmt, char name[16]);

/* A sentence from what the server said; `result` may be NULL. */
enum devid_err postgres_fail(const struct postgres_db *db, const char *what,
                             const PGresult *result, struct devid_error *err);

#endif
