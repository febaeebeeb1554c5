/* SPDX-License-Identifier: Apache-2.0 */
/* Token keys as key.c sees them: open from a reference, describe, use. */
#include "find.h"
#include "keyuri.h"

#include "../secret.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

/* The parsed URI is the caller's on success alone. */
static enum devid_err open_parsed(const struct p11_state *state,
                                  struct p11_uri *uri, struct p11_token **token,
                                  bool *ask, struct devid_error *err)
{
    struct devid_secret *pin = NULL;
    enum devid_err e = p11_pin_read(state->engine, uri, &pin, ask, err);

    if (e == DEVID_OK)
        e = p11_token_get(state, uri, token, err);
    if (e == DEVID_OK) {
        p11_token_give_pin(*token, pin);
        pin = NULL;
    }
    devid_secret_free(&pin);
    if (e != DEVID_OK)
        p11_uri_clear(uri);
    return e;
}

enum devid_err p11_open_uri(const struct p11_state *state, const char *text,
                            struct p11_uri *uri, struct p11_token **token,
                            bool *ask, struct devid_error *err)
{
    enum devid_err e = p11_uri_parse(text, uri, err);

    *ask = false;
    return e == DEVID_OK ? open_parsed(state, uri, token, ask, err) : e;
}

/*
 * Who decodes a key file may do so for a stranger, and as root: no program is
 * run for it, and no library loaded that nobody else has named.
 */
static enum devid_err check_reference(const struct p11_state *state,
                                      const struct p11_uri *uri,
                                      struct devid_error *err)
{
    const char *path = p11_kit_uri_get_module_path(uri->kit);
    char *known = NULL;
    enum devid_err e = p11_pin_check_file(uri, err);

    if (e != DEVID_OK || path == NULL)
        return e;
    e = p11_module_check_file(devid_get(state->engine, "pkcs11-module"), path,
                              &known, err);
    if (e == DEVID_OK) /* which no one else can put another library at */
        p11_kit_uri_set_module_path(uri->kit, known);
    OPENSSL_free(known);
    return e;
}

enum devid_err p11_open_reference(const struct p11_state *state,
                                  const char *text, struct p11_uri *uri,
                                  struct p11_token **token, bool *ask,
                                  struct devid_error *err)
{
    enum devid_err e = p11_uri_parse(text, uri, err);

    *ask = false;
    if (e != DEVID_OK)
        return e;
    e = check_reference(state, uri, err);
    if (e == DEVID_OK)
        return open_parsed(state, uri, token, ask, err);
    p11_uri_clear(uri);
    return e;
}

enum devid_err p11_check_names_key(const struct p11_uri *uri, const char *text,
                                   struct devid_error *err)
{
    const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri->kit, CKA_CLASS);
    char shown[256];

    /* type=public names the pair just as well, as openssl's users write it. */
    if (class == NULL ||
        *(const CK_OBJECT_CLASS *)class->pValue == CKO_PRIVATE_KEY ||
        *(const CK_OBJECT_CLASS *)class->pValue == CKO_PUBLIC_KEY)
        return DEVID_OK;
    p11_uri_show(text, shown, sizeof(shown));
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "'%.250s' names no key: a key's URI has type=private, or "
                      "no type",
                      shown);
}

/* ---- a reference whose file has no public key ------------------------ */

/* The public object takes no login, so that loading a key needs no PIN. */
static enum devid_err ask_public(struct p11_key *key, const char *text,
                                 struct devid_error *err)
{
    struct p11_half half = {.uri = &key->uri,
                            .text = text,
                            .class = CKO_PUBLIC_KEY,
                            .pub = &key->pub};
    enum devid_err e = p11_run(key->token, P11_READ, p11_find_half, &half, err);

    if (e != DEVID_ERR_NOT_FOUND)
        return e;
    half.class = CKO_PRIVATE_KEY;
    return p11_run(key->token, P11_USE, p11_find_half, &half, err);
}

/* ---- open, close, describe ------------------------------------------- */

static void key_clear(struct p11_key *k)
{
    p11_uri_clear(&k->uri);
    OPENSSL_free(k->text);
    OPENSSL_free(k);
}

static enum devid_err fill(const struct p11_state *state,
                           const struct devid_keyfile *file, struct p11_key *k,
                           struct devid_key_limits *limits,
                           struct devid_error *err)
{
    size_t size = strlen(file->uri) + 1;
    bool ask = false;
    enum devid_err e;

    k->text = OPENSSL_malloc(size);
    if (k->text == NULL)
        return devid_no_memory(err);
    p11_uri_show(file->uri, k->text, size);
    e = p11_open_reference(state, file->uri, &k->uri, &k->token, &ask, err);
    if (e != DEVID_OK)
        return e;
    e = p11_check_names_key(&k->uri, file->uri, err);
    if (e != DEVID_OK)
        return e;
    if (file->has_public)
        k->pub = file->public_key;
    else
        e = ask_public(k, file->uri, err);
    limits->sign = true;
    limits->learnt_later = true;
    limits->needs_auth = ask && !p11_token_has_pin(k->token);
    return e;
}

