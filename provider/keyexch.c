/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key agreement: ECDH. The shared point is the device's work; the key
 * derivation that CMS asks for is software's.
 */
#include "params.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <string.h>

struct agreement {
    const struct prov_ctx *ctx;
    struct devid_key *key;     /* own reference; NULL before the first init */
    struct devid_public *peer; /* own; NULL before it is set */
    bool kdf;                  /* X9.63; else the secret as it is */
    const struct devid_hash *kdf_hash;
    uint8_t *kdf_ukm; /* own: user keying material */
    size_t kdf_ukm_len;
    size_t kdf_len; /* bytes of its output */
};

/* ---- life ------------------------------------------------------------ */

static void *agreement_new(void *vctx)
{
    struct agreement *self = OPENSSL_zalloc(sizeof(*self));

    if (self == NULL) {
        prov_raise_memory(vctx);
        return NULL;
    }
    self->ctx = vctx;
    return self;
}

static void agreement_free(void *vagreement)
{
    struct agreement *self = vagreement;

    if (self == NULL)
        return;
    devid_key_free(&self->key);
    OPENSSL_free(self->peer);
    OPENSSL_clear_free(self->kdf_ukm, self->kdf_ukm_len);
    OPENSSL_free(self);
}

static void *agreement_dup(void *vagreement)
{
    const struct agreement *from = vagreement;
    struct agreement *self = OPENSSL_memdup(from, sizeof(*from));

    if (self == NULL) {
        prov_raise_memory(from->ctx);
        return NULL;
    }
    if (from->key != NULL)
        self->key = devid_key_up_ref(from->key);
    if (from->peer != NULL)
        self->peer = OPENSSL_memdup(from->peer, sizeof(*from->peer));
    if (from->kdf_ukm != NULL)
        self->kdf_ukm = OPENSSL_memdup(from->kdf_ukm, from->kdf_ukm_len);
    if ((from->peer != NULL) == (self->peer != NULL) &&
        (from->kdf_ukm != NULL) == (self->kdf_ukm != NULL))
        return self;
    agreement_free(self);
    prov_raise_memory(from->ctx);
    return NULL;
}

static int agreement_set_params(void *vagreement, const OSSL_PARAM params[]);

static int agreement_init(void *vagreement, void *vkey,
                          const OSSL_PARAM params[])
{
    struct agreement *self = vagreement;
    const struct prov_key *key = vkey;

    if (key == NULL || key->key == NULL) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "a public key alone agrees on no secret");
        return 0;
    }
    devid_key_free(&self->key);
    self->key = devid_key_up_ref(key->key);
    OPENSSL_free(self->peer);
    self->peer = NULL;
    self->kdf = false;
    self->kdf_hash = NULL;
    self->kdf_len = 0;
    return agreement_set_params(self, params);
}

static int agreement_set_peer(void *vagreement, void *vkey)
{
    struct agreement *self = vagreement;
    const struct devid_public *pub = prov_key_public(vkey);
    struct devid_public *copy =
        pub != NULL ? OPENSSL_memdup(pub, sizeof(*pub)) : NULL;

    if (copy == NULL) {
        prov_raise(self->ctx, DEVID_ERR_USAGE, "the peer has no public key");
        return 0;
    }
    OPENSSL_free(self->peer);
    self->peer = copy;
    return 1;
}

/* ---- derive ---------------------------------------------------------- */

/* Source: ANSI X9.63, 5.6.3; SEC 1, 3.6.1. */
static int derive_by_kdf(const struct agreement *self,
                         const struct devid_shared *shared, uint8_t *out)
{
    EVP_KDF *kdf =
        EVP_KDF_fetch(self->ctx->libctx, OSSL_KDF_NAME_X963KDF, PROV_NOT_OURS);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    char *hash = (char *)(uintptr_t)self->kdf_hash->name;
    void *secret = (void *)(uintptr_t)shared->data;
    char properties[] = PROV_NOT_OURS;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_PROPERTIES, properties,
                                         0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret,
                                          shared->len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, self->kdf_ukm,
                                          self->kdf_ukm_len),
        OSSL_PARAM_END,
    };
    int ok = ctx != NULL && EVP_KDF_derive(ctx, out, self->kdf_len, params) > 0;

    if (!ok)
        prov_raise(self->ctx, DEVID_ERR_ALG,
                   "no provider of OpenSSL derives %zu bytes by X963KDF with "
                   "%s",
                   self->kdf_len, self->kdf_hash->name);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

/* Is everything there? False: raised. */
static bool is_complete(const struct agreement *self)
{
    if (self->key == NULL || self->peer == NULL) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "a secret takes a key and a peer's public key");
        return false;
    }
    if (self->kdf && (self->kdf_hash == NULL || self->kdf_len == 0)) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "X963KDF needs a hash (kdf-digest) and a length "
                   "(kdf-outlen)");
        return false;
    }
    return true;
}

static int agreement_derive(void *vagreement, uint8_t *out, size_t *out_len,
                            size_t out_size)
{
    const struct agreement *self = vagreement;
    struct devid_shared shared;
    struct devid_error err = {0};
    enum devid_err e;
    size_t size;
    int ok = 1;

    if (!is_complete(self))
        return 0; /* is_complete raised */
    size =
        self->kdf ? self->kdf_len : devid_key_public(self->key)->coordinate_len;
    *out_len = size;
    if (out == NULL)
        return 1;
    if (out_size < size) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "this secret takes %zu bytes, there are %zu", size,
                   out_size);
        return 0;
    }
    e = devid_key_derive(self->key, self->peer, &shared, &err);
    if (e != DEVID_OK) {
        prov_raise(self->ctx, e, "%s", err.text);
        return 0;
    }
    if (self->kdf)
        ok = derive_by_kdf(self, &shared, out);
    else
        memcpy(out, shared.data, size);
    OPENSSL_cleanse(&shared, sizeof(shared));
    return ok;
}

