/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_work.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

static const char *const op_names[] = {
    [LEDGER_ENROL] = "enrol",
    [LEDGER_ISSUE] = "issue",
    [LEDGER_ADVANCE] = "advance",
    [LEDGER_RETIRE] = "retire",
    [LEDGER_ASK_LDEVID] = "ldevid-ask",
    [LEDGER_ISSUE_LDEVID] = "ldevid-issue",
    [LEDGER_APPROVE_LDEVID] = "ldevid-approve",
    [LEDGER_REFUSE_LDEVID] = "ldevid-refuse",
    [LEDGER_REVOKE_LDEVID] = "ldevid-revoke",
    [LEDGER_REFUSE] = "refuse",
    [LEDGER_OPEN_BATCH] = "open-batch",
    [LEDGER_CLOSE_BATCH] = "close-batch",
};

void work_next(struct work *work,
               enum devid_err (*send)(struct work *work, struct ledger_db *db,
                                      struct devid_error *err),
               enum devid_err (*take)(struct work *work,
                                      const struct ledger_row *row,
                                      struct devid_error *err))
{
    work->send = send;
    work->take = take;
}

enum devid_err work_end(struct work *work, enum ledger_outcome outcome,
                        const char *format, ...)
{
    va_list values;

    work->send = NULL;
    work->outcome = outcome;
    va_start(values, format);
    (void)vsnprintf(work->error.text, sizeof(work->error.text), format, values);
    va_end(values);
    return DEVID_OK;
}

enum devid_err work_changed_meanwhile(struct devid_error *err)
{
    return ledger_fail(err, DEVID_ERR_BUSY,
                       "the row was changed by another meanwhile");
}

/* ---- texts from outside ------------------------------------------------ */

/* What a database would not take is a question mark; cut between characters. */
static void copy_clean(char *text, size_t size, const char *from)
{
    const unsigned char *at = (const unsigned char *)from;
    size_t used = 0;

    while (*at) {
        size_t len = utf8_len(at);
        if (used + (len ? len : 1) >= size)
            break;
        if (len > 0)
            memcpy(text + used, at, len);
        else
            text[used] = '?';
        used += len ? len : 1;
        at += len ? len : 1;
    }
    text[used] = '\0';
}

static bool texts_are_clean(const struct ledger_job *job)
{
    const struct ledger_unit *unit = &job->unit;
    const struct ledger_ldevid *ldevid = &job->ldevid;
    const struct ledger_batch *batch = &job->batch;

    if (job->op == LEDGER_REFUSE)
        return true;
    return utf8_is_clean(unit->id) && utf8_is_clean(unit->serial) &&
           utf8_is_clean(unit->model) && utf8_is_clean(unit->mac) &&
           utf8_is_clean(unit->batch) && utf8_is_clean(unit->operator_name) &&
           utf8_is_clean(unit->ek_digest) && utf8_is_clean(unit->iak_name) &&
           utf8_is_clean(unit->idevid_name) &&
           utf8_is_clean(unit->challenge_digest) && utf8_is_clean(ldevid->id) &&
           utf8_is_clean(ldevid->unit) && utf8_is_clean(ldevid->label) &&
           utf8_is_clean(ldevid->number) && utf8_is_clean(ldevid->renews) &&
           utf8_is_clean(ldevid->key_digest) && utf8_is_clean(batch->name) &&
           utf8_is_clean(batch->product) && utf8_is_clean(batch->token_digest);
}

/* ---- beginning and end ------------------------------------------------- */

static void refuse_begin(struct work *work)
{
    work_end(work, LEDGER_DONE, "%s", "");
}

