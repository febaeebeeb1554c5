/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two files of the SQLite store share: a connection.
 */
#ifndef DEVID_STATION_LEDGER_SQLITE_H
#define DEVID_STATION_LEDGER_SQLITE_H

#include <sqlite3.h>

#include "ledger_store.h"

/* What came of a statement that was sent. */
struct sqlite_answer {
    enum devid_err code;
    struct ledger_row row;
    struct devid_error err;
};

enum {
    SQLITE_IN_AIR_MAX = 1024
};

struct sqlite_db {
    struct ledger_db db;
    sqlite3 *sqlite;
    char *path;
    sqlite3_stmt *prepared[STMT_COUNT];
    struct sqlite_answer *answers; /* SQLITE_IN_AIR_MAX, a ring */
    size_t first;
    size_t in_air;
};

enum devid_err sqlite_fail(const struct sqlite_db *db, const char *what,
                           struct devid_error *err);

enum devid_err sqlite_begin(const char *url, bool create,
                            struct ledger_db **out, struct devid_error *err);
void sqlite_end(struct ledger_db *base);
void sqlite_abandon(struct ledger_db *base);

#endif
