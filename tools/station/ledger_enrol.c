/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unit's row is made. The new row is tried first: only one that collides is
 * looked for, by each name that is unique.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ledger_member.h"
#include "ledger_work.h"

enum {
    TRIES_MAX = 3
};

static enum devid_err send_put(struct work *work, struct ledger_db *db,
                               struct devid_error *err);
static enum devid_err take_put(struct work *work, const struct ledger_row *row,
                               struct devid_error *err);
static enum devid_err take_find(struct work *work, const struct ledger_row *row,
                                struct devid_error *err);

/* What makes a name in a sentence: the columns of enum unit_key. */
static const struct {
    const char *column;
    const char *what;
} keys[] = {
    [UNIT_BY_ID] = {"id", "id"},
    [UNIT_BY_SERIAL] = {"serial", "serial number"},
    [UNIT_BY_EK] = {"ek", "endorsement key"},
    [UNIT_BY_IAK] = {"iak", "attestation key (IAK)"},
    [UNIT_BY_IDEVID] = {"idevid", "IDevID key"},
    [UNIT_BY_MAC] = {"mac", "MAC address"},
};

/* ---- outcomes ---------------------------------------------------------- */

static enum devid_err end_without_quota(struct work *work)
{
    return work_end(work, LEDGER_QUOTA,
                    "the batch %s is used up: all units that it was opened "
                    "for are enrolled",
                    work->job->unit.batch);
}

static enum devid_err end_duplicate(struct work *work)
{
    const struct ledger_unit *other = &work->unit;
    char day[32] = "";
    time_t seconds = (time_t)(other->enrolled_ms / 1000);
    struct tm utc;

    if (gmtime_r(&seconds, &utc))
        (void)strftime(day, sizeof(day), "%Y-%m-%d", &utc);
    snprintf(work->column, sizeof(work->column), "%s", keys[work->key].column);
    return work_end(work, LEDGER_DUPLICATE,
                    "the %s of unit %s is that of unit %s, enrolled at %s on "
                    "%s in batch %s",
                    keys[work->key].what, work->job->unit.serial, other->serial,
                    other->station, day, other->batch);
}

/* ---- a row that is there ----------------------------------------------- */

static bool same_names(const struct ledger_unit *a, const struct ledger_unit *b)
{
    return strcmp(a->serial, b->serial) == 0 &&
           strcmp(a->ek_digest, b->ek_digest) == 0 &&
           strcmp(a->iak_name, b->iak_name) == 0 &&
           strcmp(a->idevid_name, b->idevid_name) == 0;
}

static bool same_machine(const struct ledger_unit *a,
                         const struct ledger_unit *b)
{
    return strcmp(a->serial, b->serial) == 0 &&
           strcmp(a->ek_digest, b->ek_digest) == 0;
}

/*
 * Who repeats a device's request must not close the challenge that it is about
 * to answer: one that is open is given again. Only its TPM can answer it.
 */
static enum devid_err answer_again(struct work *work, struct devid_error *err)
{
    const struct ledger_unit *asked = &work->job->unit;
    struct ledger_unit *unit = &work->unit;
    const bool open =
        unit->challenge.len > 0 && unit->challenge_expires_ms > work->now_ms;

    work_end(work, LEDGER_AGAIN, "the unit %s is enrolled already",
             unit->serial);
    if (asked->challenge.len == 0)
        return DEVID_OK; /* without a TPM there is none */
    if (!open) {
        memcpy(unit->challenge_digest, asked->challenge_digest,
               sizeof(unit->challenge_digest));
        if (!blob_copy(&unit->challenge, &asked->challenge))
            return ledger_no_memory(err);
    }
    if (!open || unit->challenge_expires_ms < asked->challenge_expires_ms)
        unit->challenge_expires_ms = asked->challenge_expires_ms;
    work_set_unit(work);
    return DEVID_OK;
}

/* The machine is the same; all that its new owner's request says is new. */
static enum devid_err renew(struct work *work, struct devid_error *err)
{
    struct ledger_unit *old = &work->unit;
    struct ledger_unit fresh;

    if (work->allotment->left <= 0)
        return end_without_quota(work);
    work->allotment->left--;
    if (!unit_copy(&work->job->unit, &fresh)) {
        ledger_unit_clear(&fresh);
        return ledger_no_memory(err);
    }
    memcpy(fresh.id, old->id, sizeof(fresh.id));
    snprintf(fresh.station, sizeof(fresh.station), "%s", work->station);
    fresh.generation = old->generation + 1;
    fresh.revision = old->revision;
    fresh.enrolled_ms = work->now_ms;
    fresh.reason = 0;
    ledger_unit_clear(old);
    *old = fresh;
    work_end(work, LEDGER_DONE, "%s", "");
    work_set_unit(work);
    return DEVID_OK;
}

