/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_store.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void ledger_row_clear(struct ledger_row *row)
{
    if (row->release)
        row->release(row->memory);
    *row = (struct ledger_row){0};
}

struct ledger_value value_text(const char *text)
{
    return (struct ledger_value){
        .kind = VALUE_TEXT, .data = text, .len = strlen(text)};
}

struct ledger_value value_name(const char *text)
{
    return *text ? value_text(text) : (struct ledger_value){.kind = VALUE_NULL};
}

struct ledger_value value_number(int64_t number)
{
    return (struct ledger_value){.kind = VALUE_NUMBER, .number = number};
}

struct ledger_value value_blob(const void *data, size_t len)
{
    if (len == 0)
        return (struct ledger_value){.kind = VALUE_NULL};
    return (struct ledger_value){.kind = VALUE_BLOB, .data = data, .len = len};
}

const char *row_text(const struct ledger_row *row, unsigned at)
{
    return at < row->count && row->values[at].kind == VALUE_TEXT
               ? row->values[at].data
               : "";
}

int64_t row_number(const struct ledger_row *row, unsigned at)
{
    return at < row->count ? row->values[at].number : 0;
}

void row_copy_text(const struct ledger_row *row, unsigned at, char *text,
                   size_t size)
{
    snprintf(text, size, "%s", row_text(row, at));
}

enum devid_err db_run(struct ledger_db *db, enum ledger_stmt stmt,
                      const struct ledger_value *values, size_t count,
                      struct ledger_row *row, struct devid_error *err)
{
    struct ledger_row unwanted = {0};
    enum devid_err code = db->store->send(db, stmt, values, count, err);

    if (code == DEVID_OK)
        code = db->store->receive(db, row ? row : &unwanted, err);
    ledger_row_clear(&unwanted);
    return code;
}

enum devid_err db_receive_number(struct ledger_db *db, int64_t *number,
                                 struct devid_error *err)
{
    struct ledger_row row = {0};
    enum devid_err code = db->store->receive(db, &row, err);

    *number = row_number(&row, 0);
    ledger_row_clear(&row);
    return code;
}

enum devid_err ledger_fail(struct devid_error *err, enum devid_err code,
                           const char *format, ...)
{
    va_list values;

    if (!err)
        return code;
    err->device_rc = 0;
    va_start(values, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, values);
    va_end(values);
    return code;
}

enum devid_err ledger_no_memory(struct devid_error *err)
{
    return ledger_fail(err, DEVID_ERR_SYSTEM, "out of memory");
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t ledger_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t ledger_ticks_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}
