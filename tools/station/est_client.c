/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks for an LDevID: the unit of the certificate that TLS has seen the key
 * of, an IDevID or LDevID of this ledger, or of a name and its secret.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "body.h"
#include "est.h"
#include "guesses.h"
#include "ledger_unit.h"

void est_client_clear(struct est_client *client)
{
    ledger_ldevid_clear(&client->ldevid);
    *client = (struct est_client){0};
}

static bool refuse(enum step *step, enum step refused)
{
    *step = refused;
    return false;
}

/* ---- the unit ---------------------------------------------------------- */

static bool is_same(struct devid_bytes shown, const struct ledger_blob *own)
{
    return shown.len > 0 && shown.len == own->len &&
           memcmp(shown.data, own->data, own->len) == 0;
}

/* By id or serial number; *found is false where there is none. */
static bool find_unit(struct exchange *x, enum unit_key key, const char *value,
                      bool *found, enum step *step)
{
    struct devid_error err = {0};
    struct ledger_unit unit;
    enum devid_err e = ledger_find(x->context->ledger, key, value, &unit, &err);

    *found = e == DEVID_OK;
    if (e != DEVID_OK && e != DEVID_ERR_NOT_FOUND)
        return refuse(step, exchange_fail(x, &err));
    if (!*found)
        return true;
    ledger_unit_clear(&x->job.unit);
    x->job.unit = unit;
    memcpy(x->serial, unit.serial, sizeof(x->serial));
    return true;
}

static bool is_in_use(struct exchange *x, enum step *step)
{
    const struct ledger_unit *unit = &x->job.unit;

    if (unit->state == UNIT_RETIRED)
        return refuse(step, exchange_refuse_on_record(
                                x, 403, "state",
                                "the unit %s is retired, and its certificates "
                                "are revoked",
                                unit->serial));
    if (unit->idevid_cert.len == 0)
        return refuse(step, exchange_refuse_on_record(
                                x, 403, "state",
                                "the unit %s is %s: it has no IDevID yet",
                                unit->serial, unit_state_name(unit->state)));
    return true;
}

/* ---- by a certificate -------------------------------------------------- */

static bool refuse_stranger(struct exchange *x, enum step *step)
{
    return refuse(step, exchange_refuse(x, 403, "certificate",
                                        "the client certificate is neither an "
                                        "IDevID nor an LDevID of this "
                                        "station's units"));
}

static bool check_ldevid(struct exchange *x, const struct ledger_ldevid *ldevid,
                         enum step *step)
{
    char until[TIME_TEXT_SIZE];

    if (ldevid->revoked_ms > 0 || ldevid->generation != x->job.unit.generation)
        return refuse(step, exchange_refuse_on_record(
                                x, 403, "certificate",
                                "the LDevID %s of unit %s is revoked",
                                ldevid->number, ldevid->serial));
    if (ldevid->not_after_ms > now_ms())
        return true;
    time_text(ldevid->not_after_ms, until);
    return refuse(step, exchange_refuse_on_record(
                            x, 403, "certificate",
                            "the LDevID %s of unit %s expired at %s: ask for "
                            "one under the IDevID (simpleenroll)",
                            ldevid->number, ldevid->serial, until));
}

static bool by_ldevid(struct exchange *x, const struct ledger_ldevid *ldevid,
                      enum step *step)
{
    bool found;

    if (!is_same(x->client_cert, &ldevid->cert))
        return refuse_stranger(x, step);
    if (!find_unit(x, UNIT_BY_ID, ldevid->unit, &found, step))
        return false;
    if (!found)
        return refuse_stranger(x, step);
    return is_in_use(x, step) && check_ldevid(x, ldevid, step);
}

static bool by_idevid(struct exchange *x, const char *serial, enum step *step)
{
    bool found;

    if (!find_unit(x, UNIT_BY_SERIAL, serial, &found, step))
        return false;
    if (!found || !is_same(x->client_cert, &x->job.unit.idevid_cert))
        return refuse_stranger(x, step);
    return is_in_use(x, step);
}

