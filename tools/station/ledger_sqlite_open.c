/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ledger_sqlite.h"

enum {
    BUSY_MS = 10000, /* another process writes: a command beside the station */
    VERSION_SIZE = 24,
};

#define VERSION_SQL "SELECT version FROM ledger"

void sqlite_end(struct ledger_db *base)
{
    struct sqlite_db *db = (struct sqlite_db *)base;

    if (!db)
        return;
    if (db->answers && db->sqlite)
        sqlite_abandon(base);
    for (int i = 0; i < STMT_COUNT; i++)
        sqlite3_finalize(db->prepared[i]);
    sqlite3_close(db->sqlite);
    OPENSSL_free(db->answers);
    OPENSSL_free(db->path);
    OPENSSL_free(db);
}

/*
 * SQLite would make it with the rights that umask leaves. A file that is there
 * is never opened here: closing it would take away the locks that this process
 * holds on it through SQLite (fcntl(2)), and another process would delete the
 * log of writes under it.
 */
static enum devid_err make_file(const char *path, bool create,
                                struct devid_error *err)
{
    int fd = -1;

    if (create)
        fd = open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 || access(path, R_OK | W_OK) == 0)
        return DEVID_OK;
    if (errno == ENOENT)
        return ledger_fail(err, DEVID_ERR_NOT_FOUND, "there is no ledger %s",
                           path);
    return ledger_fail(err, DEVID_ERR_SYSTEM,
                       "the ledger %s cannot be opened: %s", path,
                       strerror(errno));
}

static int take_version(void *arg, int count, char **values, char **names)
{
    (void)names;
    if (count == 1 && values[0])
        snprintf(arg, VERSION_SIZE, "%s", values[0]);
    return 0;
}

static enum devid_err exec(struct sqlite_db *db, const char *sql,
                           struct devid_error *err)
{
    if (sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(db, "be set up", err);
    return DEVID_OK;
}

static enum devid_err check_version(struct sqlite_db *db, const char *found,
                                    bool create, int *version,
                                    struct devid_error *err)
{
    char name[600];

    snprintf(name, sizeof(name), "ledger %.500s", db->path);
    return ledger_version_check(name, found, create, version, err);
}

/* What is not there yet of the tables. */
static enum devid_err make_tables(struct sqlite_db *db, int version,
                                  struct devid_error *err)
{
    enum devid_err code = DEVID_OK;

    while (code == DEVID_OK && version++ < LEDGER_VERSION) {
        for (const char *const *sql = ledger_schema(DIALECT_SQLITE, version);
             code == DEVID_OK && *sql; sql++)
            code = exec(db, *sql, err);
    }
    return code;
}

/* In one transaction, so that two programs do not make them twice. */
static enum devid_err find_tables(struct sqlite_db *db, bool create,
                                  struct devid_error *err)
{
    char found[VERSION_SIZE] = "";
    char tables[VERSION_SIZE] = "";
    int version = 0;
    enum devid_err code;

    sqlite3_exec(db->sqlite, VERSION_SQL, take_version, found, NULL);
    code = check_version(db, found, create, &version, err);
    if (code != DEVID_OK || version == LEDGER_VERSION)
        return code;
    code = exec(db, "BEGIN IMMEDIATE", err);
    if (code != DEVID_OK)
        return code;
    sqlite3_exec(db->sqlite, VERSION_SQL, take_version, found, NULL);
    sqlite3_exec(db->sqlite, "SELECT count(*) FROM sqlite_master", take_version,
                 tables, NULL);
    if (*found)
        code = check_version(db, found, create, &version, err);
    else if (!create || strcmp(tables, "0") != 0)
        code = ledger_fail(err, DEVID_ERR_INPUT,
                           "%s is a database, but no ledger of a station",
                           db->path);
    if (code == DEVID_OK)
        code = make_tables(db, version, err);
    if (code == DEVID_OK)
        return exec(db, "COMMIT", err);
    sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

/* SQLite's own handler sleeps longer and longer, and never meets the moment
 * between two commits of a station that is at work. */
static int wait_for_turn(void *arg, int count)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    (void)arg;
    nanosleep(&pause, NULL);
    return count < BUSY_MS;
}

static enum devid_err set_up(struct sqlite_db *db, bool create,
                             struct devid_error *err)
{
    enum devid_err code;

    sqlite3_extended_result_codes(db->sqlite, 1);
    sqlite3_busy_handler(db->sqlite, wait_for_turn, NULL);
    /* The first that looks into the file. */
    if (sqlite3_exec(db->sqlite, "PRAGMA journal_mode = WAL", NULL, NULL,
                     NULL) != SQLITE_OK) {
        if ((sqlite3_errcode(db->sqlite) & 0xff) == SQLITE_NOTADB)
            return ledger_fail(err, DEVID_ERR_INPUT,
                               "%s is no database of SQLite's", db->path);
        return sqlite_fail(db, "be opened", err);
    }
    code = exec(db,
                "PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;"
                "PRAGMA wal_autocheckpoint = 4000;"
                "PRAGMA journal_size_limit = 67108864;"
                "PRAGMA temp_store = MEMORY",
                err);
    return code == DEVID_OK ? find_tables(db, create, err) : code;
}

enum devid_err sqlite_begin(const char *url, bool create,
                            struct ledger_db **out, struct devid_error *err)
{
    struct sqlite_db *db = OPENSSL_zalloc(sizeof(*db));
    enum devid_err code;

    *out = NULL;
    if (!db)
        return ledger_no_memory(err);
    db->db.store = &ledger_sqlite;
    db->path = OPENSSL_strdup(url);
    db->answers = OPENSSL_zalloc(SQLITE_IN_AIR_MAX * sizeof(*db->answers));
    code = db->path && db->answers ? make_file(url, create, err)
                                   : ledger_no_memory(err);
    if (code == DEVID_OK &&
        sqlite3_open_v2(url, &db->sqlite,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        code = sqlite_fail(db, "be opened", err);
    if (code == DEVID_OK)
        code = set_up(db, create, err);
    if (code == DEVID_OK)
        *out = &db->db;
    else
        sqlite_end(&db->db);
    return code;
}
