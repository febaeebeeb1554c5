/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/units/ID/activate: the answer to the challenge, and the unit's
 * certificates.
 */
#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "exchange.h"

enum {
    SANS_MAX = 16
};

struct activate_body {
    struct devid_bytes answer;
};

static const struct body_member members[] = {
    {"answer", BODY_BYTES, true, offsetof(struct activate_body, answer)},
    {NULL, BODY_FLAG, false, 0},
};

/* ---- signing ----------------------------------------------------------- */

/* The names that station.conf gives a unit, as a list. */
struct names {
    char *subject;
    char *text;
    const char *sans[SANS_MAX + 1];
};

static bool fill_names(const struct context *context,
                       const struct ledger_unit *unit, struct names *names)
{
    const struct config *config = &context->config;
    char *rest;
    size_t count = 0;

    *names = (struct names){0};
    if (config->subject && strchr(config->subject, '{')) {
        names->subject = template_fill(config->subject, unit, "\\/+=");
        if (!names->subject)
            return false;
    }
    if (!config->san)
        return true;
    names->text = template_fill(config->san, unit, "");
    rest = names->text;
    while (rest && count < SANS_MAX) {
        char *item = strsep(&rest, ",");
        item += strspn(item, " ");
        if (*item)
            names->sans[count++] = item;
    }
    return names->text != NULL;
}

static void free_names(struct names *names)
{
    OPENSSL_free(names->subject);
    OPENSSL_free(names->text);
}

/* The next of the keys in the row; false where there is none. */
static bool take_key(const uint8_t **at, const uint8_t *end,
                     struct devid_public *pub)
{
    const uint8_t *body = *at;
    long len = 0;
    int tag = 0;
    int class = 0;

    if (*at == end ||
        (ASN1_get_object(&body, &len, &tag, &class, end - *at) & 0x80) != 0)
        return false;
    len += body - *at;
    if (devid_public_from_spki(*at, (size_t)len, pub, NULL) != DEVID_OK)
        return false;
    *at += len;
    return true;
}

static void module_of(const struct ledger_unit *unit,
                      struct devid_hw_module *module)
{
    *module = (struct devid_hw_module){0};
    snprintf(module->serial, sizeof(module->serial), "%s", unit->hw_serial);
    if (unit->ek_cert.len > 0)
        sha256_hex(unit->ek_cert.data, unit->ek_cert.len, module->ek_digest);
}

static enum devid_err sign_both(struct exchange *x,
                                const struct devid_issue *both,
                                struct devid_error *err)
{
    const struct ledger_unit *unit = &x->job.unit;
    struct devid_issue issue = *both;
    const uint8_t *at = unit->keys.data;
    const uint8_t *end = at ? at + unit->keys.len : NULL;
    struct devid_public pub;
    enum devid_err e;

    snprintf(err->text, sizeof(err->text),
             "the ledger has no keys of the unit %s", unit->id);
    if (!take_key(&at, end, &pub))
        return DEVID_ERR_SYSTEM;
    issue.kind = unit->attested ? DEVID_CERT_IDEVID : DEVID_CERT_ASSERTED;
    issue.pub = &pub;
    e = devid_issuer_issue(x->context->issuer, &issue, &x->idevid, err);
    if (e != DEVID_OK || !unit->attested)
        return e;
    snprintf(err->text, sizeof(err->text),
             "the ledger has no IAK of the unit %s", unit->id);
    if (!take_key(&at, end, &pub))
        return DEVID_ERR_SYSTEM;
    issue.kind = DEVID_CERT_IAK;
    return devid_issuer_issue(x->context->issuer, &issue, &x->iak, err);
}

static enum devid_err sign(struct exchange *x, struct devid_error *err)
{
    const struct ledger_unit *unit = &x->job.unit;
    struct devid_hw_module module;
    struct names names;
    struct devid_issue issue = {
        .serial = unit->serial,
        .shard = exchange_shard(x->context, unit->id),
    };
    enum devid_err e = DEVID_OK;