/* ---- parameters ------------------------------------------------------ */

/* The curves' cofactor is one: with it or without, the secret is the same. */
static bool set_cofactor(void *vagreement, const OSSL_PARAM *p)
{
    const struct agreement *self = vagreement;
    int mode = 0;

    if (OSSL_PARAM_get_int(p, &mode) == 1 && mode >= -1 && mode <= 1)
        return true;
    prov_raise(self->ctx, DEVID_ERR_USAGE,
               "a cofactor mode of ECDH is 0, 1, or -1 for the key's");
    return false;
}

static bool set_kdf(void *vagreement, const OSSL_PARAM *p)
{
    struct agreement *self = vagreement;
    const char *name = NULL;

    if (OSSL_PARAM_get_utf8_string_ptr(p, &name) != 1)
        return false; /* libcrypto already raised */
    self->kdf = *name != '\0';
    if (!self->kdf || OPENSSL_strcasecmp(name, OSSL_KDF_NAME_X963KDF) == 0)
        return true;
    prov_raise(self->ctx, DEVID_ERR_ALG,
               "devid derives keys by X963KDF or not at all, and not by "
               "'%.60s'",
               name);
    return false;
}

static bool set_kdf_hash(void *vagreement, const OSSL_PARAM *p)
{
    struct agreement *self = vagreement;

    self->kdf_hash = prov_take_hash(self->ctx, p);
    return self->kdf_hash != NULL;
}

static bool set_kdf_len(void *vagreement, const OSSL_PARAM *p)
{
    struct agreement *self = vagreement;

    return OSSL_PARAM_get_size_t(p, &self->kdf_len) == 1;
}

static bool set_kdf_ukm(void *vagreement, const OSSL_PARAM *p)
{
    struct agreement *self = vagreement;
    void *ukm = NULL;
    size_t len = 0;

    if (p->data != NULL && p->data_size != 0 &&
        OSSL_PARAM_get_octet_string(p, &ukm, 0, &len) != 1)
        return false; /* libcrypto already raised */
    OPENSSL_clear_free(self->kdf_ukm, self->kdf_ukm_len);
    self->kdf_ukm = ukm;
    self->kdf_ukm_len = len;
    return true;
}

static const struct prov_setter setters[] = {
    {OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, set_cofactor},
    {OSSL_EXCHANGE_PARAM_KDF_TYPE, set_kdf},
    {OSSL_EXCHANGE_PARAM_KDF_DIGEST, set_kdf_hash},
    {OSSL_EXCHANGE_PARAM_KDF_OUTLEN, set_kdf_len},
    {OSSL_EXCHANGE_PARAM_KDF_UKM, set_kdf_ukm},
    {NULL, NULL},
};

static int agreement_set_params(void *vagreement, const OSSL_PARAM params[])
{
    return prov_set_params(vagreement, setters, params);
}

static const OSSL_PARAM *agreement_settable(void *vagreement, void *vctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, NULL),
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, NULL, 0),
        OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, NULL),
        OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vagreement;
    (void)vctx;
    return params;
}

static int agreement_get_params(void *vagreement, OSSL_PARAM params[])
{
    const struct agreement *self = vagreement;
    const char *kdf = self->kdf ? OSSL_KDF_NAME_X963KDF : "";
    OSSL_PARAM *p =
        OSSL_PARAM_locate(params, OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE);

    if (p != NULL && OSSL_PARAM_set_int(p, 0) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_EXCHANGE_PARAM_KDF_TYPE);
    if (p != NULL && OSSL_PARAM_set_utf8_string(p, kdf) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_EXCHANGE_PARAM_KDF_DIGEST);
    if (p != NULL && prov_give_hash(p, self->kdf_hash) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_EXCHANGE_PARAM_KDF_OUTLEN);
    if (p != NULL && OSSL_PARAM_set_size_t(p, self->kdf_len) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_EXCHANGE_PARAM_KDF_UKM);
    if (p != NULL &&
        OSSL_PARAM_set_octet_ptr(p, self->kdf_ukm, self->kdf_ukm_len) != 1)
        return 0; /* libcrypto already raised */
    return 1;
}

static const OSSL_PARAM *agreement_gettable(void *vagreement, void *vctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, NULL),
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, NULL, 0),
        OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, NULL),
        OSSL_PARAM_octet_ptr(OSSL_EXCHANGE_PARAM_KDF_UKM, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vagreement;
    (void)vctx;
    return params;
}

/* ---- tables ---------------------------------------------------------- */

static const OSSL_DISPATCH agreement_functions[] = {
    {OSSL_FUNC_KEYEXCH_NEWCTX, PROV_FN(agreement_new)},
    {OSSL_FUNC_KEYEXCH_FREECTX, PROV_FN(agreement_free)},
    {OSSL_FUNC_KEYEXCH_DUPCTX, PROV_FN(agreement_dup)},
    {OSSL_FUNC_KEYEXCH_INIT, PROV_FN(agreement_init)},
    {OSSL_FUNC_KEYEXCH_SET_PEER, PROV_FN(agreement_set_peer)},
    {OSSL_FUNC_KEYEXCH_DERIVE, PROV_FN(agreement_derive)},
    {OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, PROV_FN(agreement_set_params)},
    {OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, PROV_FN(agreement_settable)},
    {OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, PROV_FN(agreement_get_params)},
    {OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, PROV_FN(agreement_gettable)},
    {0, NULL},
};

const OSSL_ALGORITHM prov_keyexch_algorithms[] = {
    {"ECDH", PROV_PROPERTIES, agreement_functions, "ECDH in a device"},
    {NULL, NULL, NULL, NULL},
};
