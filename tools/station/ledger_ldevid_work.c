/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An LDevID is asked for, issued, judged by a person, revoked. Its unit's row
 * is held meanwhile, so that nothing is issued to a unit that is being retired.
 */
#include <stdio.h>
#include <string.h>

#include "ledger_work.h"

/* ---- a row is put or set ----------------------------------------------- */

static enum devid_err send_row(struct work *work, struct ledger_db *db,
                               struct devid_error *err)
{
    const struct ledger_ldevid *ldevid = &work->ldevid;
    struct ledger_value values[LDEVID_VALUES];

    ldevid_to_values(ldevid, values);
    if (!chain_row_digest(values, LDEVID_VALUES, work->row_digest))
        return ledger_no_memory(err);
    return db->store->send(
        db, ldevid->revision == 1 ? STMT_PUT_LDEVID : STMT_SET_LDEVID, values,
        LDEVID_VALUES, err);
}

static void work_set_ldevid(struct work *work)
{
    work->ldevid.revision++;
    work->ldevid.changed_ms = work->now_ms;
    work_next(work, send_row, take_set);
}

static enum devid_err send_number(struct work *work, struct ledger_db *db,
                                  struct devid_error *err)
{
    const struct ledger_ldevid *ldevid = &work->ldevid;
    const struct ledger_value values[] = {
        value_text(ldevid->number),
        value_text(ldevid->unit),
        value_number(ldevid->generation),
        value_number(ldevid->not_after_ms),
    };

    return db->store->send(db, STMT_PUT_CERTIFICATE, values, 4, err);
}

static enum devid_err take_number(struct work *work,
                                  const struct ledger_row *row,
                                  struct devid_error *err)
{
    (void)err;
    if (!row->found) {
        snprintf(work->column, sizeof(work->column), "number");
        return work_end(work, LEDGER_DUPLICATE,
                        "the LDevID for unit %s has the serial number %s, "
                        "which another certificate has already",
                        work->ldevid.serial, work->ldevid.number);
    }
    work_end(work, LEDGER_DONE, "%s", "");
    work_set_ldevid(work);
    return DEVID_OK;
}

/* ---- ASK and ISSUE ----------------------------------------------------- */

/* The newest row of the key says that there is nothing to be done; false:
 * there is. */
static bool end_with(struct work *work, const struct ledger_ldevid *newest)
{
    const struct ledger_ldevid *asked = &work->job->ldevid;
    bool issue = work->job->op == LEDGER_ISSUE_LDEVID;

    if (strcmp(newest->unit, asked->unit) != 0 ||
        strcmp(newest->label, asked->label) != 0) {
        bool own = strcmp(newest->unit, asked->unit) == 0;
        snprintf(work->column, sizeof(work->column), own ? "label" : "key");
        work_end(work, LEDGER_DUPLICATE,
                 own ? "the key in the request of unit %s has an LDevID of "
                       "another label: each wants a key of its own"
                     : "the key in the request of unit %s has an LDevID of "
                       "another unit",
                 work->unit.serial);
        return true;
    }
    if (newest->generation < work->unit.generation)
        return false;
    switch (newest->state) {
    case LDEVID_APPROVED:
        if (issue)
            return false;
        break;
    case LDEVID_PENDING:
    case LDEVID_REFUSED:
        if (!issue)
            break;
        work_end(work, LEDGER_STATE, "the LDevID of unit %s is %s",
                 newest->serial, ldevid_state_name(newest->state));
        return true;
    case LDEVID_ISSUED:
        if (newest->revoked_ms > 0) {
            work_end(work, LEDGER_STATE,
                     "the LDevID %s of unit %s is revoked: its key gets no "
                     "other",
                     newest->number, newest->serial);
            return true;
        }
        if (strcmp(newest->number, asked->renews) == 0)
            return false;
        break;
    }
    work_end(work, LEDGER_AGAIN, "the LDevID of unit %s is %s already",
             newest->serial, ldevid_state_name(newest->state));
    return true;
}

/* What is asked for, as the row is to be: a new one, or the one that waits. */
static enum devid_err fill_row(struct work *work,
                               const struct ledger_ldevid *waiting,
                               struct devid_error *err)
{
    struct ledger_ldevid *ldevid = &work->ldevid;
    bool issue = work->job->op == LEDGER_ISSUE_LDEVID;

