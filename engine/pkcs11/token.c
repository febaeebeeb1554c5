/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of this process: where each is, its sessions, its PIN. */
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

    if (from == to || p11_token_has_pin(to))
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

/* ---- where it is ----------------------------------------------------- */

/* Does the slot hold the token that the URI names? _OK, _NOT_FOUND, others. */
static enum devid_err look_at(struct p11_token *t, struct p11_module *m,
                              CK_SLOT_ID slot, CK_TOKEN_INFO *info,
                              struct devid_error *err)
{
    CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(t->uri.kit);
    CK_SLOT_INFO slot_info;
    CK_RV rv;

    /* None of p11-kit's functions looks at it. */
    if ((t->uri.seen & P11_SEEN_SLOT_ID) != 0 && slot != wanted)
        return DEVID_ERR_NOT_FOUND;
    if ((t->uri.seen & P11_SEEN_SLOT_INFO) != 0) {
        rv = m->f->C_GetSlotInfo(slot, &slot_info);
        if (rv != CKR_OK)
            return p11_fail(err, rv, "describe its slot");
        if (!p11_kit_uri_match_slot_info(t->uri.kit, &slot_info))
            return DEVID_ERR_NOT_FOUND;
    }
    rv = m->f->C_GetTokenInfo(slot, info);
    if (rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_TOKEN_NOT_RECOGNIZED ||
        rv == CKR_SLOT_ID_INVALID)
        return DEVID_ERR_NOT_FOUND; /* taken away just now */
    if (rv != CKR_OK)
        return p11_fail(err, rv, "describe itself");
    /* SoftHSM's next token is such a slot: no key can be there. */
    if ((info->flags & CKF_TOKEN_INITIALIZED) == 0)
        return DEVID_ERR_NOT_FOUND;
    return p11_kit_uri_match_token_info(t->uri.kit, info) ? DEVID_OK
                                                          : DEVID_ERR_NOT_FOUND;
}

static enum devid_err two_tokens(const struct p11_token *t,
                                 const CK_TOKEN_INFO *other,
                                 struct devid_error *err)
{
    return devid_fail(
        err, DEVID_ERR_INPUT, 0,
        "two tokens fit the URI '%.200s': serial=%.16s (%.32s) and "
        "serial=%.16s (%.32s); add the serial of the one that is meant",
        t->key, t->info.serialNumber, t->info.label, other->serialNumber,
        other->label);
}

/* The first that fits is it where its serial is known: no two share one. */
static bool is_certain(const struct p11_token *t)
{
    return (t->uri.seen & (P11_SEEN_SERIAL | P11_SEEN_SLOT_ID)) != 0;
}

static enum devid_err search_slots(struct p11_token *t, struct p11_module *m,
                                   struct devid_error *err)
{
    CK_SLOT_ID slots[P11_SLOTS_MAX];
    CK_ULONG count = P11_SLOTS_MAX;
    CK_RV rv = m->f->C_GetSlotList(CK_TRUE, slots, &count);

    if (rv != CKR_OK)
        return p11_fail(err, rv, "say which slots there are");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        enum devid_err e = look_at(t, m, slots[i], &info, err);

        if (e == DEVID_ERR_NOT_FOUND)
            continue;
        if (e != DEVID_OK)
            return e;
        if (t->module != NULL)
            return two_tokens(t, &info, err);
        t->module = m;
        t->epoch = p11_module_epoch(m);
        t->slot = slots[i];
        t->info = info;
        (void)snprintf(
            t->label, sizeof(t->label), "%.*s",
            (int)p11_kit_space_strlen(info.label, sizeof(info.label)),
            (const char *)info.label);
        if (is_certain(t))
            break;
    }
    return DEVID_OK;
}

static enum devid_err search_module(struct p11_token *t, struct p11_module *m,
                                    struct devid_error *err)
{
    CK_INFO info;
    enum devid_err e = p11_module_start(m, err);
    CK_RV rv;

    if (e != DEVID_OK)
        return e;
    if ((t->uri.seen & P11_SEEN_LIBRARY) != 0) {
        rv = m->f->C_GetInfo(&info);
        if (rv != CKR_OK)
            return p11_fail(err, rv, "describe its module");
        if (!p11_kit_uri_match_module_info(t->uri.kit, &info))
            return DEVID_OK;
    }
    return search_slots(t, m, err);
}

/* One of several modules that does not start may still be the wrong one. */
static enum devid_err search(struct p11_token *t, struct devid_error *err)
{
    enum devid_err failed = DEVID_OK;

    for (size_t i = 0; i < t->in.count; i++) {
        enum devid_err e = search_module(t, t->in.modules[i], err);

        if (e == DEVID_ERR_INPUT)
            return e;
        if (e != DEVID_OK)
            failed = e;
        if (t->module != NULL && is_certain(t))
            return DEVID_OK;
    }
    if (t->module != NULL)
        return DEVID_OK;
    if (failed != DEVID_OK)
        return failed;
    return devid_fail(err, DEVID_ERR_NO_DEVICE, CKR_TOKEN_NOT_PRESENT,
                      "no token fits the URI '%.300s': it is not there, or "
                      "another module has it; p11-kit list-modules shows the "
                      "tokens of registered modules",
                      t->key);
}

/* Locked. What an earlier start of the module gave is void. */
static void reset(struct p11_token *t)
{
    t->module = NULL;
    t->logged_in = false;
    t->idle_count = 0;
    t->open_count = 0;
    t->contact++;
}

enum devid_err p11_token_connect(struct p11_token *token,
                                 struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    pthread_mutex_lock(&token->lock);
    if (token->module == NULL ||
        token->epoch != p11_module_epoch(token->module)) {
        reset(token);
        e = search(token, err);
        if (e != DEVID_OK)
            token->module = NULL;
    }
    pthread_mutex_unlock(&token->lock);
    return e;
}

void p11_token_forget(struct p11_token *token, uint64_t contact, CK_RV rv)
{
    pthread_mutex_lock(&token->lock);
    /* Where another thread was faster, what it has made is good. */
    if (token->contact == contact) {
        if (p11_rv_action(rv) == P11_ACTION_REOPEN)
            reset(token);
        token->logged_in = false;
        token->contact++;
    }
    pthread_mutex_unlock(&token->lock);
}
