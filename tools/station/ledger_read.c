/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading: single rows over a connection that is kept for it, lists over one
 * that each has for itself meanwhile.
 */
#include "ledger_queue.h"

enum devid_err ledger_read_row(struct ledger *ledger,
                               const struct ledger_query *query,
                               struct ledger_row *row, struct devid_error *err)
{
    struct ledger_db *db = ledger->reader;
    enum devid_err code;

    pthread_mutex_lock(&ledger->read_lock);
    code = db_run(db, query->stmt, query->values, query->count, row, err);
    if (code != DEVID_OK)
        db->store->abandon(db);
    if (code != DEVID_OK && db->store->lost(db)) {
        code = db->store->reconnect(db, err);
        if (code == DEVID_OK)
            code =
                db_run(db, query->stmt, query->values, query->count, row, err);
    }
    pthread_mutex_unlock(&ledger->read_lock);
    return code;
}

static enum devid_err read_row(struct ledger *ledger, enum ledger_stmt stmt,
                               const char *value, struct ledger_row *row,
                               struct devid_error *err)
{
    const struct ledger_value values[] = {value_text(value)};
    const struct ledger_query query = {
        .stmt = stmt, .values = values, .count = 1};

    return ledger_read_row(ledger, &query, row, err);
}

enum devid_err ledger_find(struct ledger *ledger, enum unit_key key,
                           const char *value, struct ledger_unit *unit,
                           struct devid_error *err)
{
    struct ledger_row row = {0};
    enum devid_err code =
        read_row(ledger, STMT_UNIT_BY_ID + key, value, &row, err);

    *unit = (struct ledger_unit){0};
    if (code == DEVID_OK && !row.found)
        code = ledger_fail(err, DEVID_ERR_NOT_FOUND,
                           "there is no unit %.100s in the ledger", value);
    if (code == DEVID_OK && !unit_from_row(&row, unit)) {
        ledger_unit_clear(unit);
        code = ledger_no_memory(err);
    }
    ledger_row_clear(&row);
    return code;
}

enum devid_err ledger_batch(struct ledger *ledger, const char *name,
                            const char *token_digest,
                            struct ledger_batch *batch, struct devid_error *err)
{
    struct ledger_row row = {0};
    enum devid_err code =
        read_row(ledger, name ? STMT_BATCH_BY_NAME : STMT_BATCH_BY_TOKEN,
                 name ? name : token_digest, &row, err);

    *batch = (struct ledger_batch){0};
    if (code == DEVID_OK && !row.found && name)
        code = ledger_fail(err, DEVID_ERR_NOT_FOUND, "there is no batch %.100s",
                           name);
    else if (code == DEVID_OK && !row.found)
        code = ledger_fail(err, DEVID_ERR_NOT_FOUND,
                           "the token is that of no batch");
    if (code == DEVID_OK)
        batch_from_row(&row, batch);
    ledger_row_clear(&row);
    return code;
}

/* ---- lists ------------------------------------------------------------- */

static struct ledger_db *take_idle(struct ledger *ledger)
{
    struct ledger_db *db = NULL;

    pthread_mutex_lock(&ledger->read_lock);
    if (ledger->idle_count > 0)
        db = ledger->idle[--ledger->idle_count];
    pthread_mutex_unlock(&ledger->read_lock);
    return db;
}

/* Only one that has served well is kept. */
static void put_back(struct ledger *ledger, struct ledger_db *db, bool served)
{
    pthread_mutex_lock(&ledger->read_lock);
    if (served && ledger->idle_count < LEDGER_IDLE_MAX) {
        ledger->idle[ledger->idle_count++] = db;
        db = NULL;
    }
    pthread_mutex_unlock(&ledger->read_lock);
    ledger->store->close(db);
}

/* Whether the caller has seen a row: then nothing is begun anew. */
struct watched {
    const struct ledger_query *query;
    bool seen;
};

static bool watch(void *arg, const struct ledger_row *row)
{
    struct watched *watched = arg;

    watched->seen = true;
    return watched->query->each(watched->query->arg, row);
}

enum devid_err ledger_read_rows(struct ledger *ledger,
                                const struct ledger_query *query,
                                struct devid_error *err)
{
    struct watched watched = {query, false};
    struct ledger_query own = *query;
    struct ledger_db *db = take_idle(ledger);
    bool was_idle = db != NULL;
    enum devid_err code = DEVID_OK;

    own.each = watch;
    own.arg = &watched;
    if (was_idle) {
        code = ledger->store->query(db, &own, err);
        put_back(ledger, db, code == DEVID_OK);
        /* The server may have gone since, and be there again. */
        if (code == DEVID_OK || watched.seen)
            return code;
    }
    code = ledger->store->open(ledger->url, false, &db, err);
    if (code == DEVID_OK) {
        code = db->store->query(db, &own, err);
        put_back(ledger, db, code == DEVID_OK);
    }
    return code;
}

struct unit_reader {
    bool (*each)(void *arg, const struct ledger_unit *unit);
    void *arg;
    bool no_memory;
};

static bool read_unit(void *arg, const struct ledger_row *row)
{
    struct unit_reader *reader = arg;
    struct ledger_unit unit;
    bool more;

    reader->no_memory = !unit_from_row(row, &unit);
    more = !reader->no_memory && reader->each(reader->arg, &unit);
    ledger_unit_clear(&unit);
    return more;
}

enum devid_err
ledger_units(struct ledger *ledger, const struct ledger_filter *filter,
             bool (*each)(void *arg, const struct ledger_unit *unit), void *arg,
             struct devid_error *err)
{
    static const struct ledger_filter all = {0};
    struct unit_reader reader = {.each = each, .arg = arg};
    enum devid_err code;

