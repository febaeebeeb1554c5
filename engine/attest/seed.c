/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret seed for the holder of an EK.
 * Source: TPM 2.0 Part 1, B.10.4 (RSA) and C.6.4 (ECC); 11.4.10.3, KDFe.
 */
#include "attest_internal.h"

#include "../backend.h"
#include "../libcrypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <string.h>

/* With its NUL, in OAEP as in KDFe. */
static const char label[] = "IDENTITY";

static size_t put_u16(uint8_t *out, size_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return 2;
}

/* ---- RSA: the seed by OAEP --------------------------------------------- */

static bool set_oaep(EVP_PKEY_CTX *ctx, const struct devid_hash *hash)
{
    void *copy = OPENSSL_memdup(label, sizeof(label));

    if (copy == NULL ||
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, hash->name, DEVID_PROPQ) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, hash->name, DEVID_PROPQ) != 1 ||
        EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, sizeof(label)) != 1) {
        OPENSSL_free(copy);
        return false;
    }
    return true;
}

static bool seed_rsa(EVP_PKEY *ek, const struct devid_challenge *challenge,
                     const struct devid_hash *hash, uint8_t *seed,
                     struct devid_credential *out)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(challenge->libctx, ek, DEVID_PROPQ);
    size_t len = sizeof(out->secret) - 2;
    bool ok =
        ctx != NULL &&
        RAND_priv_bytes_ex(challenge->libctx, seed, hash->len, 0) == 1 &&
        EVP_PKEY_encrypt_init(ctx) == 1 && set_oaep(ctx, hash) &&
        EVP_PKEY_encrypt(ctx, out->secret + 2, &len, seed, hash->len) == 1;

    EVP_PKEY_CTX_free(ctx);
    if (ok)
        out->secret_len = put_u16(out->secret, len) + len;
    return ok;
}

/* ---- ECC: the seed by ECDH with a key of the moment --------------------- */

static bool shared_x(EVP_PKEY *own, EVP_PKEY *ek, OSSL_LIB_CTX *libctx,
                     uint8_t z[DEVID_COORDINATE_MAX], size_t len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, own, DEVID_PROPQ);
    size_t found = len;
    bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
              EVP_PKEY_derive_set_peer(ctx, ek) == 1 &&
              EVP_PKEY_derive(ctx, z, &found) == 1 && found == len;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* KDFe is SSKDF with label, NUL and both x coordinates as info. */
static bool kdf_e(OSSL_LIB_CTX *libctx, const struct devid_hash *hash,
                  struct devid_bytes z, struct devid_bytes info, uint8_t *seed)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, OSSL_KDF_NAME_SSKDF, DEVID_PROPQ);
    EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    char digest[32];
    char properties[] = DEVID_PROPQ;
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_PROPERTIES, properties, 0),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)z.data,
                                z.len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO,
                                (void *)(uintptr_t)info.data, info.len),
        OSSL_PARAM_END,
    };
    bool ok;

    OPENSSL_strlcpy(digest, hash->name, sizeof(digest));
    ok = ctx != NULL && EVP_KDF_derive(ctx, seed, hash->len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

/* TPM2B_ENCRYPTED_SECRET around a TPMS_ECC_POINT. */
static void put_point(const uint8_t *point, size_t len,
                      struct devid_credential *out)
{
    uint8_t *p = out->secret;

    p += put_u16(p, 2 * (2 + len));
    for (int i = 0; i < 2; i++) {
        p += put_u16(p, len);
        memcpy(p, point + (size_t)i * len, len);
        p += len;
    }
    out->secret_len = (size_t)(p - out->secret);
}

static bool seed_ecc(EVP_PKEY *ek, const struct devid_challenge *challenge,
                     const struct devid_hash *hash, uint8_t *seed,
                     struct devid_credential *out)
{
    const struct devid_public *pub = challenge->ek;
    size_t len = pub->coordinate_len;
    uint8_t info[sizeof(label) + (size_t)2 * DEVID_COORDINATE_MAX];
    const struct devid_bytes both = {info, sizeof(label) + 2 * len};
    uint8_t z[DEVID_COORDINATE_MAX];
    unsigned char *point = NULL;
    EVP_PKEY *own = EVP_PKEY_Q_keygen(challenge->libctx, DEVID_PROPQ, "EC",
                                      pub->alg->group);
    bool ok = own != NULL &&
              EVP_PKEY_get1_encoded_public_key(own, &point) == 1 + 2 * len &&
              shared_x(own, ek, challenge->libctx, z, len);

    if (ok) {
        memcpy(info, label, sizeof(label));
        memcpy(info + sizeof(label), point + 1, len);
        memcpy(info + sizeof(label) + len, pub->x, len);
        put_point(point + 1, len, out);
        ok = kdf_e(challenge->libctx, hash, (struct devid_bytes){z, len}, both,
                   seed);
    }
    OPENSSL_cleanse(z, sizeof(z));
    OPENSSL_free(point);
    EVP_PKEY_free(own);
    return ok;
}

enum devid_err attest_seed_make(const struct devid_challenge *challenge,
                                const struct devid_hash *hash, uint8_t *seed,
                                struct devid_credential *credential,
                                struct devid_error *err)
{
    EVP_PKEY *ek = NULL;
    enum devid_err e =
        devid_public_to_pkey(challenge->ek, challenge->libctx, &ek, err);
    bool ok;

    if (e != DEVID_OK)
        return e;
    ok = (challenge->ek->type == DEVID_KEY_RSA ? seed_rsa : seed_ecc)(
        ek, challenge, hash, seed, credential);
    EVP_PKEY_free(ek);
    return ok ? DEVID_OK
              : devid_fail(err, DEVID_ERR_SYSTEM, 0,
                           "OpenSSL does not encrypt a seed to the EK");
}
