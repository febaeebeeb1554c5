/* SPDX-License-Identifier: Apache-2.0 */
/* The outer wrapper of what goes to one TPM alone. */
#include "protect.h"

#include "../backend.h"
#include "../libcrypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <stdio.h>
#include <string.h>

struct wrap {
    const struct tpm2_protection *to;
    struct tpm2_seed seed;
};

/* KDFa is KBKDF in counter mode with the label as salt. */
static bool kdf_a(const struct wrap *w, const char *label,
                  const TPM2B_NAME *name, uint8_t *key, size_t len)
{
    const struct tpm2_protection *to = w->to;
    EVP_KDF *kdf = EVP_KDF_fetch(to->libctx, OSSL_KDF_NAME_KBKDF, DEVID_PROPQ);
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
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY,
                                (void *)(uintptr_t)w->seed.value,
                                to->hash->len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)label,
                                strlen(label)),
        OSSL_PARAM_END,
        OSSL_PARAM_END,
    };
    bool ok;

    if (name != NULL)
        params[6] = OSSL_PARAM_construct_octet_string(
            OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)name->name, name->size);
    OPENSSL_strlcpy(digest, to->hash->name, sizeof(digest));
    ok = ctx != NULL && EVP_KDF_derive(ctx, key, len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

/* By AES-CFB with a zero IV: the key is used once. */
static bool encrypt(const struct wrap *w, uint8_t *data, size_t len)
{
    static const uint8_t iv[16];
    size_t key_len = w->to->aes_bits / 8;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher;
    char words[32];
    uint8_t key[32];
    int n = 0;
    bool ok;

    (void)snprintf(words, sizeof(words), "AES-%u-CFB", w->to->aes_bits);
    cipher = EVP_CIPHER_fetch(w->to->libctx, words, DEVID_PROPQ);
    ok = ctx != NULL && cipher != NULL && key_len <= sizeof(key) &&
         kdf_a(w, "STORAGE", w->to->name, key, key_len) &&
         EVP_EncryptInit_ex2(ctx, cipher, key, iv, NULL) == 1 &&
         EVP_EncryptUpdate(ctx, data, &n, data, (int)len) == 1 &&
         (size_t)n == len;
    OPENSSL_cleanse(key, sizeof(key));
    EVP_CIPHER_free(cipher);
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* The HMAC over what is encrypted and the Name. */
static bool integrity(const struct wrap *w, const uint8_t *data, size_t len,
                      uint8_t *mac)
{
    const struct devid_hash *hash = w->to->hash;
    uint8_t both[sizeof(TPM2B_DIGEST) + sizeof(TPM2B_SENSITIVE) +
                 sizeof(w->to->name->name)];
    uint8_t key[EVP_MAX_MD_SIZE];
    size_t n = 0;
    bool ok;

    memcpy(both, data, len);
    memcpy(both + len, w->to->name->name, w->to->name->size);
    ok = kdf_a(w, "INTEGRITY", NULL, key, hash->len) &&
         EVP_Q_mac(w->to->libctx, "HMAC", DEVID_PROPQ, hash->name, NULL, key,
                   hash->len, both, len + w->to->name->size, mac, hash->len,
                   &n) != NULL &&
         n == hash->len;
    OPENSSL_cleanse(key, sizeof(key));
    return ok;
}

enum devid_err tpm2_protect(const struct tpm2_protection *to,
                            const uint8_t *plain, size_t plain_len,
                            struct tpm2_protected *out, struct devid_error *err)
{
    size_t hash_len = to->hash->len;
    uint8_t *encrypted = out->data + 2 + hash_len;
    struct wrap w = {.to = to};
    enum devid_err e;

    out->len = 2 + hash_len + plain_len;
    if (out->len > sizeof(out->data))
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "%zu bytes are too many to be wrapped for a TPM",
                          plain_len);
    e = tpm2_seed_make(to, &w.seed, err);
    if (e != DEVID_OK)
        return e;
    out->data[0] = (uint8_t)(hash_len >> 8);
    out->data[1] = (uint8_t)hash_len;
    out->seed = w.seed.encrypted;
    memcpy(encrypted, plain, plain_len);
    devid_quiet_begin();
    if (!encrypt(&w, encrypted, plain_len) ||
        !integrity(&w, encrypted, plain_len, out->data + 2)) {
        OPENSSL_cleanse(out, sizeof(*out)); /* not encrypted, maybe */
        e = devid_fail(err, DEVID_ERR_SYSTEM, 0,
                       "OpenSSL does not encrypt for the TPM");
    }
    devid_quiet_end();
    OPENSSL_cleanse(&w, sizeof(w));
    return e;
}