static void (*const beginnings[])(struct work *work) = {
    [LEDGER_ENROL] = enrol_begin,
    [LEDGER_ISSUE] = unit_begin,
    [LEDGER_ADVANCE] = unit_begin,
    [LEDGER_RETIRE] = unit_begin,
    [LEDGER_ASK_LDEVID] = ldevid_begin,
    [LEDGER_ISSUE_LDEVID] = ldevid_begin,
    [LEDGER_APPROVE_LDEVID] = ldevid_begin,
    [LEDGER_REFUSE_LDEVID] = ldevid_begin,
    [LEDGER_REVOKE_LDEVID] = ldevid_begin,
    [LEDGER_REFUSE] = refuse_begin,
    [LEDGER_OPEN_BATCH] = open_batch_begin,
    [LEDGER_CLOSE_BATCH] = close_batch_begin,
};

void work_begin(struct work *work)
{
    *work = (struct work){
        .job = work->job,
        .station = work->station,
        .allotment = work->allotment,
        .now_ms = ledger_now_ms(),
    };
    if (!texts_are_clean(work->job))
        work_end(work, LEDGER_FAILED, "%s",
                 "a name in the request is not UTF-8, or has control "
                 "characters in it; nothing was recorded");
    else
        beginnings[work->job->op](work);
}

void work_clear(struct work *work)
{
    ledger_unit_clear(&work->unit);
    ledger_ldevid_clear(&work->ldevid);
}

void work_hand_over(struct work *work)
{
    struct ledger_job *job = work->job;

    job->outcome = work->outcome;
    job->error = work->error;
    memcpy(job->column, work->column, sizeof(job->column));
    if (work->batch.name[0])
        job->batch = work->batch;
    if (work->ldevid.id[0]) {
        ledger_ldevid_clear(&job->ldevid);
        job->ldevid = work->ldevid;
        work->ldevid = (struct ledger_ldevid){0};
    }
    if (!work->unit.id[0])
        return;
    ledger_unit_clear(&job->unit);
    job->unit = work->unit;
    work->unit = (struct ledger_unit){0};
}

/* ---- setting a unit's row ---------------------------------------------- */

enum devid_err send_find(struct work *work, struct ledger_db *db,
                         struct devid_error *err)
{
    const struct ledger_unit *unit = &work->job->unit;
    const char *const names[] = {
        [UNIT_BY_ID] = unit->id,
        [UNIT_BY_SERIAL] = unit->serial,
        [UNIT_BY_EK] = unit->ek_digest,
        [UNIT_BY_IAK] = unit->iak_name,
        [UNIT_BY_IDEVID] = unit->idevid_name,
        [UNIT_BY_MAC] = unit->mac,
    };
    /* No row has NULL: what the job does not name is not found. */
    const struct ledger_value value = value_name(names[work->key]);

    return db->store->send(db, STMT_UNIT_BY_ID + work->key, &value, 1, err);
}

static enum devid_err send_set(struct work *work, struct ledger_db *db,
                               struct devid_error *err)
{
    struct ledger_value values[UNIT_VALUES];
    struct ledger_value step[UNIT_STEP_VALUES];

    unit_to_values(&work->unit, values);
    if (!chain_row_digest(values, UNIT_SEALED, work->row_digest))
        return ledger_no_memory(err);
    if (work->renewing)
        return db->store->send(db, STMT_SET_UNIT, values, UNIT_VALUES, err);
    unit_step_values(values, step);
    return db->store->send(db, STMT_STEP_UNIT, step, UNIT_STEP_VALUES, err);
}

enum devid_err take_set(struct work *work, const struct ledger_row *row,
                        struct devid_error *err)
{
    if (!row->found)
        return work_changed_meanwhile(err);
    work->changed = true;
    work->send = NULL;
    return DEVID_OK;
}

void work_set_unit(struct work *work)
{
    work->unit.revision++;
    work->unit.changed_ms = work->now_ms;
    work_next(work, send_set, take_set);
}

/* ---- the entry --------------------------------------------------------- */

static bool is_refusal(const struct work *work)
{
    return work->outcome != LEDGER_DONE && work->outcome != LEDGER_AGAIN;
}

static bool is_ldevid_op(enum ledger_op op)
{
    return beginnings[op] == ldevid_begin;
}

