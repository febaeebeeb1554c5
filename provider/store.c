/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OSSL_STORE: keys and certificates in a device by their URI, and the list of
 * what a device holds by the URI of the device.
 *
 * Opening touches no device; loading asks it once. What the caller does not
 * expect is not asked for.
 */
#include "prov.h"

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include <stdio.h>
#include <string.h>

struct name {
    char *uri;
    char *description;
};

struct loader {
    const struct prov_ctx *ctx;
    char *uri;
    int expect; /* OSSL_STORE_INFO_*; 0: anything */
    bool done;
    bool key_given; /* of an object that may have a certificate as well */
    /* of a device: what it holds, listed at the first load */
    bool listed;
    struct name *names;
    size_t names_count;
    size_t names_given;
};

/* ---- life ------------------------------------------------------------ */

static int store_close(void *vloader)
{
    struct loader *self = vloader;

    if (self == NULL)
        return 1;
    for (size_t i = 0; i < self->names_count; i++) {
        OPENSSL_free(self->names[i].uri);
        OPENSSL_free(self->names[i].description);
    }
    OPENSSL_free(self->names);
    OPENSSL_free(self->uri);
    OPENSSL_free(self);
    return 1;
}

static void *store_open(void *vctx, const char *uri)
{
    const struct prov_ctx *ctx = vctx;
    struct loader *self;

    if (!prov_ready(ctx))
        return NULL; /* prov_ready raised */
    self = OPENSSL_zalloc(sizeof(*self));
    if (self != NULL)
        self->uri = OPENSSL_strdup(uri);
    if (self == NULL || self->uri == NULL) {
        (void)store_close(self);
        prov_raise_memory(ctx);
        return NULL;
    }
    self->ctx = ctx;
    return self;
}

static const OSSL_PARAM *store_settable(void *vctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, NULL),
        OSSL_PARAM_END,
    };

    (void)vctx;
    return params;
}

static int store_set_params(void *vloader, const OSSL_PARAM params[])
{
    struct loader *self = vloader;
    const OSSL_PARAM *p =
        OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);

    if (p != NULL && OSSL_PARAM_get_int(p, &self->expect) != 1)
        return 0; /* libcrypto already raised */
    return 1;
}

static int store_eof(void *vloader)
{
    const struct loader *self = vloader;

    return self->done;
}

static bool expects(const struct loader *self, int type)
{
    return self->expect == 0 || self->expect == type;
}

static int engine_failed(const struct loader *self, enum devid_err e,
                         const struct devid_error *err)
{
    prov_raise(self->ctx, e, "%s", err->text);
    return 0;
}

/* ---- a certificate --------------------------------------------------- */

struct object {
    int type;              /* OSSL_OBJECT_* */
    const char *data_type; /* of a key; or NULL */
    const char *structure;
    uint8_t *der;
    size_t len;
};

static int pass_object(struct object *object, OSSL_CALLBACK *callback,
                       void *arg)
{
    OSSL_PARAM params[5];
    OSSL_PARAM *p = params;

    *p++ = OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object->type);
    if (object->data_type != NULL)
        *p++ = OSSL_PARAM_construct_utf8_string(
            OSSL_OBJECT_PARAM_DATA_TYPE, (char *)(uintptr_t)object->data_type,
            0);
    *p++ = OSSL_PARAM_construct_utf8_string(
        OSSL_OBJECT_PARAM_DATA_STRUCTURE, (char *)(uintptr_t)object->structure,
        0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA,
                                             object->der, object->len);
    *p = OSSL_PARAM_construct_end();
    return callback(params, arg);
}

static int load_cert(struct loader *self, OSSL_CALLBACK *callback, void *arg)
{
    struct object cert = {.type = OSSL_OBJECT_CERT, .structure = "Certificate"};
    struct devid_error err = {0};
    enum devid_err e;
    int ok;

    self->done = true;
    if (!expects(self, OSSL_STORE_INFO_CERT))
        return 1;
    e = devid_cert_read(self->ctx->engine, self->uri, &cert.der, &cert.len,
                        &err);
    if (e != DEVID_OK)
        return engine_failed(self, e, &err);
    ok = pass_object(&cert, callback, arg);
    OPENSSL_free(cert.der);
    return ok;
}

/* ---- a key ----------------------------------------------------------- */

/* The public key alone becomes one of OpenSSL's own. */
static int pass_public(const struct loader *self,
                       const struct devid_public *pub, OSSL_CALLBACK *callback,
                       void *arg)
{
    struct object key = {.type = OSSL_OBJECT_PKEY,
                         .data_type = prov_key_types[pub->type].name,
                         .structure = "SubjectPublicKeyInfo"};
    struct devid_error err = {0};
    enum devid_err e = devid_public_to_spki(pub, &key.der, &key.len, &err);
    int ok;

    if (e != DEVID_OK)
        return engine_failed(self, e, &err);
    ok = pass_object(&key, callback, arg);
    OPENSSL_free(key.der);
    return ok;
}

static int pass_key(const struct loader *self, struct devid_key **opened,
                    OSSL_CALLBACK *callback, void *arg)
{
    const char *type = prov_key_types[devid_key_public(*opened)->type].name;
    struct prov_key *key = prov_key_new(self->ctx, opened);
    int object_type = OSSL_OBJECT_PKEY;
    OSSL_PARAM params[4];
    int ok;

    if (key == NULL)
        return 0; /* prov_key_new raised */
    params[0] = OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type);
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                                 (char *)(uintptr_t)type, 0);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE,
                                                  &key, sizeof(void *));
    params[3] = OSSL_PARAM_construct_end();
    ok = callback(params, arg);
    prov_key_free(key);
    return ok;
}

