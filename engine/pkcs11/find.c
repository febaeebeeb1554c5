/* SPDX-License-Identifier: Apache-2.0 */
/* A key by its URI: its public half, and the reference that leads to it. */
#include "find.h"
#include "keyuri.h"

#include <string.h>

#include <openssl/crypto.h>

/* A key, its public half and its certificate; more are asked for by class. */
#define PAIR_MAX 3

enum devid_err p11_reference(const struct p11_token *token,
                             const struct p11_uri *uri,
                             const struct p11_object *private_key, char **text,
                             struct devid_error *err)
{
    struct p11_reference ref = {
        .token = &token->info,
        .id = private_key->id,
        .id_len = private_key->id_len,
        .label = private_key->label,
        .class = CKO_PRIVATE_KEY,
        .module_path = token->module->path,
        .module_name = token->module->path == NULL ? token->module->name : NULL,
        .pin_source = p11_pin_reference(uri),
    };

    return p11_uri_format(&ref, text, err);
}

struct find_request {
    const struct p11_uri *uri;
    const char *text;
    struct devid_keyfile *file;
    bool ask; /* for the PIN, once the program has the key */
};

/* One of each at most; anything else is for the searches by class. */
static bool sort_halves(const struct p11_object *objects, CK_ULONG count,
                        const struct p11_object **private_key,
                        const struct p11_object **public_key)
{
    *private_key = NULL;
    *public_key = NULL;
    for (CK_ULONG i = 0; i < count; i++) {
        const struct p11_object **which =
            objects[i].class == CKO_PRIVATE_KEY  ? private_key
            : objects[i].class == CKO_PUBLIC_KEY ? public_key
                                                 : NULL;

        if (which == NULL)
            continue;
        if (*which != NULL)
            return false;
        *which = &objects[i];
    }
    return *public_key != NULL &&
           (*private_key == NULL ||
            ((*private_key)->id_len == (*public_key)->id_len &&
             memcmp((*private_key)->id, (*public_key)->id,
                    (*public_key)->id_len) == 0));
}

/*
 * Both halves by one search, since an id or a label names few objects: by
 * class an EC key, whose private half has no point, takes two.
 */
static enum devid_err find_pair(struct p11_session *session,
                                const struct find_request *r,
                                struct p11_half *found, bool *done,
                                struct devid_error *err)
{
    CK_OBJECT_HANDLE handles[PAIR_MAX + 1];
    struct p11_object objects[PAIR_MAX];
    const struct p11_object *private_key;
    const struct p11_object *public_key;
    struct p11_query query;
    CK_ULONG count = 0;
    enum devid_err e = DEVID_OK;

    *done = false;
    p11_query_from_uri(r->uri, P11_ANY_CLASS, &query);
    if (query.id != NULL || query.label != NULL)
        e = p11_find(session, &query, handles, PAIR_MAX + 1, &count, err);
    if (e != DEVID_OK || count == 0 || count > PAIR_MAX)
        return e;
    for (CK_ULONG i = 0; e == DEVID_OK && i < count; i++)
        e = p11_object_read(session, handles[i], &objects[i], err);
    if (e != DEVID_OK ||
        !sort_halves(objects, count, &private_key, &public_key) ||
        (private_key == NULL && !r->ask))
        return e;
    e = p11_object_public(public_key, found->pub, err);
    found->object = private_key != NULL ? *private_key : *public_key;
    found->class = found->object.class;
    *done = e == DEVID_OK;
    return e;
}

enum devid_err p11_find_half(struct p11_session *session, void *arg,
                             struct devid_error *err)
{
    struct p11_half *half = arg;
    CK_OBJECT_HANDLE handle = 0;
    struct p11_query query;
    enum devid_err e;

    p11_query_from_uri(half->uri, half->class, &query);
    e = p11_find_one(session, &query, half->text, &handle, err);
    if (e == DEVID_OK)
        e = p11_object_read(session, handle, &half->object, err);
    if (e != DEVID_OK)
        return e;
    return half->class == CKO_PRIVATE_KEY
               ? p11_public_of(session, &half->object, half->pub, err)
               : p11_object_public(&half->object, half->pub, err);
}

