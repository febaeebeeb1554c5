/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_page.h"
#include "message.h"
#include "operators.h"

enum {
    KEY_LEN = 32,
    TOKEN_MS = 12 * 3600 * 1000 /* that a page may lie open */
};

struct fleet {
    struct operators *operators;
    struct figure_keeper *figures;
    uint8_t key[KEY_LEN]; /* of forms' tokens */
};

enum exit_code fleet_open(const struct context *context, struct fleet **out)
{
    struct fleet *fleet = calloc(1, sizeof(*fleet));
    enum exit_code code;

    *out = fleet;
    if (!fleet)
        die_no_memory();
    code = operators_open(context->config.operators, context->ca,
                          &fleet->operators);
    if (code == EXIT_DONE && RAND_bytes(fleet->key, KEY_LEN) != 1)
        code = fail("there are no random numbers for the pages' forms");
    if (code == EXIT_DONE) {
        fleet->figures = figures_open(context->ledger);
        if (!fleet->figures)
            code = fail("a thread for the pages' figures cannot be started");
    }
    if (code != EXIT_DONE)
        fleet_close(out);
    return code;
}

void fleet_close(struct fleet **out)
{
    struct fleet *fleet = *out;

    *out = NULL;
    if (!fleet)
        return;
    figures_close(&fleet->figures);
    operators_close(&fleet->operators);
    OPENSSL_cleanse(fleet->key, KEY_LEN);
    free(fleet);
}

/* ---- who asks ---------------------------------------------------------- */

bool fleet_enter(struct exchange *x, enum step *step)
{
    char name[OPERATOR_NAME_SIZE];
    struct devid_error err = {0};
    enum devid_err code = DEVID_ERR_AUTH;

    if (x->fleet)
        code = operators_find(x->fleet->operators, x->client_cert, name, &err);
    switch ((int)code) {
    case DEVID_OK:
        snprintf(x->who, sizeof(x->who), "operator %s at %.40s", name,
                 x->peer ? x->peer : "?");
        return true;
    case DEVID_ERR_AUTH:
        *step = exchange_refuse(x, 403, "operator", "%s", err.text);
        return false;
    default:
        *step = exchange_fail(x, &err);
        return false;
    }
}

/* ---- tokens ------------------------------------------------------------ */

static bool make_token(const struct exchange *x, int64_t until_ms,
                       char token[FLEET_TOKEN_SIZE])
{
    uint8_t message[32 + 8];
    uint8_t mac[32];
    unsigned mac_len = sizeof(mac);
    size_t len;

    if (!EVP_Q_digest(NULL, "SHA256", NULL, x->client_cert.data,
                      x->client_cert.len, message, NULL))
        return false;
    for (int i = 0; i < 8; i++)
        message[32 + i] = (uint8_t)(until_ms >> (56 - 8 * i));
    if (!HMAC(EVP_sha256(), x->fleet->key, KEY_LEN, message, sizeof(message),
              mac, &mac_len))
        return false;
    len = (size_t)snprintf(token, FLEET_TOKEN_SIZE, "%llx.",
                           (unsigned long long)until_ms);
    for (size_t i = 0; i < sizeof(mac); i++)
        len += (size_t)snprintf(token + len, FLEET_TOKEN_SIZE - len, "%02x",
                                mac[i]);
    return true;
}

void fleet_token(const struct exchange *x, char token[FLEET_TOKEN_SIZE])
{
    if (!make_token(x, now_ms() + TOKEN_MS, token))
        token[0] = '\0';
}

static bool is_token(const struct exchange *x, const char *given)
{
    char token[FLEET_TOKEN_SIZE];
    char *end = NULL;
    int64_t until = (int64_t)strtoll(given, &end, 16);

    return end && *end == '.' && until > now_ms() &&
           make_token(x, until, token) && strlen(given) == strlen(token) &&
           CRYPTO_memcmp(given, token, strlen(token)) == 0;
}

bool fleet_form(struct exchange *x, struct form *form, enum step *step)
{
    const char *why = form_parse(x->body.data, x->body.len, form);

    if (why) {
        *step = exchange_refuse(x, 400, "malformed", "%s", why);
        return false;
    }
    if (is_token(x, form_get(form, "token")))
        return true;
    *step = exchange_refuse(x, 403, "form",
                            "this form was not made for you by this station, "
                            "or it is too old: load its page again");
    return false;
}

/* ---- figures ----------------------------------------------------------- */

const struct figures *fleet_figures(struct exchange *x, struct devid_error *err)
{
    return figures_get(x->fleet->figures, err);
}

void fleet_changed(struct exchange *x)
{
    figures_changed(x->fleet->figures);
}
