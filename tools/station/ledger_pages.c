/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_pages.h"

#include <stdio.h>
#include <string.h>

#include "ledger_queue.h"

enum {
    BOUND_SIZE = LEDGER_TEXT_SIZE + 8
};

/* ---- units ------------------------------------------------------------- */

struct page_reader {
    bool (*each)(void *arg, const struct ledger_unit *unit);
    void *arg;
    bool no_memory;
};

static bool read_unit(void *arg, const struct ledger_row *row)
{
    struct page_reader *reader = arg;
    struct ledger_unit unit;
    bool more;

    reader->no_memory = !unit_from_row(row, &unit);
    more = !reader->no_memory && reader->each(reader->arg, &unit);
    ledger_unit_clear(&unit);
    return more;
}

/* All units of a state, of whatever batch: that comes first in their order. */
static bool goes_by_batch(const struct ledger_unit_page *page)
{
    return page->state && !*page->batch;
}

/* No serial has a control character: none lies between the last one and that
 * with such behind it. Nor is there a character beyond U+10FFFF. */
static void set_bounds(const struct ledger_unit_page *page,
                       char from[BOUND_SIZE], char to[BOUND_SIZE])
{
    if (!goes_by_batch(page) && strcmp(page->after, page->prefix) > 0)
        snprintf(from, BOUND_SIZE, "%.127s\x01", page->after);
    else
        snprintf(from, BOUND_SIZE, "%.127s", page->prefix);
    snprintf(to, BOUND_SIZE, "%.127s\xf4\x8f\xbf\xbf", page->prefix);
}

static enum ledger_stmt page_stmt(const struct ledger_unit_page *page)
{
    if (*page->batch)
        return page->state ? STMT_UNITS_PAGE_BOTH : STMT_UNITS_PAGE_BATCH;
    return page->state ? STMT_UNITS_PAGE_STATE : STMT_UNITS_PAGE;
}

enum devid_err
ledger_unit_page(struct ledger *ledger, const struct ledger_unit_page *page,
                 bool (*each)(void *arg, const struct ledger_unit *unit),
                 void *arg, struct devid_error *err)
{
    struct page_reader reader = {.each = each, .arg = arg};
    char from[BOUND_SIZE];
    char to[BOUND_SIZE];
    struct ledger_value values[6] = {{0}};
    struct ledger_query query = {page_stmt(page), values, 3, read_unit,
                                 &reader};
    enum devid_err code;

    set_bounds(page, from, to);
    values[0] = value_text(from);
    values[1] = value_text(to);
    values[2] = value_number(page->limit);
    if (page->state)
        values[query.count++] = value_text(unit_state_name(*page->state));
    if (*page->batch)
        values[query.count++] = value_text(page->batch);
    if (goes_by_batch(page)) {
        values[query.count++] = value_text(page->after_batch);
        values[query.count++] = value_text(page->after);
    }
    code = ledger_read_rows(ledger, &query, err);
    return reader.no_memory ? ledger_no_memory(err) : code;
}

/* ---- figures ----------------------------------------------------------- */

struct tally_reader {
    bool (*each)(void *arg, const struct ledger_tally *tally);
    void *arg;
};

static bool read_tally(void *arg, const struct ledger_row *row)
{
    const struct tally_reader *reader = arg;
    struct ledger_tally tally = {.batch = row_text(row, 0),
                                 .count = (uint64_t)row_number(row, 2)};

    /* A word that nobody knows is verify-log's to find. */
    return !unit_state_parse(row_text(row, 1), &tally.state) ||
           reader->each(reader->arg, &tally);
}

enum devid_err ledger_tallies(struct ledger *ledger,
                              bool (*each)(void *arg,
                                           const struct ledger_tally *tally),
                              void *arg, struct devid_error *err)
{
    struct tally_reader reader = {each, arg};
    const struct ledger_query query = {
        .stmt = STMT_TALLIES, .each = read_tally, .arg = &reader};

    return ledger_read_rows(ledger, &query, err);
}

struct pace_reader {
    bool (*each)(void *arg, const struct ledger_pace *pace);
    void *arg;
};

static bool read_pace(void *arg, const struct ledger_row *row)
{
    const struct pace_reader *reader = arg;
    const struct ledger_pace pace = {row_number(row, 0), row_number(row, 1)};

    return reader->each(reader->arg, &pace);
}

enum devid_err
ledger_paces(struct ledger *ledger, const struct ledger_pace_query *asked,
             bool (*each)(void *arg, const struct ledger_pace *pace), void *arg,
             struct devid_error *err)
{
    struct pace_reader reader = {each, arg};
    char first[UNIT_MOMENT_SIZE];
    const struct ledger_value values[] = {
        value_text(asked->batch),
        value_text(unit_id_moment(asked->since_ms, first)),
        value_number(asked->limit)};
    const struct ledger_query query = {STMT_PACES, values, 3, read_pace,
                                       &reader};

    return ledger_read_rows(ledger, &query, err);
}

static bool take_number(void *arg, const struct ledger_row *row)
{
    *(uint64_t *)arg = (uint64_t)row_number(row, 0);
    return false;
}

enum devid_err ledger_stumbled(struct ledger *ledger, const char *batch,
                               uint64_t *count, struct devid_error *err)
{
    const struct ledger_value value = value_text(batch);
    const struct ledger_query query = {STMT_STUMBLED, &value, 1, take_number,
                                       count};

    *count = 0;
    return ledger_read_rows(ledger, &query, err);
}

static bool take_batch(void *arg, const struct ledger_row *row)
{
    row_copy_text(row, 0, arg, LEDGER_TEXT_SIZE);
    return false;
}

enum devid_err ledger_newest_batch(struct ledger *ledger,
                                   char batch[LEDGER_TEXT_SIZE],
                                   struct devid_error *err)
{
    const struct ledger_query query = {
        .stmt = STMT_NEWEST_BATCH, .each = take_batch, .arg = batch};

    *batch = '\0';
    return ledger_read_rows(ledger, &query, err);
}

struct due_reader {
    bool (*each)(void *arg, const struct ledger_due *due);
    void *arg;
};

static bool read_due(void *arg, const struct ledger_row *row)
{
    const struct due_reader *reader = arg;
    const struct ledger_due due = {row_number(row, 0),
                                   (uint64_t)row_number(row, 1)};

    return reader->each(reader->arg, &due);
}

enum devid_err ledger_renewals(struct ledger *ledger, int64_t now_ms,
                               bool (*each)(void *arg,
                                            const struct ledger_due *due),
                               void *arg, struct devid_error *err)
{
    struct due_reader reader = {each, arg};
    const struct ledger_value values[] = {
        value_number(now_ms),
        value_number(now_ms - DUE_EXPIRED_DAYS * INT64_C(86400000))};
    const struct ledger_query query = {STMT_RENEWALS, values, 2, read_due,
                                       &reader};

    return ledger_read_rows(ledger, &query, err);
}
