/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/units: a request for a unit's identity, judged, and the unit's row.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "body.h"
#include "exchange.h"

enum {
    SECRET_LEN = 32,
    CREDENTIAL_MAX = 8 + sizeof(struct devid_credential)
};

/* What tpm2_makecredential writes before the two structures. */
static const uint8_t credential_head[8] = {0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1};

struct units_body {
    char *serial, *model, *mac, *operator;
    struct devid_bytes request, creation, ek_public, pkcs10;
    struct body_list ek_chain;
    bool new_owner;
};

#define MEMBER(kind, member, required)                                         \
    {                                                                          \
#member, kind, required, offsetof(struct units_body, member)           \
    }

static const struct body_member members[] = {
    MEMBER(BODY_TEXT, serial, true),      MEMBER(BODY_TEXT, model, true),
    MEMBER(BODY_TEXT, mac, false),        MEMBER(BODY_TEXT, operator, false),
    MEMBER(BODY_BYTES, request, false),   MEMBER(BODY_BYTES, creation, false),
    MEMBER(BODY_BYTES, ek_public, false), MEMBER(BODY_BYTES, pkcs10, false),
    MEMBER(BODY_LIST, ek_chain, false),   MEMBER(BODY_FLAG, new_owner, false),
    {NULL, BODY_FLAG, false, 0},
};

/* ---- the batch --------------------------------------------------------- */

static bool find_batch(struct exchange *x, struct ledger_batch *batch,
                       enum step *step)
{
    struct devid_error err = {0};
    enum devid_err e;
    char digest[65] = "";

    if (!x->token && !x->batch) {
        *step = exchange_refuse(x, 401, "token",
                                "the request has no batch's token: the header "
                                "Authorization: Bearer TOKEN is wanted");
        return false;
    }
    if (x->token)
        sha256_hex(x->token, strlen(x->token), digest);
    e = ledger_batch(x->context->ledger, x->batch, digest, batch, &err);
    if (e == DEVID_ERR_NOT_FOUND && x->batch)
        *step =
            exchange_refuse(x, 401, "token", "there is no batch %s", x->batch);
    else if (e == DEVID_ERR_NOT_FOUND)
        *step = exchange_refuse(x, 401, "token",
                                "the token is no batch's of this station");
    else if (e != DEVID_OK)
        *step = exchange_fail(x, &err);
    else if (batch->closed)
        *step = exchange_refuse_on_record(
            x, 401, "token", "the batch %s is closed", batch->name);
    else
        return true;
    return false;
}

/* ---- what the body says of the unit ------------------------------------ */

static bool is_mac(const char *mac)
{
    size_t i;

    for (i = 0; mac[i]; i++) {
        if (i % 3 == 2 ? mac[i] != ':'
                       : !strchr("0123456789abcdefABCDEF", mac[i]))
            return false;
    }
    return i == 17;
}

static void lower(char *text)
{
    for (; *text; text++) {
        if (*text >= 'A' && *text <= 'F')
            *text = (char)(*text - 'A' + 'a');
    }
}

/* A sentence, or NULL where all is well. */
static const char *check_words(const struct units_body *body)
{
    if (strlen(body->serial) > 64)
        return "\"serial\" has more than 64 characters";
    if (strlen(body->model) >= LEDGER_TEXT_SIZE)
        return "\"model\" has more than 127 characters";
    if (body->operator&& strlen(body->operator) >= LEDGER_TEXT_SIZE)
        return "\"operator\" has more than 127 characters";
    if (body->mac && !is_mac(body->mac))
        return "\"mac\" is not of the form 02:00:00:00:00:01";
    if (!body->request.data == !body->pkcs10.data)
        return "one of \"request\" and \"pkcs10\" is wanted";
    if (body->pkcs10.data && body->ek_public.data)
        return "\"ek_public\" goes with \"request\" alone";
    if (body->pkcs10.data && body->creation.data)
        return "\"creation\" goes with \"request\" alone";
    return NULL;
}

static bool same_text(struct devid_bytes bytes, const char *text)
{
    return bytes.len == strlen(text) &&
           memcmp(bytes.data, text, bytes.len) == 0;
}

static void fill_unit(struct exchange *x, const struct units_body *body,
                      const struct ledger_batch *batch)
{
    struct ledger_unit *unit = &x->job.unit;

    x->job.op = LEDGER_ENROL;
    x->job.new_owner = body->new_owner;
    x->job.detail = NULL;
    snprintf(unit->serial, sizeof(unit->serial), "%s", body->serial);
    snprintf(unit->model, sizeof(unit->model), "%s", body->model);
    snprintf(unit->mac, sizeof(unit->mac), "%s", body->mac ? body->mac : "");
    lower(unit->mac);
    snprintf(unit->operator_name, sizeof(unit->operator_name), "%s",
             body->operator? body->operator: "");
    snprintf(unit->batch, sizeof(unit->batch), "%s", batch->name);
    snprintf(unit->station, sizeof(unit->station), "%s",
             x->context->config.name);
    unit->generation = 1;
}

