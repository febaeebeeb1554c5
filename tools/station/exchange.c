/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "body.h"

/* ---- answers ----------------------------------------------------------- */

enum step exchange_answer(struct exchange *x, int status, json_t *answer)
{
    json_decref(x->answer);
    x->status = answer ? status : 500;
    x->answer = answer;
    return STEP_ANSWERED;
}

enum step exchange_answer_nothing(struct exchange *x)
{
    json_decref(x->answer);
    x->answer = NULL;
    x->status = 204;
    return STEP_ANSWERED;
}

static json_t *refusal(const struct exchange *x, const char *unit)
{
    return unit ? json_pack("{s:{s:s,s:s,s:s}}", "error", "code", x->code,
                            "message", x->message, "unit", unit)
                : json_pack("{s:{s:s,s:s}}", "error", "code", x->code,
                            "message", x->message);
}

/* A sentence may quote what is no UTF-8, which JSON would not take. */
static void set_message(struct exchange *x, const char *code,
                        const char *format, va_list values)
    __attribute__((format(printf, 3, 0)));

static void set_message(struct exchange *x, const char *code,
                        const char *format, va_list values)
{
    json_t *text;

    snprintf(x->code, sizeof(x->code), "%s", code);
    (void)vsnprintf(x->message, sizeof(x->message), format, values);
    text = json_string(x->message);
    for (char *c = x->message; !text && *c; c++) {
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    }
    json_decref(text);
}

enum step exchange_refuse(struct exchange *x, int status, const char *code,
                          const char *format, ...)
{
    va_list values;

    va_start(values, format);
    set_message(x, code, format, values);
    va_end(values);
    return exchange_answer(x, status, refusal(x, NULL));
}

static enum step recorded(struct exchange *x)
{
    if (x->job.outcome == LEDGER_FAILED)
        return exchange_fail(x, &x->job.error);
    return STEP_ANSWERED;
}

enum step exchange_refuse_on_record(struct exchange *x, int status,
                                    const char *code, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    set_message(x, code, format, values);
    va_end(values);
    exchange_answer(x, status, refusal(x, NULL));
    ledger_unit_clear(&x->job.unit);
    x->job.op = LEDGER_REFUSE;
    snprintf(x->job.unit.serial, sizeof(x->job.unit.serial), "%s", x->serial);
    x->job.detail = x->message;
    x->next = recorded;
    return STEP_COMMIT;
}

/* What went wrong here is for the log; who asked cannot mend it. */
enum step exchange_fail(struct exchange *x, const struct devid_error *err)
{
    snprintf(x->code, sizeof(x->code), "failed");
    snprintf(x->message, sizeof(x->message),
             "the station failed; its log says why");
    exchange_answer(x, 500, refusal(x, NULL));
    snprintf(x->message, sizeof(x->message), "%s", err->text);
    return STEP_ANSWERED;
}

enum step exchange_refuse_job(struct exchange *x)
{
    static const struct {
        int status;
        const char *code;
    } rows[] = {
        [LEDGER_DUPLICATE] = {409, "duplicate"},
        [LEDGER_NO_BATCH] = {401, "token"},
        [LEDGER_QUOTA] = {429, "quota"},
        [LEDGER_STATE] = {409, "state"},
        [LEDGER_NOT_FOUND] = {404, "unit"},
    };
    enum ledger_outcome outcome = x->job.outcome;
    bool duplicate = outcome == LEDGER_DUPLICATE;

    if (outcome >= LEDGER_FAILED || !rows[outcome].code)
        return exchange_fail(x, &x->job.error);
    snprintf(x->code, sizeof(x->code), "%s", rows[outcome].code);
    snprintf(x->message, sizeof(x->message), "%s", x->job.error.text);
    return exchange_answer(x, rows[outcome].status,
                           refusal(x, duplicate ? x->job.unit.serial : NULL));
}

/* ---- driving ----------------------------------------------------------- */

