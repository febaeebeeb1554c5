/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An LDevID is asked for, for the first time or again. What the newest row of
 * the request's key says decides: an answer that was lost is given again, what
 * waits for a person waits, else a certificate is signed and recorded.
 */
#include "est.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "ledger_unit.h"

enum {
    BACKDATED_S = 300 /* for a device whose clock is behind */
};

/* ---- answers ----------------------------------------------------------- */

static enum step answer_certificate(struct exchange *x)
{
    const struct ledger_blob *der = &x->job.ldevid.cert;
    const struct devid_error err = {.text = "the ledger's LDevID is no "
                                            "certificate"};
    const unsigned char *p = der->data;
    X509 *cert = p ? d2i_X509(NULL, &p, (long)der->len) : NULL;
    STACK_OF(X509) *certs = sk_X509_new_null();
    enum step step;

    if (cert && certs && sk_X509_push(certs, cert) > 0)
        step = est_answer_certs(x, certs);
    else
        step = exchange_fail(x, &err);
    X509_free(cert);
    sk_X509_free(certs);
    return step;
}

/* 202 with Retry-After: RFC 7030, 4.2.3. */
static enum step answer_wait(struct exchange *x)
{
    const struct est_label *label =
        config_label(&x->context->config, x->job.ldevid.label);

    x->retry_s = label ? label->retry_s : 1;
    return exchange_refuse(x, 202, "pending",
                           "the LDevID of unit %s waits for approval as %s: "
                           "ask again",
                           x->serial, x->job.ldevid.id);
}

static enum step refuse_judged(struct exchange *x)
{
    return exchange_refuse_on_record(x, 403, "refused",
                                     "the LDevID of unit %s was refused, as %s",
                                     x->serial, x->job.ldevid.id);
}

/* How far the row in the job has come. */
static enum step answer_row(struct exchange *x)
{
    switch (x->job.ldevid.state) {
    case LDEVID_ISSUED:
        return answer_certificate(x);
    case LDEVID_REFUSED:
        return refuse_judged(x);
    case LDEVID_PENDING:
    case LDEVID_APPROVED:
        break;
    }
    return answer_wait(x);
}

static enum step committed(struct exchange *x)
{
    if (x->job.outcome > LEDGER_AGAIN)
        return exchange_refuse_job(x);
    return answer_row(x);
}

/* ---- signing ----------------------------------------------------------- */

static void put_subject(struct ledger_ldevid *ldevid, struct devid_bytes der)
{
    const unsigned char *p = der.data;
    X509 *cert = d2i_X509(NULL, &p, (long)der.len);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len = 0;

    if (cert && bio &&
        X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
                           XN_FLAG_RFC2253) >= 0)
        len = BIO_get_mem_data(bio, &text);
    if (len > 0)
        snprintf(ldevid->subject, sizeof(ldevid->subject), "%.*s", (int)len,
                 text);
    BIO_free(bio);
    X509_free(cert);
    ERR_clear_error();
}

static struct devid_bytes bytes_of(const struct ledger_blob *blob)
{
    return (struct devid_bytes){blob->data, blob->len};
}

/* Sign the LDevID of the job, and have it recorded. */
static enum step sign(struct exchange *x, const struct est_request *request)
{
    struct ledger_ldevid *ldevid = &x->job.ldevid;
    const struct est_label *label =
        config_label(&x->context->config, ldevid->label);
    const int64_t now_s = now_ms() / 1000;
    const struct devid_issue issue = {
        .kind = DEVID_CERT_LDEVID,
        .pub = &request->pub,
        .like = bytes_of(&x->job.unit.idevid_cert),
        .shard = exchange_shard(x->context, x->job.unit.id),
        .not_before = now_s - BACKDATED_S,
        .not_after = now_s + label->lifetime_s,
    };
    struct devid_error err = {.text = "out of memory"};

    if (devid_issuer_issue(x->context->issuer, &issue, &x->idevid, &err) !=
            DEVID_OK ||
        !blob_set(&ldevid->cert, x->idevid.der, x->idevid.len))
        return exchange_fail(x, &err);
    cert_number_text(x->idevid.number, sizeof(x->idevid.number),
                     ldevid->number);
    ldevid->not_before_ms = issue.not_before * 1000;
    ldevid->not_after_ms = issue.not_after * 1000;
    x->job.op = LEDGER_ISSUE_LDEVID;
    x->job.detail = NULL;
    x->next = committed;
    return STEP_COMMIT;
}

/* ---- what is to be done ------------------------------------------------ */

/* The row that the request asks for, for the ledger. */
static bool fill(struct exchange *x, const struct est_request *request)
{
    struct ledger_ldevid *ldevid = &x->job.ldevid;

    ledger_ldevid_clear(ldevid);
    memcpy(ldevid->unit, x->job.unit.id, sizeof(ldevid->unit));
    memcpy(ldevid->serial, x->job.unit.serial, sizeof(ldevid->serial));
    snprintf(ldevid->label, sizeof(ldevid->label), "%s", x->label);
    memcpy(ldevid->key_digest, request->key_digest, sizeof(ldevid->key_digest));
    put_subject(ldevid, bytes_of(&x->job.unit.idevid_cert));
    return blob_set(&ldevid->request, request->der, request->der_len);
}

