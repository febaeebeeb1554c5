/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_ldevid_support.h"

#include <stdio.h>
#include <string.h>

void fill_ldevid(struct ledger_ldevid *ldevid, const struct ledger_unit *unit,
                 int key)
{
    *ldevid = (struct ledger_ldevid){0};
    snprintf(ldevid->unit, sizeof(ldevid->unit), "%s", unit->id);
    snprintf(ldevid->key_digest, sizeof(ldevid->key_digest), "key-%d", key);
    snprintf(ldevid->subject, sizeof(ldevid->subject), "CN=%s", unit->serial);
    ldevid->request.data = OPENSSL_memdup("a request", 9);
    ldevid->request.len = 9;
}

enum ledger_outcome ask_ldevid(struct ledger *ledger,
                               const struct ledger_unit *unit, int key,
                               struct ledger_job *job)
{
    *job = (struct ledger_job){.op = LEDGER_ASK_LDEVID};
    fill_ldevid(&job->ldevid, unit, key);
    return ledger_do(ledger, job);
}

enum ledger_outcome issue_ldevid(struct ledger *ledger,
                                 const struct ledger_unit *unit, int key,
                                 const char *number, struct ledger_job *job)
{
    int64_t not_after_ms = job->ldevid.not_after_ms;
    char renews[LEDGER_NUMBER_SIZE];

    memcpy(renews, job->ldevid.renews, sizeof(renews));
    *job = (struct ledger_job){.op = LEDGER_ISSUE_LDEVID};
    fill_ldevid(&job->ldevid, unit, key);
    memcpy(job->ldevid.renews, renews, sizeof(renews));
    snprintf(job->ldevid.number, sizeof(job->ldevid.number), "%s", number);
    job->ldevid.cert.data = OPENSSL_memdup("a certificate", 13);
    job->ldevid.cert.len = 13;
    job->ldevid.not_before_ms = 1;
    job->ldevid.not_after_ms = not_after_ms ? not_after_ms : INT64_C(1) << 50;
    return ledger_do(ledger, job);
}

enum ledger_outcome decide_ldevid(struct ledger *ledger, enum ledger_op op,
                                  const struct ledger_ldevid *ldevid,
                                  struct ledger_job *job)
{
    *job = (struct ledger_job){.op = op, .reason = 1};
    if (op == LEDGER_REVOKE_LDEVID)
        memcpy(job->ldevid.number, ldevid->number, sizeof(ldevid->number));
    else
        memcpy(job->ldevid.id, ldevid->id, sizeof(ldevid->id));
    return ledger_do(ledger, job);
}

void drop_ldevid(struct ledger_job *job)
{
    ledger_ldevid_clear(&job->ldevid);
    clear(job);
}

void make_unit(struct fixture *fixture, int number, struct ledger_unit *unit)
{
    struct ledger_job job;

    make_issued(fixture->ledger, number, &job);
    *unit = job.unit;
}

static bool take_number(void *arg, const struct ledger_revoked *revoked)
{
    strcat(strcat(arg, revoked->number), " ");
    return true;
}

void expect_revoked(struct fixture *fixture, const char *numbers)
{
    char text[200] = "";
    struct devid_error err;

    assert_int_equal(
        ledger_revoked(fixture->ledger, 10, take_number, text, &err), DEVID_OK);
    assert_string_equal(text, numbers);
}
