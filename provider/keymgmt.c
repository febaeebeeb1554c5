/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key management: keys of every type in a device, by one implementation.
 *
 * A private export is refused, and what is imported is public (peer.c), so
 * libcrypto always comes back to us to work with our keys and never brings us
 * others. A public export stays, for EVP_PKEY_eq and for encoders.
 */
#include "prov.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

const struct prov_key_type prov_key_types[] = {
    [DEVID_KEY_EC] = {"EC", "ECDSA", "ECDH"},
    [DEVID_KEY_RSA] = {"RSA", "RSA", NULL},
    [DEVID_KEY_RSA_PSS] = {"RSA-PSS", "RSA", NULL},
    [DEVID_KEY_ED25519] = {"ED25519", "ED25519", NULL},
};

/* ---- life of a key --------------------------------------------------- */

struct prov_key *prov_key_new(const struct prov_ctx *ctx,
                              struct devid_key **key)
{
    struct prov_key *self = OPENSSL_zalloc(sizeof(*self));

    if (self == NULL) {
        devid_key_free(key);
        prov_raise_memory(ctx);
        return NULL;
    }
    self->ctx = ctx;
    self->key = *key;
    *key = NULL;
    return self;
}

void prov_key_free(void *vkey)
{
    struct prov_key *self = vkey;

    if (self == NULL)
        return;
    devid_key_free(&self->key);
    OPENSSL_free(self->peer);
    OPENSSL_free(self);
}

const struct devid_public *prov_key_public(const struct prov_key *key)
{
    if (key->key != NULL)
        return devid_key_public(key->key);
    return key->has_point ? key->peer : NULL;
}

/*
 * EVP_PKEY_eq tries to bring us the other key first. Without an empty key to
 * import into, and then no import, it leaves a stale error in the queue, which
 * nginx logs as an alert.
 */
static void *keymgmt_new(void *vctx)
{
    struct devid_key *none = NULL;

    return prov_key_new(vctx, &none);
}

/* A decoder or the store hands over the key by the address of its pointer. */
static void *keymgmt_load(const void *reference, size_t reference_size)
{
    struct prov_key **place;
    struct prov_key *key;

    if (reference == NULL || reference_size != sizeof(void *))
        return NULL; /* not from us, and no context to raise it with */
    /* Taken out of its place, so that the giver does not free it. */
    place = (struct prov_key **)(uintptr_t)reference;
    key = *place;
    *place = NULL;
    return key;
}

/* CMS copies a key's group, to put its sender's point on it. */
static void *dup_group(const struct prov_key *key)
{
    const struct devid_public *pub =
        key->key != NULL ? devid_key_public(key->key) : key->peer;
    struct devid_key *none = NULL;
    struct prov_key *self;

    if (pub == NULL || pub->type != DEVID_KEY_EC) {
        prov_raise(key->ctx, DEVID_ERR_USAGE,
                   "an RSA key has no parameters that could be copied without "
                   "the key");
        return NULL;
    }
    self = prov_key_new(key->ctx, &none);
    if (self != NULL && !prov_peer_set_group(self, pub->alg->group)) {
        prov_key_free(self);
        return NULL; /* prov_peer_set_group raised */
    }
    return self;
}

/* A key does not change: its copy shares it. */
static void *keymgmt_dup(const void *vkey, int selection)
{
    const struct prov_key *key = vkey;
    struct devid_key *shared;
    struct prov_key *self;

    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
        return dup_group(key);
    shared = key->key != NULL ? devid_key_up_ref(key->key) : NULL;
    self = prov_key_new(key->ctx, &shared);
    if (self == NULL || key->peer == NULL)
        return self;
    self->peer = OPENSSL_memdup(key->peer, sizeof(*key->peer));
    self->has_point = key->has_point;
    if (self->peer != NULL)
        return self;
    prov_key_free(self);
    prov_raise_memory(key->ctx);
    return NULL;
}

/* ---- questions ------------------------------------------------------- */

static int keymgmt_has(const void *vkey, int selection)
{
    const struct prov_key *key = vkey;

    if (key == NULL)
        return 0;
    if (key->key != NULL)
        return 1; /* a key in a device has every part */
    return key->peer != NULL &&
           (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 &&
           (key->has_point ||
            (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0);
}

static int keymgmt_match(const void *vkey1, const void *vkey2, int selection)
{
    const struct prov_key *key1 = vkey1;
    const struct prov_key *key2 = vkey2;
    const struct devid_public *pub1 = prov_key_public(key1);
    const struct devid_public *pub2 = prov_key_public(key2);

    if (pub1 == NULL || pub2 == NULL)
        return pub1 == pub2;
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0)
        return devid_public_equal(pub1, pub2);
    return pub1->type == pub2->type &&
           (pub1->type != DEVID_KEY_EC || pub1->alg == pub2->alg);
}

static int keymgmt_get_params(void *vkey, OSSL_PARAM params[])
{
    return prov_key_get_params(vkey, params);
}

static int keymgmt_export(void *vkey, int selection, OSSL_CALLBACK *callback,
                          void *arg)
{
    const struct prov_key *key = vkey;

    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 &&
        key->key != NULL) {
        prov_raise(key->ctx, DEVID_ERR_USAGE,
                   "the private part of this key never leaves its device");
        return 0;
    }
    return prov_key_export(key, selection, callback, arg);
}

