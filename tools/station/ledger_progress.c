/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unit that is there gets its certificates, goes on, or is retired. Its row
 * is read, changed, and set where nobody changed it meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "ledger_member.h"
#include "ledger_work.h"

static enum devid_err end_state(struct work *work, const char *wish)
{
    return work_end(work, LEDGER_STATE, "the unit %s is %s: it cannot be %s",
                    work->unit.serial, unit_state_name(work->unit.state), wish);
}

/* ---- certificates ------------------------------------------------------ */

static enum devid_err send_certificate(struct work *work, struct ledger_db *db,
                                       struct devid_error *err)
{
    const struct ledger_value values[] = {
        value_text(work->numbers[work->certificate]), value_text(work->unit.id),
        value_number(work->unit.generation),
        value_number(0), /* it never expires */
    };

    return db->store->send(db, STMT_PUT_CERTIFICATE, values, 4, err);
}

static enum devid_err take_certificate(struct work *work,
                                       const struct ledger_row *row,
                                       struct devid_error *err)
{
    (void)err;
    if (!row->found) {
        snprintf(work->column, sizeof(work->column), "number");
        return work_end(work, LEDGER_DUPLICATE,
                        "the certificate for unit %s has the serial number "
                        "%s, which another certificate has already",
                        work->unit.serial, work->numbers[work->certificate]);
    }
    if (work->certificate == 0 && work->numbers[1][0]) {
        work->certificate = 1;
        return DEVID_OK;
    }
    work_end(work, LEDGER_DONE, "%s", "");
    work_set_unit(work);
    return DEVID_OK;
}

/* Where it is not at hand the certificate is decoded, which takes longer than
 * all else that is done with it here. */
static void put_number(struct devid_bytes number,
                       const struct ledger_blob *cert, char *text)
{
    if (number.len > 0)
        cert_number_text(number.data, number.len, text);
    else
        cert_number(cert, text);
}

static enum devid_err issue(struct work *work, struct devid_error *err)
{
    const struct ledger_unit *job = &work->job->unit;
    struct ledger_unit *unit = &work->unit;
    int count = 0;

    if (unit->state == UNIT_RETIRED)
        return end_state(work, unit_state_name(UNIT_ISSUED));
    if (unit->idevid_cert.len > 0)
        return work_end(work, LEDGER_AGAIN,
                        "the unit %s has its certificates already",
                        unit->serial);
    if (unit->state > UNIT_ISSUED ||
        (unit->attested && unit->state < UNIT_ACTIVATED))
        return end_state(work, unit_state_name(UNIT_ISSUED));
    put_number(work->job->numbers[0], &job->idevid_cert, work->numbers[count]);
    if (work->numbers[count][0])
        count++;
    put_number(work->job->numbers[1], &job->iak_cert, work->numbers[count]);
    if (!job->idevid_cert.len || !work->numbers[0][0])
        return work_end(work, LEDGER_FAILED,
                        "what was to be issued to unit %s is no certificate",
                        unit->serial);
    if (!blob_copy(&unit->idevid_cert, &job->idevid_cert) ||
        (job->iak_cert.len > 0 && !blob_copy(&unit->iak_cert, &job->iak_cert)))
        return ledger_no_memory(err);
    unit->state = UNIT_ISSUED;
    work->certificate = 0;
    work_next(work, send_certificate, take_certificate);
    return DEVID_OK;
}

/* ---- states ------------------------------------------------------------ */

static enum devid_err advance(struct work *work, struct devid_error *err)
{
    const struct ledger_unit *job = &work->job->unit;
    struct ledger_unit *unit = &work->unit;
    /* The one way back: the TPM of a locked unit was cleared. */
    bool back = job->state == UNIT_TESTED && unit->state == UNIT_LOCKED &&
                job->escrow.len == 0;
    bool moves = job->state > unit->state || back;