enum devid_err p11_key_open(void *state, const struct devid_keyfile *file,
                            void **key, struct devid_public *pub,
                            struct devid_key_limits *limits,
                            struct devid_error *err)
{
    const struct p11_state *self = state;
    struct p11_key *k;
    enum devid_err e;

    if (file->format != DEVID_KEYFILE_REFERENCE || file->uri == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "this key file names no token's key");
    k = OPENSSL_zalloc(sizeof(*k));
    if (k == NULL)
        return devid_no_memory(err);
    if (pthread_mutex_init(&k->lock, NULL) != 0) {
        OPENSSL_free(k);
        return devid_no_memory(err);
    }
    k->libctx = devid_libctx(self->engine);
    k->copy = devid_is(self->engine, "pkcs11-copy-keys", "yes");
    e = fill(self, file, k, limits, err);
    if (e != DEVID_OK) {
        void *opened = k;

        p11_key_free(&opened);
        return e;
    }
    *pub = k->pub;
    *key = k;
    return DEVID_OK;
}

void p11_key_free(void **key)
{
    struct p11_key *k = *key;

    *key = NULL;
    if (k == NULL)
        return;
    pthread_mutex_destroy(&k->lock);
    key_clear(k);
}

void p11_key_set_auth(void *key, struct devid_secret *auth)
{
    const struct p11_key *k = key;

    p11_token_give_pin(k->token, auth);
}

void p11_key_info(const void *key, struct devid_key_info *info)
{
    const struct p11_key *k = key;

    /* The URI of the file may hold a PIN. */
    (void)snprintf(info->uri, sizeof(info->uri), "%s", k->text);
    (void)snprintf(info->location, sizeof(info->location),
                   "on a PKCS#11 token");
}

/* ---- on the token ---------------------------------------------------- */

/*
 * The handle of a copy of the key that lives in a session, made now or before;
 * or the key's own, where the token makes none. SoftHSM looks at a token's
 * files for each use of an object on it, and not for one of a session.
 */
static CK_OBJECT_HANDLE copy_of(struct p11_session *session,
                                CK_OBJECT_HANDLE original)
{
    struct p11_token *t = session->token;
    CK_BBOOL on_token = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_TOKEN, &on_token, sizeof(on_token)};
    struct p11_copy copy = {session->contact, original, original};
    size_t i = 0;

    pthread_mutex_lock(&t->lock);
    if (t->copy_count > 0 && t->copies[0].contact != session->contact)
        t->copy_count = 0; /* they went with their sessions */
    while (i < t->copy_count && t->copies[i].original != original)
        i++;
    if (i < t->copy_count) {
        copy = t->copies[i];
    } else if (i < P11_COPIES_MAX) {
        if (session->f->C_CopyObject(session->handle, original, &attribute, 1,
                                     &copy.handle) != CKR_OK)
            copy.handle = original;
        t->copies[t->copy_count++] = copy;
    }
    pthread_mutex_unlock(&t->lock);
    return copy.handle;
}

static enum devid_err find_original(struct p11_key *key,
                                    struct p11_session *session,
                                    struct devid_error *err)
{
    CK_BBOOL each_time = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_ALWAYS_AUTHENTICATE, &each_time,
                              sizeof(each_time)};
    struct p11_query query;
    CK_OBJECT_HANDLE handle = 0;
    enum devid_err e;
    CK_RV rv;

    p11_query_from_uri(&key->uri, CKO_PRIVATE_KEY, &query);
    if (p11_token_recall(session, &query, &key->handle,
                         &key->always_authenticate))
        return DEVID_OK;
    e = p11_find_one(session, &query, key->text, &handle, err);
    if (e != DEVID_OK)
        return e;
    rv =
        session->f->C_GetAttributeValue(session->handle, handle, &attribute, 1);
    /* A token of before v2.20 does not know it, and asks once. */
    if (rv != CKR_OK && rv != CKR_ATTRIBUTE_TYPE_INVALID)
        return p11_fail(err, rv, "describe the key");
    key->always_authenticate = rv == CKR_OK && each_time != CK_FALSE;
    key->handle = handle;
    return DEVID_OK;
}

static enum devid_err find_key(struct p11_key *key, struct p11_session *session,
                               struct devid_error *err)
{
    enum devid_err e = find_original(key, session, err);

    if (e != DEVID_OK)
        return e;
    if (key->copy)
        key->handle = copy_of(session, key->handle);
    key->contact = session->contact;
    return DEVID_OK;
}

enum devid_err p11_key_handle(struct p11_key *key, struct p11_session *session,
                              CK_OBJECT_HANDLE *handle,
                              bool *always_authenticate,
                              struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    /* Others wait meanwhile: what one finds serves them all. */
    pthread_mutex_lock(&key->lock);
    if (key->contact != session->contact)
        e = find_key(key, session, err);
    *handle = key->handle;
    *always_authenticate = key->always_authenticate;
    pthread_mutex_unlock(&key->lock);
    return e;
}
