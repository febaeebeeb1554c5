/* SPDX-License-Identifier: Apache-2.0 */
/* A secret seed for the holder of a key. */
#include "protect.h"

#include "../backend.h"
#include "../libcrypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <tss2/tss2_mu.h>

#include <string.h>

#define USE_MAX sizeof("DUPLICATE")
#define EC_TRIES 64

/* ---- RSA: the seed by OAEP, whose label has its NUL --------------------- */

static bool set_oaep(EVP_PKEY_CTX *ctx, const struct tpm2_protection *to)
{
    size_t len = strlen(to->use) + 1;
    void *label = OPENSSL_memdup(to->use, len);
    const char *hash = to->hash->name;

    if (label == NULL ||
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, hash, DEVID_PROPQ) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, hash, DEVID_PROPQ) != 1 ||
        EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, (int)len) != 1) {
        OPENSSL_free(label);
        return false;
    }
    return true;
}

static bool seed_rsa(const struct tpm2_protection *to, EVP_PKEY *key,
                     struct tpm2_seed *seed)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(to->libctx, key, DEVID_PROPQ);
    size_t len = sizeof(seed->encrypted.secret);
    bool ok =
        ctx != NULL &&
        RAND_priv_bytes_ex(to->libctx, seed->value, to->hash->len, 0) == 1 &&
        EVP_PKEY_encrypt_init(ctx) == 1 && set_oaep(ctx, to) &&
        EVP_PKEY_encrypt(ctx, seed->encrypted.secret, &len, seed->value,
                         to->hash->len) == 1;

    seed->encrypted.size = (UINT16)len;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* ---- ECC: the seed by ECDH with a key of the moment --------------------- */

static bool shared_x(const struct tpm2_protection *to, EVP_PKEY *own,
                     EVP_PKEY *key, uint8_t z[DEVID_COORDINATE_MAX])
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(to->libctx, own, DEVID_PROPQ);
    size_t wanted = to->pub->coordinate_len;
    size_t len = wanted;
    bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
              EVP_PKEY_derive_set_peer(ctx, key) == 1 &&
              EVP_PKEY_derive(ctx, z, &len) == 1 && len == wanted;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* A key of the moment: its point, 04 and both coordinates, and Z's x. */
static bool agree(const struct tpm2_protection *to, EVP_PKEY *key,
                  uint8_t point[1 + 2 * DEVID_COORDINATE_MAX],
                  uint8_t z[DEVID_COORDINATE_MAX])
{
    EVP_PKEY *own =
        EVP_PKEY_Q_keygen(to->libctx, DEVID_PROPQ, "EC", to->pub->alg->group);
    size_t wanted = 1 + 2 * to->pub->coordinate_len;
    size_t len = 0;
    bool ok = own != NULL &&
              EVP_PKEY_get_octet_string_param(
                  own, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point,
                  1 + 2 * DEVID_COORDINATE_MAX, &len) == 1 &&
              len == wanted && shared_x(to, own, key, z);

    EVP_PKEY_free(own);
    return ok;
}

/* KDFe is SSKDF with label, NUL and both x coordinates as info. */
static bool kdf_e(const struct tpm2_protection *to, const uint8_t *own_x,
                  const uint8_t *z, uint8_t *value)
{
    EVP_KDF *kdf = EVP_KDF_fetch(to->libctx, OSSL_KDF_NAME_SSKDF, DEVID_PROPQ);
    EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    size_t len = to->pub->coordinate_len;
    size_t use_len = strlen(to->use) + 1;
    uint8_t info[USE_MAX + (size_t)2 * DEVID_COORDINATE_MAX];
    char digest[32];
    char properties[] = DEVID_PROPQ;
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_PROPERTIES, properties, 0),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)z, len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info, use_len + 2 * len),
        OSSL_PARAM_END,
    };
    bool ok;

    memcpy(info, to->use, use_len);
    memcpy(info + use_len, own_x, len);
    memcpy(info + use_len + len, to->pub->x, len);
    OPENSSL_strlcpy(digest, to->hash->name, sizeof(digest));
    ok = ctx != NULL && EVP_KDF_derive(ctx, value, to->hash->len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

static bool put_point(const uint8_t *point, size_t len,
                      TPM2B_ENCRYPTED_SECRET *out)
{
    TPMS_ECC_POINT q = {0};
    size_t used = 0;

    q.x.size = (UINT16)len;
    memcpy(q.x.buffer, point, len);
    q.y.size = (UINT16)len;
    memcpy(q.y.buffer, point + len, len);
    if (Tss2_MU_TPMS_ECC_POINT_Marshal(&q, out->secret, sizeof(out->secret),
                                       &used) != 0)
        return false;
    out->size = (UINT16)used;
    return true;
}

/*
 * TPMs do not agree whether leading zeros of x count, so a key is taken that
 * has none, neither in its own x nor in Z.
 */
static bool seed_ecc(const struct tpm2_protection *to, EVP_PKEY *key,
                     struct tpm2_seed *seed)
{
    uint8_t point[1 + 2 * DEVID_COORDINATE_MAX];
    uint8_t z[DEVID_COORDINATE_MAX];
    size_t len = to->pub->coordinate_len;
    bool ok = false;

    for (int i = 0; i < EC_TRIES && !ok; i++) {
        if (!agree(to, key, point, z))
            break;
        ok = point[1] != 0 && z[0] != 0;
    }
    ok = ok && kdf_e(to, point + 1, z, seed->value) &&
         put_point(point + 1, len, &seed->encrypted);
    OPENSSL_cleanse(z, sizeof(z));
    return ok;
}

enum devid_err tpm2_seed_make(const struct tpm2_protection *to,
                              struct tpm2_seed *seed, struct devid_error *err)
{
    EVP_PKEY *key = NULL;
    enum devid_err e = devid_public_to_pkey(to->pub, to->libctx, &key, err);
    bool ok;

    if (e != DEVID_OK)
        return e;
    devid_quiet_begin();
    ok = strlen(to->use) < USE_MAX &&
         (to->pub->type == DEVID_KEY_EC ? seed_ecc : seed_rsa)(to, key, seed);
    devid_quiet_end();
    EVP_PKEY_free(key);
    return ok ? DEVID_OK
              : devid_fail(err, DEVID_ERR_SYSTEM, 0,
                           "OpenSSL does not encrypt a seed for the TPM");
}