    if (!fill_names(x->context, unit, &names))
        e = DEVID_ERR_SYSTEM;
    issue.subject = names.subject;
    issue.sans = names.sans;
    if (unit->attested) {
        module_of(unit, &module);
        issue.module = &module;
    }
    if (e == DEVID_OK)
        e = sign_both(x, &issue, err);
    free_names(&names);
    return e;
}

static enum step issued(struct exchange *x)
{
    if (x->job.outcome > LEDGER_AGAIN)
        return exchange_refuse_job(x);
    return exchange_answer_issued(x);
}

static struct devid_bytes number_of(const struct devid_issued *issued)
{
    return (struct devid_bytes){issued->number,
                                issued->len > 0 ? sizeof(issued->number) : 0};
}

enum step exchange_issue(struct exchange *x)
{
    struct devid_error err = {.text = "out of memory"};
    struct ledger_unit *unit = &x->job.unit;

    if (sign(x, &err) != DEVID_OK ||
        !blob_set(&unit->idevid_cert, x->idevid.der, x->idevid.len) ||
        !blob_set(&unit->iak_cert, x->iak.der, x->iak.len))
        return exchange_fail(x, &err);
    x->job.op = LEDGER_ISSUE;
    x->job.numbers[0] = number_of(&x->idevid);
    x->job.numbers[1] = number_of(&x->iak);
    x->job.detail = NULL;
    x->next = issued;
    return STEP_COMMIT;
}

/* ---- the answer -------------------------------------------------------- */

static enum step activated(struct exchange *x)
{
    if (x->job.outcome > LEDGER_AGAIN)
        return exchange_refuse_job(x);
    return exchange_issue(x);
}

static bool is_right(const struct ledger_unit *unit, struct devid_bytes answer)
{
    char digest[65];

    sha256_hex(answer.data, answer.len, digest);
    return strlen(unit->challenge_digest) == sizeof(digest) - 1 &&
           CRYPTO_memcmp(unit->challenge_digest, digest, sizeof(digest)) == 0;
}

static enum step judge(struct exchange *x, const struct activate_body *body)
{
    const struct ledger_unit *unit = &x->job.unit;
    char expired[TIME_TEXT_SIZE];

    if (unit->state == UNIT_RETIRED)
        return exchange_refuse_on_record(x, 409, "state",
                                         "the unit %s is retired", x->serial);
    if (!unit->challenge_digest[0])
        return exchange_refuse_on_record(
            x, 422, "answer", "the unit %s has no open challenge", x->serial);
    if (!is_right(unit, body->answer))
        return exchange_refuse_on_record(
            x, 422, "answer",
            "this is not what the challenge of the unit %s held", x->serial);
    if (now_ms() >= unit->challenge_expires_ms) {
        time_text(unit->challenge_expires_ms, expired);
        return exchange_refuse_on_record(
            x, 422, "answer",
            "the challenge of the unit %s expired at %s: make the request "
            "again for a new one",
            x->serial, expired);
    }
    if (unit->idevid_cert.len > 0)
        return exchange_answer_issued(x);
    if (unit->state >= UNIT_ACTIVATED)
        return exchange_issue(x);
    x->job.op = LEDGER_ADVANCE;
    x->job.unit.state = UNIT_ACTIVATED;
    x->next = activated;
    return STEP_COMMIT;
}

enum step exchange_activate(struct exchange *x)
{
    struct activate_body body = {0};
    struct devid_error err = {0};
    enum step step;

    if (!exchange_find(x, &step))
        return step;
    if (body_parse(x->body.data, x->body.len, members, &body, &err) != DEVID_OK)
        step = exchange_refuse(x, 400, "malformed", "%s", err.text);
    else
        step = judge(x, &body);
    body_clear(members, &body);
    return step;
}
