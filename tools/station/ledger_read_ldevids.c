/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LDevIDs are read: one by a name of its, or a page of many; and what is
 * revoked of certificates of any kind.
 */
#include "ledger_ldevid.h"
#include "ledger_queue.h"

enum {
    PAGE = 100
};

static enum devid_err find(struct ledger *ledger,
                           const struct ledger_query *query, const char *what,
                           struct ledger_ldevid *ldevid,
                           struct devid_error *err)
{
    struct ledger_row row = {0};
    enum devid_err code = ledger_read_row(ledger, query, &row, err);

    *ldevid = (struct ledger_ldevid){0};
    if (code == DEVID_OK && !row.found)
        code = ledger_fail(err, DEVID_ERR_NOT_FOUND,
                           "there is no LDevID %.100s in the ledger", what);
    if (code == DEVID_OK && !ldevid_from_row(&row, ldevid)) {
        ledger_ldevid_clear(ldevid);
        code = ledger_no_memory(err);
    }
    ledger_row_clear(&row);
    return code;
}

enum devid_err ledger_find_ldevid(struct ledger *ledger, enum ldevid_key key,
                                  const char *name,
                                  struct ledger_ldevid *ldevid,
                                  struct devid_error *err)
{
    const struct ledger_value value = value_text(name);
    const struct ledger_query query = {
        .stmt = STMT_LDEVID_BY_ID + key, .values = &value, .count = 1};

    return find(ledger, &query, name, ldevid, err);
}

enum devid_err ledger_newest_ldevid(struct ledger *ledger, const char *unit,
                                    const char *label,
                                    struct ledger_ldevid *ldevid,
                                    struct devid_error *err)
{
    const struct ledger_value values[] = {value_text(unit), value_text(label)};
    const struct ledger_query query = {
        .stmt = STMT_LDEVID_OF_UNIT, .values = values, .count = 2};

    return find(ledger, &query, label, ldevid, err);
}

/* ---- pages ------------------------------------------------------------- */

struct reader {
    bool (*each)(void *arg, const struct ledger_ldevid *ldevid);
    void *arg;
    bool no_memory;
};

static bool read_ldevid(void *arg, const struct ledger_row *row)
{
    struct reader *reader = arg;
    struct ledger_ldevid ldevid;
    bool more;

    reader->no_memory = !ldevid_from_row(row, &ldevid);
    more = !reader->no_memory && reader->each(reader->arg, &ldevid);
    ledger_ldevid_clear(&ldevid);
    return more;
}

/* The statement of a list, and its parameters; returns how many. */
static size_t fill_query(const struct ldevid_query *asked,
                         enum ledger_stmt *stmt, struct ledger_value *values)
{
    const struct ledger_value limit =
        value_number(asked->limit ? asked->limit : PAGE);
    const struct ledger_value id =
        value_text(asked->after_id ? asked->after_id : "");
    size_t count = 0;

    switch (asked->list) {
    case LDEVIDS_OF_UNIT:
        *stmt = STMT_LDEVIDS_OF_UNIT;
        values[count++] = value_text(asked->unit);
        break;
    case LDEVIDS_PENDING:
        *stmt = STMT_LDEVIDS_PENDING;
        values[count++] = value_number(asked->after_ms);
        break;
    case LDEVIDS_ENDING:
        *stmt = STMT_LDEVIDS_ENDING;
        values[count++] = value_number(asked->from_ms);
        values[count++] = value_number(asked->before_ms);
        values[count++] = value_number(asked->after_ms);
        break;
    }
    values[count++] = id;
    values[count++] = limit;
    return count;
}

enum devid_err
ledger_ldevids(struct ledger *ledger, const struct ldevid_query *asked,
               bool (*each)(void *arg, const struct ledger_ldevid *ldevid),
               void *arg, struct devid_error *err)
{
    struct reader reader = {.each = each, .arg = arg};
    struct ledger_value values[5];
    struct ledger_query query = {
        .values = values, .each = read_ldevid, .arg = &reader};
    enum devid_err code;

    query.count = fill_query(asked, &query.stmt, values);
    code = ledger_read_rows(ledger, &query, err);
    return reader.no_memory ? ledger_no_memory(err) : code;
}

/* ---- one certificate of any kind --------------------------------------- */

enum devid_err ledger_find_certificate(struct ledger *ledger,
                                       const char *number,
                                       struct ledger_certificate *certificate,
                                       struct devid_error *err)
{
    const struct ledger_value value = value_text(number);
    const struct ledger_query query = {
        .stmt = STMT_GET_CERTIFICATE, .values = &value, .count = 1};
    struct ledger_row row = {0};
    enum devid_err code = ledger_read_row(ledger, &query, &row, err);

    *certificate = (struct ledger_certificate){
        .revoked_ms = row_number(&row, 1), .reason = (int)row_number(&row, 2)};
    row_copy_text(&row, 0, certificate->unit, sizeof(certificate->unit));
    if (code == DEVID_OK && !row.found)
        code =
            ledger_fail(err, DEVID_ERR_NOT_FOUND,
                        "there is no certificate %.64s in the ledger", number);
    ledger_row_clear(&row);
    return code;
}

enum devid_err ledger_revocations(struct ledger *ledger, uint64_t *mark,
                                  struct devid_error *err)
{
    const struct ledger_query query = {.stmt = STMT_REVOCATIONS};
    struct ledger_row row = {0};
    enum devid_err code = ledger_read_row(ledger, &query, &row, err);

    /* More of them, or the last one later: never again the same. */
    *mark = (uint64_t)row_number(&row, 0) * 1099511628211U +
            (uint64_t)row_number(&row, 1);
    ledger_row_clear(&row);
    return code;
}