/* ---- what depends on the type ---------------------------------------- */

static const char *operation_name(enum devid_key_type type, int operation_id)
{
    const struct prov_key_type *row = &prov_key_types[type];

    if (operation_id == OSSL_OP_KEYEXCH && row->exchange != NULL)
        return row->exchange;
    return operation_id == OSSL_OP_SIGNATURE ? row->signature : row->name;
}

static void *gen_init(void *vctx, enum devid_key_type type, int selection,
                      const OSSL_PARAM params[])
{
    const struct prov_ctx *ctx = vctx;

    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0) {
        prov_raise(ctx, DEVID_ERR_USAGE,
                   "devid makes keys, not parameters without a key");
        return NULL;
    }
    return prov_gen_new(ctx, type, params);
}

/* What a type has beside the rest: who agrees on secrets is brought peers. */
#define ec_more                                                                \
    {OSSL_FUNC_KEYMGMT_IMPORT, PROV_FN(prov_peer_import)},                     \
        {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, PROV_FN(prov_peer_import_types)},     \
        {OSSL_FUNC_KEYMGMT_SET_PARAMS, PROV_FN(prov_peer_set_params)},         \
        {OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, PROV_FN(prov_peer_settable)},
#define rsa_more
#define rsa_pss_more
#define ed25519_more

/*
 * libcrypto asks these where there is no key that would say its type, so each
 * type has its own; they are written by a macro because they differ in
 * nothing else.
 */
#define FUNCTIONS_OF(type, id)                                                 \
    static const OSSL_PARAM *type##_gettable(void *vctx)                       \
    {                                                                          \
        (void)vctx;                                                            \
        return prov_key_gettable(id);                                          \
    }                                                                          \
    static const OSSL_PARAM *type##_export_types(int selection)                \
    {                                                                          \
        return prov_key_export_types(id, selection);                           \
    }                                                                          \
    static const char *type##_operation_name(int operation_id)                 \
    {                                                                          \
        return operation_name(id, operation_id);                               \
    }                                                                          \
    static void *type##_gen_init(void *vctx, int selection,                    \
                                 const OSSL_PARAM params[])                    \
    {                                                                          \
        return gen_init(vctx, id, selection, params);                          \
    }                                                                          \
    static const OSSL_PARAM *type##_gen_settable(void *genctx, void *vctx)     \
    {                                                                          \
        (void)genctx;                                                          \
        (void)vctx;                                                            \
        return prov_gen_settable(id);                                          \
    }                                                                          \
    static const OSSL_DISPATCH type##_functions[] = {                          \
        {OSSL_FUNC_KEYMGMT_NEW, PROV_FN(keymgmt_new)},                         \
        {OSSL_FUNC_KEYMGMT_FREE, PROV_FN(prov_key_free)},                      \
        {OSSL_FUNC_KEYMGMT_LOAD, PROV_FN(keymgmt_load)},                       \
        {OSSL_FUNC_KEYMGMT_DUP, PROV_FN(keymgmt_dup)},                         \
        {OSSL_FUNC_KEYMGMT_HAS, PROV_FN(keymgmt_has)},                         \
        {OSSL_FUNC_KEYMGMT_MATCH, PROV_FN(keymgmt_match)},                     \
        {OSSL_FUNC_KEYMGMT_GET_PARAMS, PROV_FN(keymgmt_get_params)},           \
        {OSSL_FUNC_KEYMGMT_EXPORT, PROV_FN(keymgmt_export)},                   \
        {OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, PROV_FN(prov_gen_set_params)},      \
        {OSSL_FUNC_KEYMGMT_GEN, PROV_FN(prov_gen)},                            \
        {OSSL_FUNC_KEYMGMT_GEN_CLEANUP, PROV_FN(prov_gen_cleanup)},            \
        {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, PROV_FN(type##_gettable)},         \
        {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, PROV_FN(type##_export_types)},        \
        {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,                               \
         PROV_FN(type##_operation_name)},                                      \
        {OSSL_FUNC_KEYMGMT_GEN_INIT, PROV_FN(type##_gen_init)},                \
        {OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, PROV_FN(type##_gen_settable)}, \
        type##_more{0, NULL},                                                  \
    }

FUNCTIONS_OF(ec, DEVID_KEY_EC);
FUNCTIONS_OF(rsa, DEVID_KEY_RSA);
FUNCTIONS_OF(rsa_pss, DEVID_KEY_RSA_PSS);
FUNCTIONS_OF(ed25519, DEVID_KEY_ED25519);

const OSSL_ALGORITHM prov_keymgmt_algorithms[] = {
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", PROV_PROPERTIES, ec_functions,
     "EC keys in a device"},
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROV_PROPERTIES, rsa_functions,
     "RSA keys in a device"},
    {"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", PROV_PROPERTIES,
     rsa_pss_functions, "RSA-PSS keys in a device"},
    {"ED25519:1.3.101.112", PROV_PROPERTIES, ed25519_functions,
     "Ed25519 keys in a device"},
    {NULL, NULL, NULL, NULL},
};
