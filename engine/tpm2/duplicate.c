/* SPDX-License-Identifier: Apache-2.0 */
/* A private key wrapped for a parent. Pure. */
#include "adopt.h"

#include "../libcrypto.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <tss2/tss2_mu.h>

#define EC_TRIES 64

struct wrap {
    const TPMT_PUBLIC *parent;
    struct devid_public pub; /* of the parent */
    OSSL_LIB_CTX *libctx;
    const char *hash; /* of the parent's name algorithm */
    size_t hash_len;
    uint8_t seed[64];
    uint8_t shared[DEVID_COORDINATE_MAX]; /* EC: Z's x */
};

/* ---- key derivation (TPM 2.0 Part 1, 11.4.10) ------------------------ */

/* One block is enough: no key here is longer than the hash. */
static bool kdfa(const struct wrap *w, const char *label, const TPM2B_NAME *u,
                 size_t bits, uint8_t *out)
{
    uint8_t in[4 + 16 + sizeof(u->name) + 4] = {0, 0, 0, 1};
    uint8_t block[64];
    size_t len = 4;
    size_t block_len = 0;
    bool done;

    memcpy(in + len, label, strlen(label) + 1); /* with its NUL */
    len += strlen(label) + 1;
    if (u != NULL) {
        memcpy(in + len, u->name, u->size);
        len += u->size;
    }
    in[len++] = 0;
    in[len++] = 0;
    in[len++] = (uint8_t)(bits >> 8);
    in[len++] = (uint8_t)bits;
    done = EVP_Q_mac(w->libctx, "HMAC", DEVID_PROPQ, w->hash, NULL, w->seed,
                     w->hash_len, in, len, block, sizeof(block),
                     &block_len) != NULL &&
           block_len >= bits / 8;
    if (done)
        memcpy(out, block, bits / 8);
    OPENSSL_cleanse(block, sizeof(block));
    return done;
}

/* Part 1, 11.4.10.3: the seed of Z and both points' x. */
static bool kdfe(struct wrap *w, const uint8_t *ephemeral_x)
{
    static const char use[] = "DUPLICATE";
    size_t len = w->pub.coordinate_len;
    uint8_t in[4 + sizeof(use) + (size_t)3 * DEVID_COORDINATE_MAX] = {0, 0, 0,
                                                                      1};
    size_t used = 4;
    size_t seed_len = 0;
    bool done;

    memcpy(in + used, w->shared, len);
    used += len;
    memcpy(in + used, use, sizeof(use));
    used += sizeof(use);
    memcpy(in + used, ephemeral_x, len);
    used += len;
    memcpy(in + used, w->pub.x, len);
    used += len;
    done = EVP_Q_digest(w->libctx, w->hash, DEVID_PROPQ, in, used, w->seed,
                        &seed_len) == 1 &&
           seed_len == w->hash_len;
    OPENSSL_cleanse(in, sizeof(in));
    return done;
}

/* ---- the seed, encrypted to the parent ------------------------------- */

static bool derive(struct wrap *w, EVP_PKEY *ephemeral, EVP_PKEY *parent)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(w->libctx, ephemeral, DEVID_PROPQ);
    size_t len = sizeof(w->shared);
    bool done = ctx != NULL && EVP_PKEY_derive_init(ctx) > 0 &&
                EVP_PKEY_derive_set_peer(ctx, parent) > 0 &&
                EVP_PKEY_derive(ctx, w->shared, &len) > 0 &&
                len == w->pub.coordinate_len;

    EVP_PKEY_CTX_free(ctx);
    return done;
}

static bool put_point(const struct wrap *w, const uint8_t *point,
                      TPM2B_ENCRYPTED_SECRET *seed)
{
    size_t len = w->pub.coordinate_len;
    TPMS_ECC_POINT q = {0};
    size_t used = 0;

    q.x.size = (UINT16)len;
    memcpy(q.x.buffer, point + 1, len);
    q.y.size = (UINT16)len;
    memcpy(q.y.buffer, point + 1 + len, len);
    if (Tss2_MU_TPMS_ECC_POINT_Marshal(&q, seed->secret, sizeof(seed->secret),
                                       &used) != 0)
        return false;
    seed->size = (UINT16)used;
    return true;
}

/*
 * TPMs do not agree whether leading zeros of x count, so a key is taken that
 * has none, neither in its own x nor in Z.
 */
static bool seed_by_ecdh(struct wrap *w, EVP_PKEY *parent,
                         TPM2B_ENCRYPTED_SECRET *seed)
{
    uint8_t point[1 + 2 * DEVID_COORDINATE_MAX];
    bool done = false;

    for (int i = 0; i < EC_TRIES && !done; i++) {
        EVP_PKEY *ephemeral =
            EVP_PKEY_Q_keygen(w->libctx, DEVID_PROPQ, "EC", w->pub.alg->group);
        size_t len = 0;

        if (ephemeral == NULL ||
            EVP_PKEY_get_octet_string_param(ephemeral,
                                            OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                            point, sizeof(point), &len) != 1 ||
            len != 1 + 2 * w->pub.coordinate_len ||
            !derive(w, ephemeral, parent)) {
            EVP_PKEY_free(ephemeral);
            return false;
        }
        EVP_PKEY_free(ephemeral);
        done = point[1] != 0 && w->shared[0] != 0;
    }
    return done && kdfe(w, point + 1) && put_point(w, point, seed);
}

