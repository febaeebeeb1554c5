/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as EVP_PKEYs of OpenSSL's own provider. */
#include "backend.h"
#include "libcrypto.h"
#include "numbers.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

static int push_ec(OSSL_PARAM_BLD *bld, const struct devid_public *pub,
                   uint8_t point[DEVID_POINT_MAX])
{
    if (pub->alg == NULL)
        return 0;
    return OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                           pub->alg->group, 0) &&
           OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point,
                                            devid_point_put(pub, point));
}

static int push_rsa(OSSL_PARAM_BLD *bld, const struct devid_public *pub,
                    BIGNUM **modulus)
{
    const char *hash = pub->hash != NULL ? pub->hash->name : NULL;

    if (pub->coordinate_len > DEVID_MODULUS_MAX)
        return 0;
    if (hash != NULL &&
        !(OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_RSA_DIGEST, hash,
                                          0) &&
          OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_MGF1_DIGEST,
                                          hash, 0) &&
          OSSL_PARAM_BLD_push_int(bld, OSSL_PKEY_PARAM_RSA_PSS_SALTLEN,
                                  (int)pub->salt_len)))
        return 0;
    *modulus = BN_bin2bn(pub->modulus, (int)pub->coordinate_len, NULL);
    return *modulus != NULL &&
           OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, *modulus) &&
           OSSL_PARAM_BLD_push_uint32(bld, OSSL_PKEY_PARAM_RSA_E,
                                      pub->exponent);
}

static int push(OSSL_PARAM_BLD *bld, const struct devid_public *pub,
                uint8_t point[DEVID_POINT_MAX], BIGNUM **modulus)
{
    switch (pub->type) {
    case DEVID_KEY_EC:
        return push_ec(bld, pub, point);
    case DEVID_KEY_RSA:
    case DEVID_KEY_RSA_PSS:
        return push_rsa(bld, pub, modulus);
    case DEVID_KEY_ED25519:
        break;
    }
    return OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            pub->x, pub->coordinate_len);
}

/* Owns nothing: parameters are borrowed from the caller for the call. */
static EVP_PKEY *from_params(OSSL_LIB_CTX *libctx, const char *type,
                             OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, type, DEVID_PROPQ);
    EVP_PKEY *pkey = NULL;

    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

enum devid_err devid_public_to_pkey(const struct devid_public *pub,
                                    OSSL_LIB_CTX *libctx, EVP_PKEY **pkey,
                                    struct devid_error *err)
{
    const struct devid_key_kind *kind = devid_key_kind(pub->type);
    uint8_t point[DEVID_POINT_MAX];
    OSSL_PARAM_BLD *bld;
    OSSL_PARAM *params = NULL;
    BIGNUM *modulus = NULL;

    *pkey = NULL;
    devid_quiet_begin();
    bld = OSSL_PARAM_BLD_new();
    if (bld != NULL && push(bld, pub, point, &modulus))
        params = OSSL_PARAM_BLD_to_param(bld);
    if (params != NULL)
        *pkey = from_params(libctx, kind->name, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    BN_free(modulus);
    devid_quiet_end();
    if (*pkey != NULL)
        return DEVID_OK;
    if (params == NULL)
        return devid_no_memory(err);
    return devid_fail(
        err, DEVID_ERR_INPUT, 0,
        "OpenSSL does not take the public key: %sno provider "
        "but devid offers %s keys (list default in openssl.cnf)",
        pub->type != DEVID_KEY_EC ? "" : "its point is not on the curve, or ",
        kind->name);
}

enum devid_err devid_public_from_pkey(const EVP_PKEY *pkey,
                                      struct devid_public *pub,
                                      struct devid_error *err)
{
    uint8_t *der = NULL;
    enum devid_err e;
    int len;

    devid_quiet_begin();
    len = i2d_PUBKEY(pkey, &der);
    devid_quiet_end();
    if (len <= 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "OpenSSL does not give the key's public part");
    e = devid_public_from_spki(der, (size_t)len, pub, err);
    OPENSSL_free(der);
    return e;
}