    if (unit->state == UNIT_RETIRED || job->state == UNIT_RETIRED ||
        (job->state == UNIT_ISSUED && moves) ||
        (job->state > UNIT_ISSUED && unit->state < UNIT_ISSUED))
        return end_state(work, unit_state_name(job->state));
    if (job->escrow.len > 0 && !blob_copy(&unit->escrow, &job->escrow))
        return ledger_no_memory(err);
    if (moves)
        work_end(work, LEDGER_DONE, "%s", "");
    else
        work_end(work, LEDGER_AGAIN, "the unit %s is %s already", unit->serial,
                 unit_state_name(unit->state));
    if (!moves && job->escrow.len == 0)
        return DEVID_OK;
    if (moves)
        unit->state = job->state;
    if (unit->state > UNIT_ISSUED)
        blob_free(&unit->challenge); /* it has done its duty */
    work_set_unit(work);
    return DEVID_OK;
}

static enum devid_err send_revoke(struct work *work, struct ledger_db *db,
                                  struct devid_error *err)
{
    const struct ledger_value values[] = {
        value_text(work->unit.id),
        value_number(work->now_ms),
        value_number(work->unit.reason),
    };

    return db->store->send(db, STMT_REVOKE, values, 3, err);
}

static enum devid_err take_revoke(struct work *work,
                                  const struct ledger_row *row,
                                  struct devid_error *err)
{
    (void)row;
    (void)err;
    return work_end(work, LEDGER_DONE, "%s", "");
}

/* Only now: whoever issued to it meanwhile held its row until that was there.
 */
static enum devid_err take_retired(struct work *work,
                                   const struct ledger_row *row,
                                   struct devid_error *err)
{
    enum devid_err code = take_set(work, row, err);

    if (code == DEVID_OK)
        work_next(work, send_revoke, take_revoke);
    return code;
}

static enum devid_err retire(struct work *work, struct devid_error *err)
{
    (void)err;
    if (work->unit.state == UNIT_RETIRED)
        return work_end(work, LEDGER_AGAIN, "the unit %s is retired already",
                        work->unit.serial);
    work->unit.state = UNIT_RETIRED;
    work->unit.reason = work->job->reason;
    work_set_unit(work);
    work->take = take_retired;
    return DEVID_OK;
}

/* ---- all three --------------------------------------------------------- */

static enum devid_err take_unit(struct work *work, const struct ledger_row *row,
                                struct devid_error *err)
{
    const struct ledger_unit *asked = &work->job->unit;

    if (!row->found)
        return work_end(work, LEDGER_NOT_FOUND, "there is no unit %s",
                        *asked->id ? asked->id : asked->serial);
    if (!unit_from_row(row, &work->unit))
        return ledger_no_memory(err);
    if (asked->generation > 0 && asked->generation != work->unit.generation)
        return work_end(work, LEDGER_STATE,
                        "the unit %s was enrolled for a new owner meanwhile: "
                        "what its former one asked for is not done",
                        work->unit.serial);
    switch (work->job->op) {
    case LEDGER_ISSUE:
        return issue(work, err);
    case LEDGER_ADVANCE:
        return advance(work, err);
    case LEDGER_RETIRE:
        return retire(work, err);
    case LEDGER_ENROL:
    case LEDGER_ASK_LDEVID:
    case LEDGER_ISSUE_LDEVID:
    case LEDGER_APPROVE_LDEVID:
    case LEDGER_REFUSE_LDEVID:
    case LEDGER_REVOKE_LDEVID:
    case LEDGER_REFUSE:
    case LEDGER_OPEN_BATCH:
    case LEDGER_CLOSE_BATCH:
        break;
    }
    return DEVID_OK;
}

void unit_begin(struct work *work)
{
    /* A person names a unit by its serial number. */
    work->key = *work->job->unit.id ? UNIT_BY_ID : UNIT_BY_SERIAL;
    work_next(work, send_find, take_unit);
}