/* ---- with a TPM -------------------------------------------------------- */

static void name_hex(const struct devid_tpm_name *name,
                     char hex[LEDGER_NAME_SIZE])
{
    for (size_t i = 0; i < name->len; i++)
        snprintf(hex + 2 * i, 3, "%02x", name->data[i]);
}

/* Two SubjectPublicKeyInfos, one behind the other. */
static bool put_keys(struct ledger_unit *unit,
                     const struct devid_attest_verdict *verdict)
{
    uint8_t *idevid = NULL;
    uint8_t *iak = NULL;
    uint8_t *both = NULL;
    size_t idevid_len = 0;
    size_t iak_len = 0;
    bool ok =
        devid_public_to_spki(&verdict->idevid, &idevid, &idevid_len, NULL) ==
            DEVID_OK &&
        devid_public_to_spki(&verdict->iak, &iak, &iak_len, NULL) == DEVID_OK;

    if (ok)
        both = OPENSSL_malloc(idevid_len + iak_len);
    if (both) {
        memcpy(both, idevid, idevid_len);
        memcpy(both + idevid_len, iak, iak_len);
        OPENSSL_free(unit->keys.data);
        unit->keys = (struct ledger_blob){both, idevid_len + iak_len};
    }
    OPENSSL_free(idevid);
    OPENSSL_free(iak);
    return both != NULL;
}

/* The challenge, and in the row what its answer will be held against. */
static enum devid_err make_challenge(struct exchange *x,
                                     const struct devid_attest_verdict *verdict,
                                     struct devid_error *err)
{
    struct devid_credential credential;
    uint8_t secret[SECRET_LEN];
    uint8_t file[CREDENTIAL_MAX];
    struct devid_challenge challenge = {
        .ek = &verdict->ek,
        .name = &verdict->iak_name,
        .secret = {secret, sizeof(secret)},
    };
    size_t len = sizeof(credential_head);
    enum devid_err e = DEVID_ERR_SYSTEM;

    if (RAND_bytes(secret, sizeof(secret)) == 1)
        e = devid_make_credential(&challenge, &credential, err);
    if (e != DEVID_OK)
        return e;
    memcpy(file, credential_head, sizeof(credential_head));
    memcpy(file + len, credential.id_object, credential.id_object_len);
    len += credential.id_object_len;
    memcpy(file + len, credential.secret, credential.secret_len);
    len += credential.secret_len;
    if (!blob_set(&x->job.unit.challenge, file, len))
        return DEVID_ERR_SYSTEM;
    sha256_hex(secret, sizeof(secret), x->job.unit.challenge_digest);
    OPENSSL_cleanse(secret, sizeof(secret));
    x->job.unit.challenge_expires_ms =
        now_ms() + 1000 * (int64_t)(x->challenge_seconds
                                        ? x->challenge_seconds
                                        : x->context->config.challenge_seconds);
    return DEVID_OK;
}

static enum step enrolled(struct exchange *x)
{
    const struct ledger_unit *unit = &x->job.unit;
    char expires[TIME_TEXT_SIZE];

    if (x->job.outcome > LEDGER_AGAIN)
        return exchange_refuse_job(x);
    time_text(unit->challenge_expires_ms, expires);
    return exchange_answer(
        x, x->job.outcome == LEDGER_DONE ? 201 : 200,
        json_pack("{s:s,s:s,s:o,s:s}", "unit", unit->id, "state",
                  unit_state_name(unit->state), "challenge",
                  body_base64(unit->challenge.data, unit->challenge.len),
                  "expires", expires));
}

/* The certificates must be able to name the TPM; one without a certificate is
 * named by its EK. */
static enum step put_module(struct exchange *x,
                            const struct devid_attest_verdict *verdict)
{
    struct ledger_unit *unit = &x->job.unit;
    struct devid_hw_module module;
    struct devid_error err = {0};

    if (verdict->module.serial[0])
        snprintf(unit->hw_serial, sizeof(unit->hw_serial), "%s",
                 verdict->module.serial);
    else
        snprintf(unit->hw_serial, sizeof(unit->hw_serial), "EK:%s",
                 verdict->ek_digest);
    if (verdict->ek_cert.len == 0 || verdict->module.serial[0] ||
        devid_hw_module_from_ek(verdict->ek_cert, NULL, &module, &err) ==
            DEVID_OK)
        return STEP_ANSWERED;
    return exchange_refuse_on_record(
        x, 422, devid_attest_reason_name(DEVID_ATTEST_EK_MALFORMED), "%s",
        err.text);
}