    ledger_ldevid_clear(ldevid);
    if (!ldevid_copy(&work->job->ldevid, ldevid) ||
        (!waiting && !unit_new_id(work->now_ms, ldevid->id)))
        return ledger_no_memory(err);
    if (waiting) {
        memcpy(ldevid->id, waiting->id, sizeof(ldevid->id));
        memcpy(ldevid->renews, waiting->renews, sizeof(ldevid->renews));
        ldevid->renewal = waiting->renewal;
    }
    memcpy(ldevid->serial, work->unit.serial, sizeof(ldevid->serial));
    snprintf(ldevid->station, sizeof(ldevid->station), "%s", work->station);
    ldevid->generation = work->unit.generation;
    ldevid->revision = waiting ? waiting->revision : 0;
    ldevid->asked_ms = waiting ? waiting->asked_ms : work->now_ms;
    ldevid->issued_ms = issue ? work->now_ms : 0;
    ldevid->revoked_ms = 0;
    ldevid->reason = 0;
    ldevid->state = issue ? LDEVID_ISSUED : LDEVID_PENDING;
    if (issue) {
        work_next(work, send_number, take_number);
        return DEVID_OK;
    }
    work_end(work, LEDGER_DONE, "%s", "");
    work_set_ldevid(work);
    return DEVID_OK;
}

static enum devid_err take_newest(struct work *work,
                                  const struct ledger_row *row,
                                  struct devid_error *err)
{
    struct ledger_ldevid newest = {0};
    enum devid_err code = DEVID_OK;
    bool waits;

    if (!row->found)
        return fill_row(work, NULL, err);
    if (!ldevid_from_row(row, &newest)) {
        ledger_ldevid_clear(&newest);
        return ledger_no_memory(err);
    }
    if (end_with(work, &newest)) {
        ledger_ldevid_clear(&work->ldevid);
        /* Nobody is shown what another unit has. */
        if (work->outcome != LEDGER_DUPLICATE) {
            work->ldevid = newest;
            newest = (struct ledger_ldevid){0};
        }
    } else {
        waits = newest.state == LDEVID_APPROVED &&
                newest.generation == work->unit.generation;
        code = fill_row(work, waits ? &newest : NULL, err);
    }
    ledger_ldevid_clear(&newest);
    return code;
}

static enum devid_err send_newest(struct work *work, struct ledger_db *db,
                                  struct devid_error *err)
{
    const struct ledger_value value = value_text(work->job->ldevid.key_digest);

    return db->store->send(db, STMT_LDEVID_BY_KEY, &value, 1, err);
}

static enum devid_err ask(struct work *work)
{
    const struct ledger_ldevid *asked = &work->job->ldevid;
    bool issue = work->job->op == LEDGER_ISSUE_LDEVID;

    if (work->unit.state < UNIT_ISSUED)
        return work_end(work, LEDGER_STATE,
                        "the unit %s is %s: it has no IDevID yet",
                        work->unit.serial, unit_state_name(work->unit.state));
    if (issue && (!*asked->number || asked->cert.len == 0))
        return work_end(work, LEDGER_FAILED,
                        "what was to be issued to unit %s is no certificate",
                        work->unit.serial);
    if (!*asked->key_digest)
        return work_end(work, LEDGER_FAILED,
                        "an LDevID for unit %s was asked for without a key",
                        work->unit.serial);
    work_next(work, send_newest, take_newest);
    return DEVID_OK;
}

/* ---- what a person does ------------------------------------------------ */

static enum devid_err judge(struct work *work, enum ldevid_state wish)
{
    struct ledger_ldevid *ldevid = &work->ldevid;

    if (ldevid->state == wish)
        return work_end(work, LEDGER_AGAIN,
                        "the LDevID %s of unit %s is %s already", ldevid->id,
                        ldevid->serial, ldevid_state_name(wish));
    if (ldevid->state == LDEVID_ISSUED)
        return work_end(work, LEDGER_STATE,
                        "the LDevID %s of unit %s is issued: it cannot be %s",
                        ldevid->id, ldevid->serial, ldevid_state_name(wish));
    ldevid->state = wish;
    work_end(work, LEDGER_DONE, "%s", "");
    work_set_ldevid(work);
    return DEVID_OK;
}