static void follow(struct ledger_ldevid *ldevid,
                   const struct ledger_ldevid *before)
{
    memcpy(ldevid->renews, before->number, sizeof(ldevid->renews));
    ldevid->renewal = before->renewal + 1;
}

/* The first of its key: it takes the place of the one under which it is asked
 * for, or of the label's newest. */
static enum step begin(struct exchange *x, const struct est_client *client,
                       const struct est_request *request)
{
    const struct est_label *label = config_label(&x->context->config, x->label);
    struct ledger_ldevid before;
    struct devid_error err = {0};
    enum devid_err e;

    if (*client->ldevid.id) {
        follow(&x->job.ldevid, &client->ldevid);
    } else {
        e = ledger_newest_ldevid(x->context->ledger, x->job.unit.id, x->label,
                                 &before, &err);
        if (e == DEVID_OK && before.generation == x->job.unit.generation)
            follow(&x->job.ldevid, &before);
        if (e == DEVID_OK)
            ledger_ldevid_clear(&before);
        else if (e != DEVID_ERR_NOT_FOUND)
            return exchange_fail(x, &err);
    }
    if (!label->manual || *client->ldevid.id)
        return sign(x, request);
    x->job.op = LEDGER_ASK_LDEVID;
    x->job.detail = NULL;
    x->next = committed;
    return STEP_COMMIT;
}

/* The key has a row already, of this unit and label and owner. */
static enum step go_on(struct exchange *x, const struct est_client *client,
                       const struct est_request *request,
                       struct ledger_ldevid *newest)
{
    bool over = newest->not_after_ms <= now_ms();

    if (newest->revoked_ms > 0)
        return exchange_refuse_on_record(
            x, 403, "state",
            "the LDevID %s of unit %s is revoked: its key gets no other",
            newest->number, x->serial);
    if (newest->state == LDEVID_APPROVED)
        return sign(x, request);
    if (newest->state == LDEVID_ISSUED &&
        (over || strcmp(newest->number, client->ldevid.number) == 0)) {
        follow(&x->job.ldevid, newest);
        return sign(x, request);
    }
    ledger_ldevid_clear(&x->job.ldevid);
    x->job.ldevid = *newest;
    *newest = (struct ledger_ldevid){0};
    return answer_row(x);
}

static enum step decide(struct exchange *x, const struct est_client *client,
                        const struct est_request *request)
{
    const struct ledger_unit *unit = &x->job.unit;
    struct devid_error err = {.text = "out of memory"};
    struct ledger_ldevid newest;
    enum devid_err e;
    enum step step;

    if (!fill(x, request))
        return exchange_fail(x, &err);
    e = ledger_find_ldevid(x->context->ledger, LDEVID_BY_KEY,
                           request->key_digest, &newest, &err);
    if (e != DEVID_OK && e != DEVID_ERR_NOT_FOUND)
        return exchange_fail(x, &err);
    /* Whose key it is otherwise, the ledger says. */
    if (e == DEVID_OK && strcmp(newest.unit, unit->id) == 0 &&
        strcmp(newest.label, x->label) == 0 &&
        newest.generation == unit->generation)
        step = go_on(x, client, request, &newest);
    else
        step = begin(x, client, request);
    ledger_ldevid_clear(&newest);
    return step;
}

/* ---- who asks, and for what -------------------------------------------- */

static enum step check(struct exchange *x, const struct est_client *client,
                       const struct est_request *request)
{
    bool renew = *client->ldevid.id != '\0';
    const char *why;

    if (x->again && client->by_secret)
        return exchange_refuse_on_record(
            x, 403, "certificate",
            "simplereenroll is asked under the certificate that is to be "
            "renewed, not by a name and its secret");
    if (renew && !x->again)
        return exchange_refuse_on_record(
            x, 403, "certificate",
            "simpleenroll is asked under the IDevID; under an LDevID it is "
            "simplereenroll");
    if (renew && strcmp(client->ldevid.label, x->label) != 0)
        return exchange_refuse_on_record(
            x, 403, "certificate",
            "the LDevID %s of unit %s is of the label '%s', not of '%s'",
            client->ldevid.number, x->serial, client->ldevid.label, x->label);
    why = est_check_names(request,
                          x->client_cert.len > 0
                              ? x->client_cert
                              : bytes_of(&x->job.unit.idevid_cert),
                          x->again);
    if (why)
        return exchange_refuse_on_record(x, 403, "subject", "%s", why);
    why = est_check_binding(request, x->unique);
    if (why)
        return exchange_refuse_on_record(x, 403, "binding", "%s", why);
    return decide(x, client, request);
}

enum step exchange_est(struct exchange *x)
{
    struct est_request request = {0};
    struct est_client client = {0};
    const char *why;
    enum step step;

    if (!est_has_label(x, &step))
        return step;
    why = est_request_open(x->body, &request);
    /* Who is nobody is told nothing else. */
    if (est_find_client(x, request.serial, &client, &step))
        step = why ? exchange_refuse_on_record(x, 400, "request", "%s", why)
                   : check(x, &client, &request);
    est_client_clear(&client);
    est_request_clear(&request);
    return step;
}