    if (!filter)
        filter = &all;
    const struct ledger_value values[] = {
        value_text(filter->batch ? filter->batch : ""),
        value_text(filter->model ? filter->model : ""),
        value_text(filter->state ? unit_state_name(*filter->state) : ""),
        value_number(filter->since_ms),
    };
    const struct ledger_query query = {STMT_UNITS, values, 4, read_unit,
                                       &reader};
    code = ledger_read_rows(ledger, &query, err);
    return reader.no_memory ? ledger_no_memory(err) : code;
}

struct batch_reader {
    bool (*each)(void *arg, const struct ledger_batch *batch);
    void *arg;
};

static bool read_batch(void *arg, const struct ledger_row *row)
{
    const struct batch_reader *reader = arg;
    struct ledger_batch batch;

    batch_from_row(row, &batch);
    return reader->each(reader->arg, &batch);
}

enum devid_err ledger_batches(struct ledger *ledger,
                              bool (*each)(void *arg,
                                           const struct ledger_batch *batch),
                              void *arg, struct devid_error *err)
{
    struct batch_reader reader = {each, arg};
    const struct ledger_query query = {
        .stmt = STMT_BATCHES, .each = read_batch, .arg = &reader};

    return ledger_read_rows(ledger, &query, err);
}

struct revoked_reader {
    bool (*each)(void *arg, const struct ledger_revoked *revoked);
    void *arg;
};

static bool read_revoked(void *arg, const struct ledger_row *row)
{
    const struct revoked_reader *reader = arg;
    const struct ledger_revoked revoked = {
        .number = row_text(row, 0),
        .unit = row_text(row, 1),
        .reason = (int)row_number(row, 2),
        .revoked_ms = row_number(row, 3),
    };

    return reader->each(reader->arg, &revoked);
}

enum devid_err
ledger_revoked(struct ledger *ledger, int64_t expired_ms,
               bool (*each)(void *arg, const struct ledger_revoked *revoked),
               void *arg, struct devid_error *err)
{
    struct revoked_reader reader = {each, arg};
    const struct ledger_value since = value_number(expired_ms);
    const struct ledger_query query = {STMT_REVOKED, &since, 1, read_revoked,
                                       &reader};

    return ledger_read_rows(ledger, &query, err);
}

struct head_reader {
    bool (*each)(void *arg, const struct ledger_head *head);
    void *arg;
};

static bool read_head(void *arg, const struct ledger_row *row)
{
    const struct head_reader *reader = arg;
    const struct ledger_head head = {
        .station = row_text(row, 0),
        .seq = (uint64_t)row_number(row, 1),
        .hash = row_text(row, 2),
    };

    return reader->each(reader->arg, &head);
}

enum devid_err ledger_heads(struct ledger *ledger,
                            bool (*each)(void *arg,
                                         const struct ledger_head *head),
                            void *arg, struct devid_error *err)
{
    struct head_reader reader = {each, arg};
    const struct ledger_query query = {
        .stmt = STMT_CHAINS, .each = read_head, .arg = &reader};

    return ledger_read_rows(ledger, &query, err);
}

struct entry_reader {
    bool (*each)(void *arg, const struct ledger_entry *entry);
    void *arg;
};

static bool read_entry(void *arg, const struct ledger_row *row)
{
    const struct entry_reader *reader = arg;
    const struct ledger_entry entry = {
        .station = row_text(row, ENTRY_STATION),
        .seq = (uint64_t)row_number(row, ENTRY_SEQ),
        .time_ms = row_number(row, ENTRY_TIME),
        .event = row_text(row, ENTRY_EVENT),
        .serial = row_text(row, ENTRY_SERIAL),
        .peer = row_text(row, ENTRY_PEER),
        .detail = row_text(row, ENTRY_DETAIL),
        .hash = row_text(row, ENTRY_HASH),
    };

    return reader->each(reader->arg, &entry);
}

enum devid_err ledger_entries(struct ledger *ledger, const char *serial,
                              bool (*each)(void *arg,
                                           const struct ledger_entry *entry),
                              void *arg, struct devid_error *err)
{
    const struct ledger_value value = value_text(serial ? serial : "");
    struct entry_reader reader = {each, arg};
    const struct ledger_query query = {
        serial ? STMT_ENTRIES_OF_UNIT : STMT_ENTRIES, &value, serial ? 1 : 0,
        read_entry, &reader};

    return ledger_read_rows(ledger, &query, err);
}

struct escrow_reader {
    bool (*each)(void *arg, const struct ledger_escrow *escrow);
    void *arg;
};

static bool read_escrow(void *arg, const struct ledger_row *row)
{
    const struct escrow_reader *reader = arg;
    const struct ledger_value *cms = &row->values[1];
    const struct ledger_escrow escrow = {
        .replaced_ms = row_number(row, 0),
        .cms = {(uint8_t *)(uintptr_t)cms->data, cms->len},
    };

    return reader->each(reader->arg, &escrow);
}

enum devid_err ledger_former_escrows(
    struct ledger *ledger, const char *unit,
    bool (*each)(void *arg, const struct ledger_escrow *escrow), void *arg,
    struct devid_error *err)
{
    const struct ledger_value value = value_text(unit);
    struct escrow_reader reader = {each, arg};
    const struct ledger_query query = {STMT_FORMER_ESCROWS, &value, 1,
                                       read_escrow, &reader};

    return ledger_read_rows(ledger, &query, err);
}