void exchange_drive(struct exchange *x)
{
    while (x->next(x) == STEP_COMMIT)
        (void)ledger_do(x->context->ledger, &x->job); /* it is in the job */
}

void exchange_clear(struct exchange *x)
{
    json_decref(x->answer);
    ledger_unit_clear(&x->job.unit);
    ledger_ldevid_clear(&x->job.ldevid);
    OPENSSL_free(x->bytes);
    OPENSSL_free(x->iak.der);
    OPENSSL_free(x->idevid.der);
    free(x->page.text);
    *x = (struct exchange){0};
}

bool exchange_find(struct exchange *x, enum step *step)
{
    struct devid_error err = {0};
    enum devid_err e = ledger_find(x->context->ledger, UNIT_BY_ID, x->unit_id,
                                   &x->job.unit, &err);

    if (e == DEVID_OK) {
        snprintf(x->serial, sizeof(x->serial), "%s", x->job.unit.serial);
        return true;
    }
    if (e == DEVID_ERR_NOT_FOUND)
        *step =
            exchange_refuse(x, 404, "unit", "there is no unit %s", x->unit_id);
    else
        *step = exchange_fail(x, &err);
    return false;
}

/* ---- small parts ------------------------------------------------------- */

bool blob_set(struct ledger_blob *blob, const void *data, size_t len)
{
    OPENSSL_free(blob->data);
    *blob = (struct ledger_blob){0};
    if (len == 0)
        return true;
    blob->data = OPENSSL_memdup(data, len);
    blob->len = blob->data ? len : 0;
    return blob->data != NULL;
}

void sha256_hex(const void *data, size_t len, char hex[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};

    (void)EVP_Q_digest(NULL, "SHA256", "provider!=devid", data, len, digest,
                       NULL);
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void time_text(int64_t ms, char text[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm = {0};

    gmtime_r(&seconds, &tm);
    (void)strftime(text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The id's last digits are random. */
unsigned exchange_shard(const struct context *context, const char *id)
{
    size_t len = strlen(id);
    unsigned long number = strtoul(len > 8 ? id + len - 8 : id, NULL, 16);

    return (unsigned)(number % context->config.crl_shards);
}

/* ---- GET /v1/station --------------------------------------------------- */

static json_t *cert_base64(X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    json_t *value = len > 0 ? body_base64(der, (size_t)len) : NULL;

    OPENSSL_free(der);
    return value;
}

static json_t *chain_base64(const struct context *context)
{
    json_t *list = json_array();

    for (int i = 0; list && i < sk_X509_num(context->chain); i++) {
        if (json_array_append_new(
                list, cert_base64(sk_X509_value(context->chain, i)))) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

enum step exchange_station(struct exchange *x)
{
    const struct context *context = x->context;
    char now[TIME_TEXT_SIZE];
    json_t *answer;

    time_text(now_ms(), now);
    answer = json_pack("{s:s,s:s,s:s,s:o}", "station", context->config.name,
                       "version", DEVID_VERSION, "time", now, "ca",
                       chain_base64(context));
    if (answer && context->escrow &&
        json_object_set_new(answer, "escrow", cert_base64(context->escrow))) {
        json_decref(answer);
        answer = NULL;
    }
    return exchange_answer(x, 200, answer);
}

enum step exchange_answer_issued(struct exchange *x)
{
    const struct ledger_unit *unit = &x->job.unit;
    json_t *answer = json_pack(
        "{s:s,s:s,s:b,s:o,s:o}", "unit", unit->id, "state",
        unit_state_name(unit->state), "attested", unit->attested, "idevid",
        body_base64(unit->idevid_cert.data, unit->idevid_cert.len), "ca",
        chain_base64(x->context));

    if (answer && unit->iak_cert.len > 0 &&
        json_object_set_new(
            answer, "iak",
            body_base64(unit->iak_cert.data, unit->iak_cert.len))) {
        json_decref(answer);
        answer = NULL;
    }
    return exchange_answer(x, x->is_new ? 201 : 200, answer);
}
