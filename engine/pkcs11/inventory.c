/* SPDX-License-Identifier: Apache-2.0 */
/* What a token holds: keys and certificates; taking them off it. */
#include "find.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#define OBJECTS_MAX 4096

/* ---- a certificate --------------------------------------------------- */

struct cert_request {
    const struct p11_uri *uri;
    const char *text;
    uint8_t **der;
    size_t *len;
};

static enum devid_err cert_op(struct p11_session *session, void *arg,
                              struct devid_error *err)
{
    struct cert_request *r = arg;
    struct p11_query query;
    CK_OBJECT_HANDLE handle = 0;
    enum devid_err e;

    p11_query_from_uri(r->uri, CKO_CERTIFICATE, &query);
    e = p11_find_one(session, &query, r->text, &handle, err);
    return e != DEVID_OK
               ? e
               : p11_object_value(session, handle, r->der, r->len, err);
}

enum devid_err p11_cert_read(void *state, const char *uri, uint8_t **der,
                             size_t *len, struct devid_error *err)
{
    struct p11_uri parsed;
    struct p11_token *token = NULL;
    struct cert_request r = {
        .uri = &parsed, .text = uri, .der = der, .len = len};
    bool ask = false;
    enum devid_err e = p11_open_uri(state, uri, &parsed, &token, &ask, err);

    if (e != DEVID_OK)
        return e;
    e = p11_run(token, P11_READ, cert_op, &r, err);
    /* A private certificate is one that few have: then with the PIN. */
    if (e == DEVID_ERR_NOT_FOUND && p11_token_has_pin(token))
        e = p11_run(token, P11_USE, cert_op, &r, err);
    p11_uri_clear(&parsed);
    return e;
}

/* ---- taking away ----------------------------------------------------- */

struct remove_request {
    const struct p11_uri *uri;
    const char *text;
};

static CK_OBJECT_CLASS class_of(const struct p11_uri *uri)
{
    const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri->kit, CKA_CLASS);

    return class == NULL ? CKO_PRIVATE_KEY
                         : *(const CK_OBJECT_CLASS *)class->pValue;
}

/*
 * The public half of a key that is gone would only mislead. It goes first: who
 * is killed in between finds the key again by its private half.
 */
static enum devid_err remove_public(struct p11_session *session,
                                    const struct p11_object *private_key,
                                    struct devid_error *err)
{
    const struct p11_query query = {.class = CKO_PUBLIC_KEY,
                                    .id = private_key->id,
                                    .id_len = private_key->id_len};
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;
    enum devid_err e = DEVID_OK;
    CK_RV rv;

    if (private_key->id_len > 0)
        e = p11_find(session, &query, found, 2, &count, err);
    if (e != DEVID_OK || count != 1)
        return e;
    rv = session->f->C_DestroyObject(session->handle, found[0]);
    return rv == CKR_OK ? DEVID_OK : p11_fail(err, rv, "delete the public key");
}

static enum devid_err remove_op(struct p11_session *session, void *arg,
                                struct devid_error *err)
{
    const struct remove_request *r = arg;
    struct p11_query query;
    struct p11_object object;
    CK_OBJECT_HANDLE handle = 0;
    enum devid_err e;
    CK_RV rv;

    p11_query_from_uri(r->uri, class_of(r->uri), &query);
    e = p11_find_one(session, &query, r->text, &handle, err);
    if (e == DEVID_OK)
        e = p11_object_read(session, handle, &object, err);
    if (e != DEVID_OK)
        return e;
    if (query.class == CKO_PRIVATE_KEY)
        e = remove_public(session, &object, err);
    if (e != DEVID_OK)
        return e;
    rv = session->f->C_DestroyObject(session->handle, handle);
    return rv == CKR_OK ? DEVID_OK : p11_fail(err, rv, "delete the object");
}

enum devid_err p11_remove(void *state, const char *uri, struct devid_error *err)
{
    struct p11_uri parsed;
    struct p11_token *token = NULL;
    struct remove_request r = {.uri = &parsed, .text = uri};
    bool ask = false;
    enum devid_err e = p11_open_uri(state, uri, &parsed, &token, &ask, err);

    if (e != DEVID_OK)
        return e;
    if ((parsed.seen & (P11_SEEN_ID | P11_SEEN_OBJECT)) == 0)
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the URI names no object to delete: it needs an id or "
                       "an object (its label)");
    else
        e = p11_run(token, P11_WRITE, remove_op, &r, err);
    p11_uri_clear(&parsed);
    return e;
}

/* ---- all of it ------------------------------------------------------- */