/* Part 1, B.4: OAEP whose label is "DUPLICATE" with its NUL. */
static bool seed_by_oaep(struct wrap *w, EVP_PKEY *parent,
                         TPM2B_ENCRYPTED_SECRET *seed)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(w->libctx, parent, DEVID_PROPQ);
    char label[] = "DUPLICATE";
    char mode[] = OSSL_PKEY_RSA_PAD_MODE_OAEP;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, mode,
                                         0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST,
                                         (char *)(uintptr_t)w->hash, 0),
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
                                          label, sizeof(label)),
        OSSL_PARAM_construct_end(),
    };
    size_t len = sizeof(seed->secret);
    bool done =
        RAND_bytes_ex(w->libctx, w->seed, w->hash_len, 256) == 1 &&
        ctx != NULL && EVP_PKEY_encrypt_init_ex(ctx, params) > 0 &&
        EVP_PKEY_encrypt(ctx, seed->secret, &len, w->seed, w->hash_len) > 0;

    seed->size = (UINT16)len;
    EVP_PKEY_CTX_free(ctx);
    return done;
}

static bool make_seed(struct wrap *w, TPM2B_ENCRYPTED_SECRET *seed)
{
    EVP_PKEY *parent = NULL;
    bool done = false;

    if (devid_public_to_pkey(&w->pub, w->libctx, &parent, NULL) == DEVID_OK)
        done = w->pub.type == DEVID_KEY_EC ? seed_by_ecdh(w, parent, seed)
                                           : seed_by_oaep(w, parent, seed);
    EVP_PKEY_free(parent);
    return done;
}

/* ---- the wrapper (Part 1, 23.3.2.3) ---------------------------------- */

static bool encrypt(const struct wrap *w, const TPM2B_NAME *name, uint8_t *data,
                    size_t len)
{
    const TPMT_SYM_DEF_OBJECT *sym =
        w->parent->type == TPM2_ALG_ECC
            ? &w->parent->parameters.eccDetail.symmetric
            : &w->parent->parameters.rsaDetail.symmetric;
    bool long_key = sym->keyBits.aes == 256;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(
        w->libctx, long_key ? "AES-256-CFB" : "AES-128-CFB", DEVID_PROPQ);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    static const uint8_t iv[16];
    uint8_t key[32];
    int used = 0;
    bool done = cipher != NULL && ctx != NULL &&
                sym->algorithm == TPM2_ALG_AES &&
                sym->mode.aes == TPM2_ALG_CFB &&
                kdfa(w, "STORAGE", name, sym->keyBits.aes, key) &&
                EVP_EncryptInit_ex2(ctx, cipher, key, iv, NULL) == 1 &&
                EVP_EncryptUpdate(ctx, data, &used, data, (int)len) == 1 &&
                (size_t)used == len;

    OPENSSL_cleanse(key, sizeof(key));
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return done;
}

static bool make_wrapper(const struct wrap *w, const struct tpm2_adopt *a,
                         TPM2B_PRIVATE *out)
{
    uint8_t data[sizeof(TPM2B_SENSITIVE) + sizeof(TPM2B_NAME)];
    TPM2B_NAME name;
    uint8_t key[64];
    uint8_t mac[64];
    size_t mac_len = 0;
    size_t len = 0;
    bool done;

    done = tpm2_public_name(&a->pub.publicArea, w->libctx, &name, NULL) ==
               DEVID_OK &&
           Tss2_MU_TPM2B_SENSITIVE_Marshal(a->sensitive, data, sizeof(data),
                                           &len) == 0 &&
           encrypt(w, &name, data, len);
    if (done) {
        memcpy(data + len, name.name, name.size);
        done = kdfa(w, "INTEGRITY", NULL, w->hash_len * 8, key) &&
               EVP_Q_mac(w->libctx, "HMAC", DEVID_PROPQ, w->hash, NULL, key,
                         w->hash_len, data, len + name.size, mac, sizeof(mac),
                         &mac_len) != NULL;
    }
    if (done) {
        out->buffer[0] = (BYTE)(mac_len >> 8);
        out->buffer[1] = (BYTE)mac_len;
        memcpy(out->buffer + 2, mac, mac_len);
        memcpy(out->buffer + 2 + mac_len, data, len);
        out->size = (UINT16)(2 + mac_len + len);
    }
    OPENSSL_cleanse(key, sizeof(key));
    OPENSSL_cleanse(data, sizeof(data));
    return done;
}

enum devid_err tpm2_duplicate(const TPMT_PUBLIC *parent, OSSL_LIB_CTX *libctx,
                              const struct tpm2_adopt *adopt,
                              TPM2B_PRIVATE *duplicate,
                              TPM2B_ENCRYPTED_SECRET *seed,
                              struct devid_error *err)
{
    struct wrap w = {
        .parent = parent,
        .libctx = libctx,
        .hash = tpm2_hash_name(parent->nameAlg),
        .hash_len = tpm2_hash_len(parent->nameAlg),
    };
    enum devid_err e = tpm2_public_to_devid(parent, &w.pub, err);
    bool done;

    if (e != DEVID_OK)
        return e;
    devid_quiet_begin();
    done = w.hash != NULL && make_seed(&w, seed) &&
           make_wrapper(&w, adopt, duplicate);
    devid_quiet_end();
    OPENSSL_cleanse(&w, sizeof(w));
    if (done)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_ALG, 0,
                      "the key cannot be wrapped for this parent: it must be "
                      "a storage key with AES in CFB mode, as 0x81000001 and "
                      "the hierarchies have it");
}
