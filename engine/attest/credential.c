/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret under an EK that only a TPM with a key of a certain Name gives up.
 * Source: TPM 2.0 Part 1, 24; 11.4.10.2, KDFa.
 */
#include "attest_internal.h"

#include "../backend.h"
#include "../libcrypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <stdio.h>
#include <string.h>

struct maker {
    const struct devid_challenge *challenge;
    const struct devid_hash *hash; /* the EK's nameAlg */
    unsigned aes_bits;
    uint8_t seed[EVP_MAX_MD_SIZE];
};

/* KDFa is KBKDF in counter mode with the label as salt. */
static bool kdf_a(const struct maker *m, const char *label,
                  struct devid_bytes context, uint8_t *key, size_t len)
{
    OSSL_LIB_CTX *libctx = m->challenge->libctx;
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, OSSL_KDF_NAME_KBKDF, DEVID_PROPQ);
    EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    char mode[] = "counter";
    char mac[] = "HMAC";
    char digest[32];
    char properties[] = DEVID_PROPQ;
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_PROPERTIES, properties, 0),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)m->seed,
                                m->hash->len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)label,
                                strlen(label)),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO,
                                (void *)(uintptr_t)context.data, context.len),
        OSSL_PARAM_END,
    };
    bool ok;

    if (context.len == 0)
        params[6] = (OSSL_PARAM)OSSL_PARAM_END;
    OPENSSL_strlcpy(digest, m->hash->name, sizeof(digest));
    ok = ctx != NULL && EVP_KDF_derive(ctx, key, len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

/* In place, by AES-CFB with a zero IV; the key is used once. */
static bool encrypt(const struct maker *m, uint8_t *data, size_t len)
{
    static const uint8_t iv[16];
    const struct devid_tpm_name *name = m->challenge->name;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher;
    char words[32];
    uint8_t key[32];
    int n = 0;
    bool ok;

    (void)snprintf(words, sizeof(words), "AES-%u-CFB", m->aes_bits);
    cipher = EVP_CIPHER_fetch(m->challenge->libctx, words, DEVID_PROPQ);
    ok = ctx != NULL && cipher != NULL &&
         kdf_a(m, "STORAGE", (struct devid_bytes){name->data, name->len}, key,
               m->aes_bits / 8) &&
         EVP_EncryptInit_ex2(ctx, cipher, key, iv, NULL) == 1 &&
         EVP_EncryptUpdate(ctx, data, &n, data, (int)len) == 1 &&
         (size_t)n == len;
    OPENSSL_cleanse(key, sizeof(key));
    EVP_CIPHER_free(cipher);
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* The HMAC over what is encrypted and the Name. */
static bool integrity(const struct maker *m, const uint8_t *data, size_t len,
                      uint8_t *out)
{
    const struct devid_tpm_name *name = m->challenge->name;
    uint8_t both[2 + EVP_MAX_MD_SIZE + sizeof(name->data)];
    uint8_t key[EVP_MAX_MD_SIZE];
    size_t n = 0;
    bool ok;

    memcpy(both, data, len);
    memcpy(both + len, name->data, name->len);
    ok = kdf_a(m, "INTEGRITY", (struct devid_bytes){NULL, 0}, key,
               m->hash->len) &&
         EVP_Q_mac(m->challenge->libctx, "HMAC", DEVID_PROPQ, m->hash->name,
                   NULL, key, m->hash->len, both, len + name->len, out,
                   EVP_MAX_MD_SIZE, &n) != NULL &&
         n == m->hash->len;
    OPENSSL_cleanse(key, sizeof(key));
    return ok;
}

/* TPM2B_ID_OBJECT: sizes, the HMAC, and the secret with its size encrypted. */
static bool protect(const struct maker *m, struct devid_credential *out)
{
    const struct devid_bytes secret = m->challenge->secret;
    size_t hash_len = m->hash->len;
    uint8_t *hmac = out->id_object + 4;
    uint8_t *identity = hmac + hash_len;
    size_t identity_len = 2 + secret.len;

    out->id_object[0] = 0;
    out->id_object[1] = (uint8_t)(2 + hash_len + identity_len);
    out->id_object[2] = 0;
    out->id_object[3] = (uint8_t)hash_len;
    identity[0] = 0;
    identity[1] = (uint8_t)secret.len;
    memcpy(identity + 2, secret.data, secret.len);
    out->id_object_len = 4 + hash_len + identity_len;
    return encrypt(m, identity, identity_len) &&
           integrity(m, identity, identity_len, hmac);
}

static enum devid_err make(struct maker *m, struct devid_credential *out,
                           struct devid_error *err)
{
    enum devid_err e =
        attest_seed_make(m->challenge, m->hash, m->seed, out, err);

    if (e != DEVID_OK)
        return e;
    return protect(m, out)
               ? DEVID_OK
               : devid_fail(err, DEVID_ERR_SYSTEM, 0,
                            "OpenSSL does not protect the credential");
}

enum devid_err devid_make_credential(const struct devid_challenge *challenge,
                                     struct devid_credential *credential,
                                     struct devid_error *err)
{
    const struct attest_ek_template *t = attest_ek_template(challenge->ek, err);
    struct maker m = {.challenge = challenge};
    size_t name_len = challenge->name->len;
    enum devid_err e;

    memset(credential, 0, sizeof(*credential));
    if (t == NULL)
        return DEVID_ERR_ALG;
    m.hash = tpm2_hash_from_id(t->name_alg);
    m.aes_bits = t->aes_bits;
    if (challenge->secret.len == 0 || challenge->secret.len > m.hash->len) {
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "the secret has %zu bytes: 1 to %zu go into a "
                          "credential for this EK",
                          challenge->secret.len, m.hash->len);
    }
    if (name_len < 2 || name_len > sizeof(challenge->name->data)) {
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "the Name has %zu bytes: a hash's id and its digest "
                          "are wanted",
                          name_len);
    }
    devid_quiet_begin();
    e = make(&m, credential, err);
    devid_quiet_end();
    OPENSSL_cleanse(&m, sizeof(m));
    if (e != DEVID_OK)
        memset(credential, 0, sizeof(*credential));
    return e;
}
