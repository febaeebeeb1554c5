/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches are opened and closed.
 */
#include <stdio.h>
#include <string.h>

#include "ledger_work.h"

static enum devid_err keep_batch(struct work *work, struct devid_error *err)
{
    struct ledger_value values[BATCH_VALUES];

    batch_to_values(&work->batch, values);
    if (!chain_row_digest(values, BATCH_VALUES, work->row_digest))
        return ledger_no_memory(err);
    work->changed = true;
    return work_end(work, LEDGER_DONE, "%s", "");
}

static enum devid_err send_name(struct work *work, struct ledger_db *db,
                                struct devid_error *err)
{
    const struct ledger_value value = value_text(work->job->batch.name);

    return db->store->send(db, STMT_BATCH_BY_NAME, &value, 1, err);
}

/* ---- open -------------------------------------------------------------- */

static enum devid_err send_token(struct work *work, struct ledger_db *db,
                                 struct devid_error *err)
{
    const struct ledger_value value = value_text(work->job->batch.token_digest);

    return db->store->send(db, STMT_BATCH_BY_TOKEN, &value, 1, err);
}

static enum devid_err take_same_token(struct work *work,
                                      const struct ledger_row *row,
                                      struct devid_error *err)
{
    if (!row->found)
        return work_changed_meanwhile(err);
    batch_from_row(row, &work->batch);
    snprintf(work->column, sizeof(work->column), "token");
    return work_end(work, LEDGER_DUPLICATE,
                    "the batch %s has this token already: each needs one of "
                    "its own",
                    work->batch.name);
}

static enum devid_err take_same_name(struct work *work,
                                     const struct ledger_row *row,
                                     struct devid_error *err)
{
    const struct ledger_batch *asked = &work->job->batch;

    (void)err;
    if (!row->found) {
        work_next(work, send_token, take_same_token);
        return DEVID_OK;
    }
    batch_from_row(row, &work->batch);
    if (!work->batch.closed && work->batch.quota == asked->quota &&
        strcmp(work->batch.product, asked->product) == 0 &&
        strcmp(work->batch.token_digest, asked->token_digest) == 0)
        return work_end(work, LEDGER_AGAIN, "the batch %s is open already",
                        asked->name);
    snprintf(work->column, sizeof(work->column), "name");
    return work_end(work, LEDGER_DUPLICATE,
                    "there is a batch %s already, of %llu units of %s%s",
                    asked->name, (unsigned long long)work->batch.quota,
                    work->batch.product,
                    work->batch.closed ? ", which is closed" : "");
}

static enum devid_err send_put(struct work *work, struct ledger_db *db,
                               struct devid_error *err)
{
    const struct ledger_batch *batch = &work->job->batch;
    const struct ledger_value values[] = {
        value_text(batch->name),         value_text(batch->product),
        value_text(batch->token_digest), value_number((int64_t)batch->quota),
        value_number(work->now_ms),
    };

    return db->store->send(db, STMT_PUT_BATCH, values, 5, err);
}

static enum devid_err take_put(struct work *work, const struct ledger_row *row,
                               struct devid_error *err)
{
    if (!row->found) {
        work_next(work, send_name, take_same_name);
        return DEVID_OK;
    }
    work->batch = work->job->batch;
    work->batch.used = 0;
    work->batch.closed = false;
    work->batch.opened_ms = work->now_ms;
    return keep_batch(work, err);
}

void open_batch_begin(struct work *work)
{
    const struct ledger_batch *batch = &work->job->batch;

    if (!*batch->name || !*batch->token_digest || batch->quota == 0 ||
        batch->quota > INT64_MAX)
        work_end(work, LEDGER_FAILED, "%s",
                 "a batch needs a name, a token and a number of units");
    else
        work_next(work, send_put, take_put);
}

/* ---- close ------------------------------------------------------------- */

static enum devid_err take_open(struct work *work, const struct ledger_row *row,
                                struct devid_error *err)
{
    (void)err;
    if (!row->found)
        return work_end(work, LEDGER_NO_BATCH, "there is no batch %s",
                        work->job->batch.name);
    batch_from_row(row, &work->batch);
    return work_end(work, LEDGER_AGAIN, "the batch %s is closed already",
                    work->batch.name);
}

static enum devid_err take_closed(struct work *work,
                                  const struct ledger_row *row,
                                  struct devid_error *err)
{
    if (!row->found)
        return work_changed_meanwhile(err);
    batch_from_row(row, &work->batch);
    return keep_batch(work, err);
}

static enum devid_err send_shut(struct work *work, struct ledger_db *db,
                                struct devid_error *err)
{
    const struct ledger_value value = value_text(work->job->batch.name);

    return db->store->send(db, STMT_SHUT_BATCH, &value, 1, err);
}

static enum devid_err take_shut(struct work *work, const struct ledger_row *row,
                                struct devid_error *err)
{
    (void)err;
    work_next(work, send_name, row->found ? take_closed : take_open);
    return DEVID_OK;
}

void close_batch_begin(struct work *work)
{
    work_next(work, send_shut, take_shut);
}