static int load_key(struct loader *self, OSSL_CALLBACK *callback, void *arg,
                    OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    struct devid_error err = {0};
    struct devid_key *key = NULL;
    enum devid_err e;
    int ok;

    self->done = true;
    if (!expects(self, OSSL_STORE_INFO_PKEY) &&
        !expects(self, OSSL_STORE_INFO_PUBKEY))
        return 1;
    e = devid_key_from_uri(self->ctx->engine, self->uri, &key, &err);
    if (e != DEVID_OK)
        return engine_failed(self, e, &err);
    if (self->expect == OSSL_STORE_INFO_PUBKEY)
        ok = pass_public(self, devid_key_public(key), callback, arg);
    else
        ok = prov_ask_auth(self->ctx, key, ask, ask_arg) &&
             pass_key(self, &key, callback, arg);
    devid_key_free(&key);
    return ok;
}

/* ---- what a device holds --------------------------------------------- */

static enum devid_err add_name(const struct devid_object *object, void *arg,
                               struct devid_error *err)
{
    struct loader *self = arg;
    const char *kind =
        object->type == DEVID_OBJECT_CERT ? "certificate" : "key";
    struct name *names =
        OPENSSL_realloc(self->names, (self->names_count + 1) * sizeof(*names));
    struct name *name;

    if (names != NULL) {
        self->names = names;
        name = &names[self->names_count++];
        name->uri = OPENSSL_strdup(object->uri);
        name->description =
            OPENSSL_strdup(object->role != NULL ? object->role : kind);
        if (name->uri != NULL && name->description != NULL)
            return DEVID_OK;
    }
    (void)snprintf(err->text, sizeof(err->text), "out of memory");
    return DEVID_ERR_SYSTEM;
}

static int pass_name(const struct name *name, OSSL_CALLBACK *callback,
                     void *arg)
{
    int object_type = OSSL_OBJECT_NAME;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA, name->uri, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DESC,
                                         name->description, 0),
        OSSL_PARAM_construct_end(),
    };

    return callback(params, arg);
}

static int load_name(struct loader *self, OSSL_CALLBACK *callback, void *arg)
{
    struct devid_error err = {0};
    enum devid_err e;
    const struct name *name;

    if (!self->listed) {
        self->listed = true;
        e = devid_list(self->ctx->engine, self->uri, add_name, self, &err);
        if (e != DEVID_OK) {
            self->done = true;
            return engine_failed(self, e, &err);
        }
    }
    if (self->names_given == self->names_count) {
        self->done = true; /* an empty device */
        return 1;
    }
    name = &self->names[self->names_given++];
    self->done = self->names_given == self->names_count;
    return pass_name(name, callback, arg);
}

/* ---- loading --------------------------------------------------------- */

/* A key, and then its certificate if there is one. */
static int load_object(struct loader *self, OSSL_CALLBACK *callback, void *arg,
                       OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    int ok = 1;

    if (self->expect == OSSL_STORE_INFO_CERT)
        return load_cert(self, callback, arg);
    if (self->expect != 0)
        return load_key(self, callback, arg, ask, ask_arg);
    if (!self->key_given) {
        self->key_given = true;
        ok = load_key(self, callback, arg, ask, ask_arg);
        self->done = ok != 1;
        return ok;
    }
    ERR_set_mark();
    (void)load_cert(self, callback, arg);
    ERR_pop_to_mark();
    return 1; /* a key without one is no failure */
}

static int load_public(struct loader *self, OSSL_CALLBACK *callback, void *arg)
{
    if (!expects(self, OSSL_STORE_INFO_PUBKEY)) {
        self->done = true;
        return 1;
    }
    self->expect = OSSL_STORE_INFO_PUBKEY;
    return load_key(self, callback, arg, NULL, NULL);
}

static int store_load(void *vloader, OSSL_CALLBACK *callback, void *arg,
                      OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    struct loader *self = vloader;

    switch (prov_uri_kind(self->uri)) {
    case PROV_URI_TOKEN:
        if (self->expect == OSSL_STORE_INFO_PKEY ||
            self->expect == OSSL_STORE_INFO_PUBKEY)
            break;
        return load_name(self, callback, arg);
    case PROV_URI_DEVICE:
        return load_name(self, callback, arg);
    case PROV_URI_CERT:
        return load_cert(self, callback, arg);
    case PROV_URI_OBJECT:
        return load_object(self, callback, arg, ask, ask_arg);
    case PROV_URI_PUBLIC:
        return load_public(self, callback, arg);
    case PROV_URI_KEY:
        break;
    }
    return load_key(self, callback, arg, ask, ask_arg);
}

static const OSSL_DISPATCH store_functions[] = {
    {OSSL_FUNC_STORE_OPEN, PROV_FN(store_open)},
    {OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, PROV_FN(store_settable)},
    {OSSL_FUNC_STORE_SET_CTX_PARAMS, PROV_FN(store_set_params)},
    {OSSL_FUNC_STORE_LOAD, PROV_FN(store_load)},
    {OSSL_FUNC_STORE_EOF, PROV_FN(store_eof)},
    {OSSL_FUNC_STORE_CLOSE, PROV_FN(store_close)},
    {0, NULL},
};

/* Schemes of the engine's URIs. */
const OSSL_ALGORITHM prov_store_algorithms[] = {
    {"tpm2", PROV_PROPERTIES, store_functions,
     "keys and certificates in a TPM"},
    {"handle", PROV_PROPERTIES, store_functions,
     "keys and certificates in a TPM, as tpm2-openssl names them"},
    {"pkcs11", PROV_PROPERTIES, store_functions,
     "keys and certificates on a PKCS#11 token"},
    {NULL, NULL, NULL, NULL},
};