static void put_detail(const struct work *work, char *detail, size_t size)
{
    const struct ledger_job *job = work->job;
    const char *own = job->detail ? job->detail : "";
    char text[ENTRY_DETAIL_SIZE + DEVID_ERROR_TEXT_SIZE];

    if (is_refusal(work))
        snprintf(text, sizeof(text), "%s: %s", op_names[job->op],
                 work->error.text);
    else if (work->outcome == LEDGER_AGAIN)
        snprintf(text, sizeof(text), "again%s%s", *own ? ": " : "", own);
    else if (job->op == LEDGER_ADVANCE && !*own)
        snprintf(text, sizeof(text), "%s", unit_state_name(job->unit.state));
    else if (job->op == LEDGER_ISSUE) /* verify counts on it */
        snprintf(text, sizeof(text), "%s%s%s", work->numbers[0],
                 work->numbers[1][0] ? " " : "", work->numbers[1]);
    else if (job->op == LEDGER_RETIRE && !*own)
        snprintf(text, sizeof(text), "%s", revocation_reason_name(job->reason));
    else if (is_ldevid_op(job->op) && !*own)
        snprintf(text, sizeof(text), "%s", work->ldevid.number);
    else
        snprintf(text, sizeof(text), "%s", own);
    copy_clean(detail, size, text);
}

/* Which row it is about: none where the job found none. */
static void put_subject(const struct work *work, struct entry_texts *texts)
{
    const struct ledger_job *job = work->job;
    const char *serial = job->unit.serial;

    texts->subject[0] = '\0';
    if (job->op == LEDGER_OPEN_BATCH || job->op == LEDGER_CLOSE_BATCH) {
        if (!is_refusal(work))
            snprintf(texts->subject, sizeof(texts->subject), "batch:%s",
                     job->batch.name);
        serial = "";
    } else if (is_ldevid_op(job->op)) {
        serial = *work->unit.serial ? work->unit.serial : work->ldevid.serial;
        if (work->changed)
            snprintf(texts->subject, sizeof(texts->subject), "ldevid:%s",
                     work->ldevid.id);
        else if (*work->unit.serial)
            snprintf(texts->subject, sizeof(texts->subject), "%s",
                     *work->ldevid.unit ? work->ldevid.unit : job->ldevid.unit);
    } else if (work->unit.id[0] && work->outcome != LEDGER_DUPLICATE) {
        snprintf(texts->subject, sizeof(texts->subject), "%s", work->unit.id);
        serial = work->unit.serial;
    }
    copy_clean(texts->serial, sizeof(texts->serial), serial);
}

void work_entry(const struct work *work, int64_t seq, struct entry_texts *texts,
                struct ledger_value values[ENTRY_VALUES])
{
    const struct ledger_job *job = work->job;
    bool is_batch =
        job->op == LEDGER_OPEN_BATCH || job->op == LEDGER_CLOSE_BATCH;
    int64_t revision = is_batch                ? 1 + work->batch.closed
                       : is_ldevid_op(job->op) ? work->ldevid.revision
                                               : work->unit.revision;

    put_subject(work, texts);
    put_detail(work, texts->detail, sizeof(texts->detail));
    copy_clean(texts->peer, sizeof(texts->peer), job->peer ? job->peer : "");
    values[ENTRY_STATION] = value_text(work->station);
    values[ENTRY_SEQ] = value_number(seq);
    values[ENTRY_TIME] = value_number(work->now_ms);
    values[ENTRY_EVENT] =
        value_text(is_refusal(work) ? "refuse" : op_names[job->op]);
    values[ENTRY_SUBJECT] = value_text(texts->subject);
    values[ENTRY_REVISION] = value_number(work->changed ? revision : 0);
    values[ENTRY_SERIAL] = value_text(texts->serial);
    values[ENTRY_PEER] = value_text(texts->peer);
    values[ENTRY_DETAIL] = value_text(texts->detail);
    values[ENTRY_ROW_DIGEST] =
        value_text(work->changed ? work->row_digest : "");
}