/* The number of the certificate, and the serialNumber of its subject. */
static void read_cert(struct devid_bytes der, char number[LEDGER_NUMBER_SIZE],
                      char serial[LEDGER_TEXT_SIZE])
{
    const struct ledger_blob blob = {(uint8_t *)(uintptr_t)der.data, der.len};
    const unsigned char *p = der.data;
    X509 *cert = d2i_X509(NULL, &p, (long)der.len);

    cert_number(&blob, number);
    *serial = '\0';
    if (cert)
        est_serial_of(X509_get_subject_name(cert), serial);
    X509_free(cert);
    ERR_clear_error();
}

static bool by_certificate(struct exchange *x, struct est_client *client,
                           enum step *step)
{
    char number[LEDGER_NUMBER_SIZE];
    char serial[LEDGER_TEXT_SIZE];
    struct devid_error err = {0};
    enum devid_err e;

    read_cert(x->client_cert, number, serial);
    e = ledger_find_ldevid(x->context->ledger, LDEVID_BY_NUMBER, number,
                           &client->ldevid, &err);
    if (e == DEVID_OK)
        return by_ldevid(x, &client->ldevid, step);
    if (e == DEVID_ERR_NOT_FOUND)
        return by_idevid(x, serial, step);
    return refuse(step, exchange_fail(x, &err));
}

/* ---- by a secret ------------------------------------------------------- */

/* "name:secret" out of base64, ended by NUL; OPENSSL_clear_free by its size. */
static char *open_basic(const char *basic, size_t *size)
{
    uint8_t *data = NULL;
    char *text = NULL;
    size_t len = 0;

    if (body_unbase64(basic, strlen(basic), &data, &len)) {
        *size = len + 1;
        text = OPENSSL_zalloc(*size);
        if (text)
            memcpy(text, data, len);
    }
    OPENSSL_clear_free(data, len);
    return text;
}

static bool is_known(const struct exchange *x, char *pair)
{
    char *secret = strchr(pair, ':');

    if (!secret)
        return false;
    *secret++ = '\0';
    return est_secret_is(x->context->config.est_users, pair, secret);
}

/* A unit for itself, or who is no unit for the one that the request names. */
static bool for_unit(struct exchange *x, const char *user, const char *named,
                     enum step *step)
{
    bool found;

    if (!find_unit(x, UNIT_BY_SERIAL, user, &found, step))
        return false;
    if (!found && *named && !find_unit(x, UNIT_BY_SERIAL, named, &found, step))
        return false;
    if (found)
        return is_in_use(x, step);
    return refuse(
        step,
        exchange_refuse(x, 403, "unit",
                        "%.64s is no unit, and neither is '%.64s', which the "
                        "request's subject has as serialNumber",
                        user, named));
}

static int64_t clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A right one is not looked at either: its answer would tell. */
static bool may_guess(struct exchange *x, enum step *step)
{
    x->retry_s = guesses_wait(x->context->guesses, x->peer, clock_ms());
    if (x->retry_s == 0)
        return true;
    return refuse(step, exchange_refuse(x, 429, "rate",
                                        "too many wrong secrets have come "
                                        "from %s: ask again in %u seconds",
                                        x->peer, x->retry_s));
}

static bool by_secret(struct exchange *x, const char *named, enum step *step)
{
    size_t size = 0;
    char *pair;
    bool ok;

    if (!may_guess(x, step))
        return false;
    pair = open_basic(x->basic, &size);
    if (!pair || !is_known(x, pair)) {
        OPENSSL_clear_free(pair, size);
        guesses_wrong(x->context->guesses, x->peer, clock_ms());
        return refuse(step, exchange_refuse(x, 401, "authorization",
                                            "there is no such name, or it has "
                                            "another secret"));
    }
    ok = for_unit(x, pair, named, step);
    OPENSSL_clear_free(pair, size);
    return ok;
}

bool est_find_client(struct exchange *x, const char *named,
                     struct est_client *client, enum step *step)
{
    *client = (struct est_client){0};
    if (x->client_cert.len > 0)
        return by_certificate(x, client, step);
    client->by_secret = true;
    if (x->basic && x->context->config.est_users)
        return by_secret(x, named, step);
    return refuse(step, exchange_refuse(
                            x, 401, "authorization",
                            "an IDevID or LDevID of this station is wanted as "
                            "client certificate%s",
                            x->context->config.est_users
                                ? ", or a name and its secret (Basic)"
                                : ""));
}