struct list_request {
    const struct p11_uri *uri;
    struct devid_object *objects; /* own, with the certificates' DER */
    size_t count;
};

static enum devid_err object_uri(struct p11_session *session,
                                 const struct p11_object *object,
                                 char uri[DEVID_URI_SIZE],
                                 struct devid_error *err)
{
    const struct p11_token *t = session->token;
    const struct p11_reference ref = {
        .token = &t->info,
        .id = object->id,
        .id_len = object->id_len,
        .label = object->label,
        .class = object->class,
        .module_path = t->module->path,
        .module_name = t->module->path == NULL ? t->module->name : NULL,
    };
    char *text = NULL;
    enum devid_err e = p11_uri_format(&ref, &text, err);

    if (e == DEVID_OK)
        (void)snprintf(uri, DEVID_URI_SIZE, "%s", text);
    OPENSSL_free(text);
    return e;
}

static enum devid_err describe(struct p11_session *session,
                               CK_OBJECT_HANDLE handle,
                               struct devid_object *out,
                               struct devid_error *err)
{
    struct p11_object object;
    struct devid_error why = {0};
    uint8_t *der = NULL;
    enum devid_err e = p11_object_read(session, handle, &object, err);

    if (e == DEVID_OK)
        e = object_uri(session, &object, out->uri, err);
    if (e != DEVID_OK)
        return e;
    if (object.class == CKO_CERTIFICATE) {
        out->type = DEVID_OBJECT_CERT;
        e = p11_object_value(session, handle, &der, &out->der_len, &why);
        out->der = der;
    } else {
        out->type = DEVID_OBJECT_KEY;
        e = p11_object_words(session, handle, out->attributes,
                             sizeof(out->attributes), err);
        if (e != DEVID_OK)
            return e;
        e = p11_public_of(session, &object, &out->public_key, &why);
        out->has_public = e == DEVID_OK;
    }
    if (e != DEVID_OK)
        (void)snprintf(out->note, sizeof(out->note), "%.150s", why.text);
    return DEVID_OK;
}

static void forget_objects(struct list_request *r)
{
    for (size_t i = 0; i < r->count; i++)
        OPENSSL_free((void *)(uintptr_t)r->objects[i].der);
    OPENSSL_free(r->objects);
    r->objects = NULL;
    r->count = 0;
}

static enum devid_err list_class(struct p11_session *session,
                                 struct list_request *r, CK_OBJECT_CLASS class,
                                 CK_OBJECT_HANDLE *found,
                                 struct devid_error *err)
{
    struct p11_query query;
    struct devid_object *more;
    CK_ULONG count = 0;
    enum devid_err e;

    p11_query_from_uri(r->uri, class, &query);
    e = p11_find(session, &query, found, OBJECTS_MAX, &count, err);
    if (e != DEVID_OK || count == 0)
        return e;
    more = OPENSSL_realloc(r->objects,
                           (r->count + count) * sizeof(struct devid_object));
    if (more == NULL)
        return devid_no_memory(err);
    r->objects = more;
    for (CK_ULONG i = 0; e == DEVID_OK && i < count; i++) {
        memset(&more[r->count], 0, sizeof(*more));
        e = describe(session, found[i], &more[r->count], err);
        r->count++;
    }
    return e;
}

static enum devid_err list_op(struct p11_session *session, void *arg,
                              struct devid_error *err)
{
    struct list_request *r = arg;
    CK_OBJECT_HANDLE *found =
        OPENSSL_malloc(OBJECTS_MAX * sizeof(CK_OBJECT_HANDLE));
    enum devid_err e;

    if (found == NULL)
        return devid_no_memory(err);
    forget_objects(r); /* of an attempt before this one */
    e = list_class(session, r, CKO_PRIVATE_KEY, found, err);
    if (e == DEVID_OK)
        e = list_class(session, r, CKO_CERTIFICATE, found, err);
    OPENSSL_free(found);
    return e;
}

enum devid_err p11_list(void *state, const char *device, devid_object_fn *fn,
                        void *arg, struct devid_error *err)
{
    struct p11_uri uri;
    struct p11_token *token = NULL;
    struct list_request r = {.uri = &uri};
    bool ask = false;
    enum devid_err e = p11_open_uri(state, device, &uri, &token, &ask, err);

    if (e != DEVID_OK)
        return e;
    e = p11_run(token, P11_USE, list_op, &r, err);
    /* No lock is held any more: the caller may do as it likes. */
    for (size_t i = 0; e == DEVID_OK && i < r.count; i++)
        e = fn(&r.objects[i], arg, err);
    forget_objects(&r);
    p11_uri_clear(&uri);
    return e;
}