static enum devid_err find_op(struct p11_session *session, void *arg,
                              struct devid_error *err)
{
    struct find_request *r = arg;
    struct p11_half found = {.uri = r->uri,
                             .text = r->text,
                             .class = CKO_PRIVATE_KEY,
                             .pub = &r->file->public_key};
    bool done = false;
    enum devid_err e = find_pair(session, r, &found, &done, err);

    if (e == DEVID_OK && !done)
        e = p11_find_half(session, &found, err);
    if (e == DEVID_ERR_AUTH && r->ask) {
        found.class = CKO_PUBLIC_KEY;
        e = p11_find_half(session, &found, err);
    }
    if (e != DEVID_OK)
        return e;
    if (found.class == CKO_PRIVATE_KEY)
        p11_token_remember(session, &found.object);
    r->file->format = DEVID_KEYFILE_REFERENCE;
    r->file->has_public = true;
    OPENSSL_free(r->file->uri); /* of an attempt before this one */
    return p11_reference(session->token, r->uri, &found.object, &r->file->uri,
                         err);
}

/* ---- what was found last --------------------------------------------- */

void p11_token_remember(const struct p11_session *session,
                        const struct p11_object *private_key)
{
    struct p11_token *t = session->token;

    pthread_mutex_lock(&t->lock);
    t->found.contact = session->contact;
    t->found.handle = private_key->handle;
    t->found.id_len = private_key->id_len;
    memcpy(t->found.id, private_key->id, private_key->id_len);
    t->found.always_authenticate = private_key->always_authenticate;
    pthread_mutex_unlock(&t->lock);
}

bool p11_token_recall(const struct p11_session *session,
                      const struct p11_query *query, CK_OBJECT_HANDLE *handle,
                      bool *always_authenticate)
{
    struct p11_token *t = session->token;
    bool known;

    pthread_mutex_lock(&t->lock);
    known = t->found.contact == session->contact && query->label == NULL &&
            query->id != NULL && query->id_len == t->found.id_len &&
            memcmp(query->id, t->found.id, query->id_len) == 0;
    if (known) {
        *handle = t->found.handle;
        *always_authenticate = t->found.always_authenticate;
    }
    pthread_mutex_unlock(&t->lock);
    return known;
}

/* ---- the table's functions ------------------------------------------- */

/* The reference names the token by its serial: it is the same token. */
enum devid_err p11_hand_over(const struct p11_state *state,
                             struct p11_token *from, const char *reference,
                             struct devid_error *err)
{
    struct p11_uri uri;
    struct p11_token *to = NULL;
    enum devid_err e = p11_uri_parse(reference, &uri, err);

    if (e != DEVID_OK)
        return e;
    e = p11_token_get(state, &uri, &to, err);
    if (e == DEVID_OK && to != from) {
        p11_token_share_pin(from, to);
        p11_token_move(from, to);
    }
    p11_uri_clear(&uri);
    return e;
}

enum devid_err p11_key_find(void *state, const char *uri,
                            struct devid_keyfile *file, struct devid_error *err)
{
    struct p11_uri parsed;
    struct p11_token *token = NULL;
    struct find_request r = {.uri = &parsed, .text = uri, .file = file};
    bool ask = false;
    enum devid_err e = p11_open_uri(state, uri, &parsed, &token, &ask, err);

    if (e != DEVID_OK)
        return e;
    r.ask = ask && !p11_token_has_pin(token);
    e = p11_check_names_key(&parsed, uri, err);
    if (e == DEVID_OK)
        e = p11_run(token, P11_USE, find_op, &r, err);
    if (e == DEVID_OK)
        e = p11_hand_over(state, token, file->uri, err);
    p11_uri_clear(&parsed);
    return e;
}