static enum devid_err decide(struct work *work, struct devid_error *err)
{
    const struct ledger_unit *asked = &work->job->unit;
    const struct ledger_unit *found = &work->unit;

    if (found->state == UNIT_RETIRED && same_machine(found, asked)) {
        if (!work->job->new_owner)
            return work_end(work, LEDGER_STATE,
                            "the unit %s is retired; it is enrolled again for "
                            "a new owner alone",
                            found->serial);
        work->renewing = true;
        work->key++;
        work_next(work, send_find, take_find);
        return DEVID_OK;
    }
    if (same_names(found, asked))
        return answer_again(work, err);
    return end_duplicate(work);
}

/* No row has any of the names; one had when a new row was tried. */
static enum devid_err found_nothing(struct work *work, struct devid_error *err)
{
    if (work->renewing)
        return renew(work, err);
    if (work->allotment->left <= 0)
        return end_without_quota(work);
    if (work->tries >= TRIES_MAX)
        return work_changed_meanwhile(err);
    work_next(work, send_put, take_put);
    return DEVID_OK;
}

static enum devid_err take_find(struct work *work, const struct ledger_row *row,
                                struct devid_error *err)
{
    struct ledger_unit found;
    bool ok;

    if (!row->found && work->key == UNIT_BY_MAC)
        return found_nothing(work, err);
    if (!row->found) {
        work->key++;
        return DEVID_OK;
    }
    ok = unit_from_row(row, &found);
    if (ok && work->renewing && strcmp(found.id, work->unit.id) == 0) {
        ledger_unit_clear(&found);
        if (work->key == UNIT_BY_MAC)
            return found_nothing(work, err);
        work->key++;
        return DEVID_OK;
    }
    ledger_unit_clear(&work->unit);
    work->unit = found;
    if (!ok)
        return ledger_no_memory(err);
    return work->renewing ? end_duplicate(work) : decide(work, err);
}

static void look_for_it(struct work *work)
{
    work->key = UNIT_BY_SERIAL;
    work_next(work, send_find, take_find);
}

/* ---- the new row ------------------------------------------------------- */

static enum devid_err send_put(struct work *work, struct ledger_db *db,
                               struct devid_error *err)
{
    struct ledger_value values[UNIT_VALUES];
    struct ledger_unit *unit = &work->unit;

    work->tries++;
    work->allotment->left--;
    ledger_unit_clear(unit);
    if (!unit_copy(&work->job->unit, unit) ||
        !unit_new_id(work->now_ms, unit->id))
        return ledger_no_memory(err);
    snprintf(unit->station, sizeof(unit->station), "%s", work->station);
    if (unit->generation == 0)
        unit->generation = 1;
    unit->revision = 1;
    unit->enrolled_ms = work->now_ms;
    unit->changed_ms = work->now_ms;
    unit_to_values(unit, values);
    if (!chain_row_digest(values, UNIT_SEALED, work->row_digest))
        return ledger_no_memory(err);
    return db->store->send(db, STMT_PUT_UNIT, values, UNIT_VALUES, err);
}

static enum devid_err take_put(struct work *work, const struct ledger_row *row,
                               struct devid_error *err)
{
    if (row->found) {
        work_end(work, LEDGER_DONE, "%s", "");
        return take_set(work, row, err);
    }
    ledger_unit_clear(&work->unit);
    /* What it was to have is there for the next. */
    work->allotment->left++;
    look_for_it(work);
    return DEVID_OK;
}

void enrol_begin(struct work *work)
{
    const struct allotment *allotment = work->allotment;
    const struct ledger_unit *unit = &work->job->unit;

    if (!*unit->serial)
        work_end(work, LEDGER_FAILED, "%s",
                 "a unit without a serial number cannot be enrolled");
    else if (!allotment->known)
        work_end(work, LEDGER_NO_BATCH, "there is no batch %s", unit->batch);
    else if (allotment->closed)
        work_end(work, LEDGER_NO_BATCH, "the batch %s is closed", unit->batch);
    else if (allotment->left <= 0)
        look_for_it(work);
    else
        work_next(work, send_put, take_put);
}
