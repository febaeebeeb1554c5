/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of this process: one for all URIs that name it so, and its PIN. */
#include "pkcs11.h"

#include "../secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct p11_token *registry; /* grows only: a row a token that is named */
static unsigned users;             /* engines; guarded by registry_lock */

/* ---- one for all URIs that name it so -------------------------------- */

/* By the URI's module, else the setting's, else all that are registered. */
static const char *path_of(const struct p11_state *state,
                           const struct p11_uri *uri)
{
    const char *path = p11_kit_uri_get_module_path(uri->kit);

    if (path == NULL && p11_kit_uri_get_module_name(uri->kit) == NULL)
        path = devid_get(state->engine, "pkcs11-module");
    return path;
}

/* The URI without its object and its PIN, with the module that serves it. */
static enum devid_err token_uri(const struct p11_uri *uri, const char *path,
                                struct p11_uri *token, char **key,
                                struct devid_error *err)
{
    char *text = NULL;
    bool ok = false;

    *key = NULL;
    token->seen = uri->seen;
    token->kit = p11_kit_uri_new();
    if (token->kit == NULL)
        return devid_no_memory(err);
    ok = p11_kit_uri_format(uri->kit, P11_KIT_URI_FOR_ANY, &text) ==
             P11_KIT_URI_OK &&
         p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, token->kit) ==
             P11_KIT_URI_OK;
    free(text); /* p11-kit's, of malloc */
    text = NULL;
    if (ok) {
        p11_kit_uri_clear_attributes(token->kit);
        p11_kit_uri_set_pin_value(token->kit, NULL);
        p11_kit_uri_set_pin_source(token->kit, NULL);
        p11_kit_uri_set_module_path(token->kit, path);
        ok = p11_kit_uri_format(token->kit, P11_KIT_URI_FOR_ANY, &text) ==
             P11_KIT_URI_OK;
    }
    if (ok)
        *key = OPENSSL_strdup(text);
    free(text);
    return *key != NULL ? DEVID_OK : devid_no_memory(err);
}

static void token_free(struct p11_token *t)
{
    p11_uri_clear(&t->uri);
    OPENSSL_free(t->in.modules);
    OPENSSL_free(t->key);
    OPENSSL_free(t);
}

static enum devid_err token_new(const struct p11_uri *uri, const char *path,
                                struct p11_token **token,
                                struct devid_error *err)
{
    struct p11_token *t = OPENSSL_zalloc(sizeof(*t));
    enum devid_err e;

    if (t == NULL)
        return devid_no_memory(err);
    e = token_uri(uri, path, &t->uri, &t->key, err);
    if (e == DEVID_OK)
        e = p11_choose(path, p11_kit_uri_get_module_name(uri->kit), &t->in,
                       err);
    if (e == DEVID_OK && pthread_mutex_init(&t->lock, NULL) != 0)
        e = devid_no_memory(err);
    if (e != DEVID_OK) {
        token_free(t);
        return e;
    }
    t->contact = 1;
    *token = t;
    return DEVID_OK;
}

enum devid_err p11_token_get(const struct p11_state *state,
                             const struct p11_uri *uri,
                             struct p11_token **token, struct devid_error *err)
{
    struct p11_token *made = NULL;
    struct p11_token *t;
    enum devid_err e = token_new(uri, path_of(state, uri), &made, err);

    if (made == NULL)
        return e;
    pthread_mutex_lock(&registry_lock);
    for (t = registry; t != NULL; t = t->next) {
        if (strcmp(t->key, made->key) == 0)
            break;
    }
    if (t == NULL) {
        made->next = registry;
        registry = made;
        t = made;
        made = NULL;
    }
    pthread_mutex_unlock(&registry_lock);
    if (made != NULL) {
        pthread_mutex_destroy(&made->lock);
        token_free(made);
    }
    *token = t;
    return DEVID_OK;
}

void p11_tokens_open(void)
{
    pthread_mutex_lock(&registry_lock);
    users++;
    pthread_mutex_unlock(&registry_lock);
}

void p11_tokens_close(void)
{
    pthread_mutex_lock(&registry_lock);
    if (--users == 0) {
        for (struct p11_token *t = registry; t != NULL; t = t->next) {
            p11_gate_enter(); /* so that no fork finds the token locked */
            pthread_mutex_lock(&t->lock);
            devid_secret_free(&t->pin);
            pthread_mutex_unlock(&t->lock);
            p11_gate_leave();
        }
    }
    pthread_mutex_unlock(&registry_lock);
}

/* ---- its PIN --------------------------------------------------------- */

static bool equal(const struct devid_secret *a, const struct devid_secret *b)
{
    return devid_secret_len(a) == devid_secret_len(b) &&
           CRYPTO_memcmp(devid_secret_data(a), devid_secret_data(b),
                         devid_secret_len(a)) == 0;
}

void p11_token_give_pin(struct p11_token *token, struct devid_secret *pin)
{
    if (pin == NULL)
        return;
    p11_gate_enter();
    pthread_mutex_lock(&token->lock);
    /* The one that is there knows whether it was refused. */
    if (token->pin == NULL || !equal(token->pin, pin)) {
        devid_secret_free(&token->pin);
        token->pin = pin;
        pin = NULL;
    }
    pthread_mutex_unlock(&token->lock);
    p11_gate_leave();
    devid_secret_free(&pin);
}

bool p11_token_has_pin(struct p11_token *token)
{
    bool has;

    p11_gate_enter();
    pthread_mutex_lock(&token->lock);
    has = token->pin != NULL;
    pthread_mutex_unlock(&token->lock);
    p11_gate_leave();
    return has;
}

void p11_token_share_pin(struct p11_token *from, struct p11_token *to)
{
    struct devid_secret *copy = NULL;

    if (p11_token_has_pin(to))
        return;
    p11_gate_enter();
    pthread_mutex_lock(&from->lock);
    /* Without memory the other asks for its own. */
    if (from->pin != NULL && !devid_secret_is_refused(from->pin) &&
        devid_secret_new(devid_secret_data(from->pin),
                         devid_secret_len(from->pin), &copy, NULL) != DEVID_OK)
        copy = NULL;
    pthread_mutex_unlock(&from->lock);
    p11_gate_leave();
    p11_token_give_pin(to, copy);
}