static enum devid_err send_revoked(struct work *work, struct ledger_db *db,
                                   struct devid_error *err)
{
    const struct ledger_value values[] = {
        value_text(work->ldevid.number),
        value_number(work->now_ms),
        value_number(work->ldevid.reason),
    };

    return db->store->send(db, STMT_REVOKE_NUMBER, values, 3, err);
}

static enum devid_err take_revoked(struct work *work,
                                   const struct ledger_row *row,
                                   struct devid_error *err)
{
    (void)row;
    (void)err;
    work_end(work, LEDGER_DONE, "%s", "");
    work_set_ldevid(work);
    return DEVID_OK;
}

static enum devid_err revoke(struct work *work)
{
    struct ledger_ldevid *ldevid = &work->ldevid;

    if (ldevid->revoked_ms > 0)
        return work_end(work, LEDGER_AGAIN,
                        "the LDevID %s of unit %s is revoked already",
                        ldevid->number, ldevid->serial);
    ldevid->revoked_ms = work->now_ms;
    ldevid->reason = work->job->reason;
    work_next(work, send_revoked, take_revoked);
    return DEVID_OK;
}

/* ---- the unit ---------------------------------------------------------- */

static enum devid_err take_unit(struct work *work, const struct ledger_row *row,
                                struct devid_error *err)
{
    bool revoking = work->job->op == LEDGER_REVOKE_LDEVID;
    bool refusing = work->job->op == LEDGER_REFUSE_LDEVID;

    (void)err;
    if (!row->found)
        return work_end(work, LEDGER_NOT_FOUND, "there is no unit %s",
                        work->job->ldevid.unit);
    row_copy_text(row, 0, work->unit.serial, sizeof(work->unit.serial));
    if (!unit_state_parse(row_text(row, 1), &work->unit.state))
        work->unit.state = UNIT_SEEN;
    work->unit.generation = (unsigned)row_number(row, 2);
    if (revoking)
        return revoke(work);
    if (work->unit.state == UNIT_RETIRED && !refusing)
        return work_end(work, LEDGER_STATE, "the unit %s is retired",
                        work->unit.serial);
    if (refusing)
        return judge(work, LDEVID_REFUSED);
    return work->job->op == LEDGER_APPROVE_LDEVID ? judge(work, LDEVID_APPROVED)
                                                  : ask(work);
}

static enum devid_err send_unit(struct work *work, struct ledger_db *db,
                                struct devid_error *err)
{
    const struct ledger_value value = value_text(
        *work->ldevid.unit ? work->ldevid.unit : work->job->ldevid.unit);

    return db->store->send(db, STMT_HOLD_UNIT, &value, 1, err);
}

static enum devid_err take_ldevid(struct work *work,
                                  const struct ledger_row *row,
                                  struct devid_error *err)
{
    const struct ledger_ldevid *asked = &work->job->ldevid;

    if (!row->found)
        return work_end(work, LEDGER_NOT_FOUND, "there is no LDevID %s",
                        *asked->id ? asked->id : asked->number);
    if (!ldevid_from_row(row, &work->ldevid))
        return ledger_no_memory(err);
    work_next(work, send_unit, take_unit);
    return DEVID_OK;
}

static enum devid_err send_ldevid(struct work *work, struct ledger_db *db,
                                  struct devid_error *err)
{
    const struct ledger_ldevid *asked = &work->job->ldevid;
    bool by_id = *asked->id != '\0';
    const struct ledger_value value =
        value_name(by_id ? asked->id : asked->number);

    return db->store->send(
        db, by_id ? STMT_LDEVID_BY_ID : STMT_LDEVID_BY_NUMBER, &value, 1, err);
}

void ldevid_begin(struct work *work)
{
    enum ledger_op op = work->job->op;

    if (op == LEDGER_ASK_LDEVID || op == LEDGER_ISSUE_LDEVID)
        work_next(work, send_unit, take_unit);
    else
        work_next(work, send_ldevid, take_ldevid);
}
