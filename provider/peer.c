/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public EC keys that libcrypto brings us, because a key of ours is to agree
 * on a secret with them: EVP_PKEY_derive_set_peer() puts the peer into the key
 * management of the key at work. They are numbers without a private half;
 * whoever comes with one is sent away, so that no key of software is ever
 * taken for one in a device, and libcrypto goes on with it elsewhere.
 */
#include "prov.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <string.h>

/* OpenSSL knows all forms of a point; the engine takes the plain one. */
static EVP_PKEY *ordinary(const struct prov_ctx *ctx, const char *group,
                          const void *point, size_t len)
{
    char *form =
        (char *)(uintptr_t)OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                         (char *)(uintptr_t)group, 0),
        OSSL_PARAM_construct_utf8_string(
            OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                          (void *)(uintptr_t)point, len),
        OSSL_PARAM_END,
    };
    EVP_PKEY_CTX *from =
        EVP_PKEY_CTX_new_from_name(ctx->libctx, "EC", PROV_NOT_OURS);
    EVP_PKEY *pkey = NULL;

    if (from != NULL && EVP_PKEY_fromdata_init(from) == 1)
        (void)EVP_PKEY_fromdata(from, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(from);
    return pkey;
}

static bool set_point(struct prov_key *key, const void *point, size_t len)
{
    EVP_PKEY *pkey = ordinary(key->ctx, key->peer->alg->group, point, len);
    struct devid_error err = {0};
    uint8_t *der = NULL;
    int n = pkey != NULL ? i2d_PUBKEY(pkey, &der) : 0;
    enum devid_err e = DEVID_ERR_INPUT;

    EVP_PKEY_free(pkey);
    if (n > 0)
        e = devid_public_from_spki(der, (size_t)n, key->peer, &err);
    OPENSSL_free(der);
    key->has_point = e == DEVID_OK;
    if (!key->has_point)
        prov_raise(key->ctx, e, "these %zu bytes are no point on %s", len,
                   key->peer->alg->curve);
    return key->has_point;
}

bool prov_peer_set_group(struct prov_key *key, const char *group)
{
    const struct devid_algorithm *alg = devid_algorithm_by_name(group);

    if (alg == NULL || alg->type != DEVID_KEY_EC) {
        prov_raise(key->ctx, DEVID_ERR_ALG,
                   "devid knows no group '%.60s': it knows P-256, P-384 and "
                   "P-521",
                   group);
        return false;
    }
    OPENSSL_free(key->peer);
    key->peer = OPENSSL_zalloc(sizeof(*key->peer));
    if (key->peer == NULL) {
        prov_raise_memory(key->ctx);
        return false;
    }
    key->peer->type = DEVID_KEY_EC;
    key->peer->alg = alg;
    key->peer->bits = alg->bits;
    key->peer->coordinate_len = alg->coordinate_len;
    key->has_point = false;
    return true;
}

int prov_peer_import(void *vkey, int selection, const OSSL_PARAM params[])
{
    struct prov_key *key = vkey;
    const OSSL_PARAM *group =
        OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);
    const OSSL_PARAM *point =
        OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY);
    const char *name = NULL;
    const void *bytes = NULL;
    size_t len = 0;

    if (OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PRIV_KEY) != NULL) {
        prov_raise(key->ctx, DEVID_ERR_USAGE,
                   "devid takes no private key in: give it the public half");
        return 0;
    }
    if (key->key != NULL || group == NULL ||
        OSSL_PARAM_get_utf8_string_ptr(group, &name) != 1) {
        prov_raise(key->ctx, DEVID_ERR_USAGE,
                   "a public EC key comes with the name of its group");
        return 0;
    }
    if (!prov_peer_set_group(key, name))
        return 0; /* prov_peer_set_group raised */
    if (point == NULL || (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0)
        return 1;
    return OSSL_PARAM_get_octet_string_ptr(point, &bytes, &len) == 1 &&
           set_point(key, bytes, len);
}

const OSSL_PARAM *prov_peer_import_types(int selection)
{
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0
               ? NULL
               : prov_key_export_types(DEVID_KEY_EC, selection);
}

int prov_peer_set_params(void *vkey, const OSSL_PARAM params[])
{
    struct prov_key *key = vkey;
    const OSSL_PARAM *p =
        OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    const void *bytes = NULL;
    size_t len = 0;

    if (p == NULL)
        return 1;
    if (key->peer == NULL) {
        prov_raise(key->ctx, DEVID_ERR_USAGE,
                   "the public half of a key in a device does not change");
        return 0;
    }
    return OSSL_PARAM_get_octet_string_ptr(p, &bytes, &len) == 1 &&
           set_point(key, bytes, len);
}

const OSSL_PARAM *prov_peer_settable(void *vctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vctx;
    return params;
}
