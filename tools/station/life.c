/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/units/ID/state and .../retire: what a unit says of itself, under its
 * own certificate.
 */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

#include "body.h"
#include "exchange.h"

/*
 * Is the client's certificate the unit's own? TLS has shown that the client has
 * its key; that it is this very certificate says the rest.
 */
static bool is_own(struct exchange *x, enum step *step)
{
    const struct ledger_unit *unit = &x->job.unit;

    if (x->client_cert.len == 0) {
        *step = exchange_refuse(x, 403, "certificate",
                                "the unit's IDevID certificate is wanted as "
                                "client certificate");
        return false;
    }
    if (!exchange_find(x, step))
        return false;
    if (x->client_cert.len == unit->idevid_cert.len &&
        memcmp(x->client_cert.data, unit->idevid_cert.data,
               unit->idevid_cert.len) == 0)
        return true;
    *step = exchange_refuse_on_record(x, 403, "certificate",
                                      "the client certificate is not the "
                                      "IDevID of the unit %s",
                                      x->serial);
    return false;
}

static enum step said(struct exchange *x)
{
    if (x->job.outcome > LEDGER_AGAIN)
        return exchange_refuse_job(x);
    x->revoked = x->job.op == LEDGER_RETIRE;
    return exchange_answer(x, 200,
                           json_pack("{s:s,s:s}", "unit", x->job.unit.id,
                                     "state",
                                     unit_state_name(x->job.unit.state)));
}

static enum step commit(struct exchange *x, enum ledger_op op)
{
    x->job.op = op;
    x->next = said;
    return STEP_COMMIT;
}

/* ---- state ------------------------------------------------------------- */

struct state_body {
    char *state;
    struct devid_bytes escrow;
};

static const struct body_member state_members[] = {
    {"state", BODY_TEXT, false, offsetof(struct state_body, state)},
    {"escrow", BODY_BYTES, false, offsetof(struct state_body, escrow)},
    {NULL, BODY_FLAG, false, 0},
};

static bool is_enveloped(struct devid_bytes der)
{
    const unsigned char *p = der.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.len);
    bool ok = cms && p == der.data + der.len &&
              OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_enveloped;

    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return ok;
}

static enum step keep_escrow(struct exchange *x, struct devid_bytes escrow)
{
    const struct devid_error err = {.text = "out of memory"};
    char digest[65];

    if (!is_enveloped(escrow))
        return exchange_refuse(x, 400, "malformed",
                               "\"escrow\" is no CMS EnvelopedData in DER");
    if (!blob_set(&x->job.unit.escrow, escrow.data, escrow.len))
        return exchange_fail(x, &err);
    /* The row's entry vouches for it as long as it is the row's. */
    sha256_hex(escrow.data, escrow.len, digest);
    snprintf(x->detail, sizeof(x->detail), "escrow %s", digest);
    x->job.detail = x->detail;
    return commit(x, LEDGER_ADVANCE);
}

static enum step advance(struct exchange *x, const struct state_body *body)
{
    struct ledger_unit *unit = &x->job.unit;
    enum unit_state state;

    if (!body->state == !body->escrow.data)
        return exchange_refuse(x, 400, "malformed",
                               "one of \"state\" and \"escrow\" is wanted");
    if (body->escrow.data)
        return keep_escrow(x, body->escrow);
    if (!unit_state_parse(body->state, &state) || state < UNIT_INSTALLED ||
        state > UNIT_LOCKED)
        return exchange_refuse(x, 400, "malformed",
                               "\"state\" is installed, tested or locked");
    if (state == UNIT_LOCKED && unit->escrow.len == 0)
        return exchange_refuse_on_record(
            x, 409, "state",
            "the unit %s has not sent its authorisations to be kept (escrow)",
            x->serial);
    unit->state = state;
    (void)blob_set(&unit->escrow, NULL, 0); /* the row keeps its own */
    return commit(x, LEDGER_ADVANCE);
}

enum step exchange_state(struct exchange *x)
{
    struct state_body body = {0};
    struct devid_error err = {0};
    enum step step;

    if (!is_own(x, &step))
        return step;
    if (body_parse(x->body.data, x->body.len, state_members, &body, &err) !=
        DEVID_OK)
        step = exchange_refuse(x, 400, "malformed", "%s", err.text);
    else
        step = advance(x, &body);
    body_clear(state_members, &body);
    return step;
}

/* ---- retirement -------------------------------------------------------- */

struct retire_body {
    char *reason;
};

static const struct body_member retire_members[] = {
    {"reason", BODY_TEXT, true, offsetof(struct retire_body, reason)},
    {NULL, BODY_FLAG, false, 0},
};

static enum step retire(struct exchange *x, const char *name)
{
    if (revocation_reason(name, &x->job.reason))
        return commit(x, LEDGER_RETIRE);
    return exchange_refuse(x, 400, "malformed",
                           "\"reason\" is unspecified, compromise, "
                           "affiliation, superseded or cessation");
}

enum step exchange_retire(struct exchange *x)
{
    struct retire_body body = {0};
    struct devid_error err = {0};
    enum step step;

    if (!is_own(x, &step))
        return step;
    if (body_parse(x->body.data, x->body.len, retire_members, &body, &err) !=
        DEVID_OK)
        step = exchange_refuse(x, 400, "malformed", "%s", err.text);
    else
        step = retire(x, body.reason);
    body_clear(retire_members, &body);
    return step;
}