static enum step enrol_trusted(struct exchange *x,
                               const struct devid_attest_verdict *verdict)
{
    struct ledger_unit *unit = &x->job.unit;
    struct devid_error err = {.text = "out of memory"};
    enum step step = put_module(x, verdict);

    if (step == STEP_COMMIT)
        return step;
    snprintf(unit->ek_digest, sizeof(unit->ek_digest), "%s",
             verdict->ek_digest);
    name_hex(&verdict->iak_name, unit->iak_name);
    name_hex(&verdict->idevid_name, unit->idevid_name);
    unit->state = verdict->iak_proven ? UNIT_CERTIFIED : UNIT_EK_VERIFIED;
    unit->attested = true;
    if (!put_keys(unit, verdict) ||
        !blob_set(&unit->ek_cert, verdict->ek_cert.data,
                  verdict->ek_cert.len) ||
        make_challenge(x, verdict, &err) != DEVID_OK)
        return exchange_fail(x, &err);
    x->next = enrolled;
    return STEP_COMMIT;
}

static enum step enrol_tpm(struct exchange *x, const struct units_body *body)
{
    struct devid_attest_policy policy = context_policy(x->context);
    struct devid_attest_verdict verdict;
    enum devid_attest_reason reason;
    struct devid_attest_request request = {.creation = body->creation};
    struct devid_error err = {0};
    struct devid_tcg_csr csr;

    if (devid_tcg_csr_decode(body->request, NULL, &csr, &err) != DEVID_OK)
        return exchange_refuse_on_record(x, 422, "request", "%s", err.text);
    if (!same_text(csr.prodSerial, body->serial) ||
        !same_text(csr.prodModel, body->model))
        return exchange_refuse_on_record(
            x, 422, "request",
            "\"serial\" or \"model\" is not what the request says");
    policy.ek_public = body->ek_public;
    policy.chain = body->ek_chain.items;
    policy.chain_count = body->ek_chain.count;
    request.csr = &csr;
    reason = devid_attest_verify(&request, &policy, &verdict);
    if (reason == DEVID_ATTEST_TRUSTED)
        return enrol_trusted(x, &verdict);
    if (reason == DEVID_ATTEST_UNDECIDED)
        return exchange_fail(x, &verdict.error);
    return exchange_refuse_on_record(x, 422, devid_attest_reason_name(reason),
                                     "%s", verdict.error.text);
}

/* ---- without one: PKCS#10 ---------------------------------------------- */

static enum step enrolled_asserted(struct exchange *x)
{
    if (x->job.outcome > LEDGER_AGAIN)
        return exchange_refuse_job(x);
    x->is_new = x->job.outcome == LEDGER_DONE;
    if (x->job.unit.idevid_cert.len > 0)
        return exchange_answer_issued(x);
    return exchange_issue(x);
}

static enum step enrol_pkcs10(struct exchange *x, const struct units_body *body)
{
    const struct devid_bytes serial = {(const uint8_t *)body->serial,
                                       strlen(body->serial)};
    struct ledger_unit *unit = &x->job.unit;
    struct devid_attest_verdict verdict = {0};
    uint8_t *spki = NULL;
    size_t len = 0;
    const char *why;

    if (!x->context->config.allow_pkcs10)
        return exchange_refuse_on_record(
            x, 422, "pkcs10",
            "this station takes no request without a TPM (allow_pkcs10)");
    if (devid_serial_check(serial, &verdict) != DEVID_ATTEST_TRUSTED)
        return exchange_refuse_on_record(
            x, 422, devid_attest_reason_name(DEVID_ATTEST_SERIAL), "%s",
            verdict.error.text);
    why = pkcs10_open(body->pkcs10, &spki, &len);
    if (why) {
        OPENSSL_free(spki);
        return exchange_refuse_on_record(x, 422, "pkcs10", "%s", why);
    }
    sha256_hex(spki, len, unit->idevid_name);
    unit->state = UNIT_SEEN;
    unit->attested = false;
    OPENSSL_free(unit->keys.data);
    unit->keys = (struct ledger_blob){spki, len};
    x->job.detail = "asserted by the operator";
    x->next = enrolled_asserted;
    return STEP_COMMIT;
}

/* ---- both -------------------------------------------------------------- */

static enum step enrol(struct exchange *x, const struct units_body *body,
                       const struct ledger_batch *batch)
{
    const char *why = check_words(body);

    if (why)
        return exchange_refuse(x, 400, "malformed", "%s", why);
    snprintf(x->serial, sizeof(x->serial), "%s", body->serial);
    if (batch->product[0] && strcmp(batch->product, body->model) != 0)
        return exchange_refuse_on_record(
            x, 422, "model", "the batch %s is of %s, not of %.127s",
            batch->name, batch->product, body->model);
    fill_unit(x, body, batch);
    return body->request.data ? enrol_tpm(x, body) : enrol_pkcs10(x, body);
}

enum step exchange_units(struct exchange *x)
{
    struct units_body body = {0};
    struct devid_error err = {0};
    struct ledger_batch batch;
    enum step step;

    if (!find_batch(x, &batch, &step))
        return step;
    if (body_parse(x->body.data, x->body.len, members, &body, &err) != DEVID_OK)
        step = exchange_refuse(x, 400, "malformed", "%s", err.text);
    else
        step = enrol(x, &body, &batch);
    body_clear(members, &body);
    return step;
}
