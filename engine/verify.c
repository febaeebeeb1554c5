/* SPDX-License-Identifier: Apache-2.0 */
/* Verification in software. */
#include "verify.h"
#include "backend.h"
#include "libcrypto.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <string.h>

static enum devid_err setup_pkcs1(EVP_PKEY_CTX *ctx, const EVP_MD *hash)
{
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
        return DEVID_ERR_ALG;
    return hash == NULL || EVP_PKEY_CTX_set_signature_md(ctx, hash) == 1
               ? DEVID_OK
               : DEVID_ERR_ALG;
}

static enum devid_err setup_pss(EVP_PKEY_CTX *ctx, const EVP_MD *hash,
                                const EVP_MD *mgf1, size_t salt_len)
{
    return hash != NULL && mgf1 != NULL && salt_len <= DEVID_MODULUS_MAX &&
                   EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) ==
                       1 &&
                   EVP_PKEY_CTX_set_signature_md(ctx, hash) == 1 &&
                   EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf1) == 1 &&
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)salt_len) == 1
               ? DEVID_OK
               : DEVID_ERR_ALG;
}

/* Fetch what the scheme names, and set it. */
static enum devid_err setup(EVP_PKEY_CTX *ctx, OSSL_LIB_CTX *libctx,
                            const struct devid_tbs *tbs)
{
    const struct devid_hash *h = tbs->hash;
    const struct devid_hash *m = tbs->mgf1 != NULL ? tbs->mgf1 : h;
    EVP_MD *hash = NULL;
    EVP_MD *mgf1 = NULL;
    enum devid_err e = DEVID_ERR_ALG;

    if (EVP_PKEY_verify_init(ctx) != 1)
        return DEVID_ERR_ALG;
    if (h != NULL)
        hash = EVP_MD_fetch(libctx, h->name, DEVID_PROPQ);
    if (m != NULL)
        mgf1 = EVP_MD_fetch(libctx, m->name, DEVID_PROPQ);
    switch (tbs->scheme) {
    case DEVID_ECDSA:
        /* Without a hash OpenSSL takes a digest of any length. */
        e = DEVID_OK;
        break;
    case DEVID_RSA_PKCS1:
        if (h == NULL || hash != NULL)
            e = setup_pkcs1(ctx, hash);
        break;
    case DEVID_RSA_PSS:
        e = setup_pss(ctx, hash, mgf1, tbs->salt_len);
        break;
    case DEVID_EDDSA: /* verify_message's */
        break;
    }
    EVP_MD_free(hash);
    EVP_MD_free(mgf1);
    return e;
}

static enum devid_err verify(EVP_PKEY *pkey, OSSL_LIB_CTX *libctx,
                             const struct devid_tbs *tbs, const uint8_t *sig,
                             size_t len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, pkey, DEVID_PROPQ);
    enum devid_err e;

    if (ctx == NULL)
        return DEVID_ERR_SYSTEM;
    e = setup(ctx, libctx, tbs);
    if (e == DEVID_OK &&
        EVP_PKEY_verify(ctx, sig, len, tbs->digest, tbs->digest_len) != 1)
        e = DEVID_ERR_WRONG_KEY;
    EVP_PKEY_CTX_free(ctx);
    return e;
}

/* What has no digest is verified in one go. */
static enum devid_err verify_message(EVP_PKEY *pkey, OSSL_LIB_CTX *libctx,
                                     const struct devid_tbs *tbs,
                                     const struct devid_sig *sig)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    enum devid_err e = DEVID_OK;

    if (ctx == NULL || EVP_DigestVerifyInit_ex(ctx, NULL, NULL, libctx,
                                               DEVID_PROPQ, pkey, NULL) != 1)
        e = DEVID_ERR_SYSTEM;
    else if (EVP_DigestVerify(ctx, sig->data, sig->len, tbs->digest,
                              tbs->digest_len) != 1)
        e = DEVID_ERR_WRONG_KEY;
    EVP_MD_CTX_free(ctx);
    return e;
}

static enum devid_err say(enum devid_err e, const struct devid_tbs *tbs,
                          struct devid_error *err)
{
    if (e == DEVID_ERR_WRONG_KEY) {
        return devid_fail(err, e, 0,
                          "the signature does not verify with this public key: "
                          "another key made it, or over other data");
    }
    if (e == DEVID_ERR_ALG) {
        return devid_fail(err, e, 0,
                          "OpenSSL cannot verify such a signature (hash %s)",
                          tbs->hash != NULL ? tbs->hash->name : "none");
    }
    return devid_no_memory(err);
}

enum devid_err devid_verify_with(EVP_PKEY *pkey, OSSL_LIB_CTX *libctx,
                                 const struct devid_tbs *tbs,
                                 const struct devid_sig *sig,
                                 struct devid_error *err)
{
    bool is_ec = tbs->scheme == DEVID_ECDSA;
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e = DEVID_OK;

    if (is_ec)
        e = devid_ecdsa_to_der(sig, &der, &len, err);
    if (e != DEVID_OK)
        return e;
    devid_quiet_begin();
    e = tbs->scheme == DEVID_EDDSA
            ? verify_message(pkey, libctx, tbs, sig)
            : verify(pkey, libctx, tbs, is_ec ? der : sig->data,
                     is_ec ? len : sig->len);
    devid_quiet_end();
    OPENSSL_free(der);
    return e == DEVID_OK ? DEVID_OK : say(e, tbs, err);
}

enum devid_err devid_verify(const struct devid_public *pub,
                            OSSL_LIB_CTX *libctx, const struct devid_tbs *tbs,
                            const struct devid_sig *sig,
                            struct devid_error *err)
{
    EVP_PKEY *pkey = NULL;
    enum devid_err e;

    if ((devid_key_kind(pub->type)->schemes & 1u << tbs->scheme) == 0)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "the signature's scheme does not fit the key's type");
    if (sig->len != devid_signature_len(pub))
        return say(DEVID_ERR_WRONG_KEY, tbs, err);
    e = devid_public_to_pkey(pub, libctx, &pkey, err);
    if (e == DEVID_OK)
        e = devid_verify_with(pkey, libctx, tbs, sig, err);
    EVP_PKEY_free(pkey);
    return e;
}

static bool power(EVP_PKEY *pkey, OSSL_LIB_CTX *libctx, const uint8_t *block,
                  uint8_t *out, size_t len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, pkey, DEVID_PROPQ);
    size_t out_len = len;
    bool ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
              EVP_PKEY_encrypt(ctx, out, &out_len, block, len) == 1 &&
              out_len == len;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

enum devid_err devid_verify_power(const struct devid_public *pub,
                                  OSSL_LIB_CTX *libctx,
                                  const struct devid_ciphertext *c,
                                  const uint8_t *block, struct devid_error *err)
{
    uint8_t number[DEVID_MODULUS_MAX];
    EVP_PKEY *pkey = NULL;
    enum devid_err e = devid_public_to_pkey(pub, libctx, &pkey, err);
    bool ok;

    if (e != DEVID_OK)
        return e;
    devid_quiet_begin();
    /* A block as large as the modulus has no power: it is another key's. */
    ok = power(pkey, libctx, block, number, c->len) &&
         memcmp(number, c->data, c->len) == 0;
    devid_quiet_end();
    EVP_PKEY_free(pkey);
    if (ok)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "what was decrypted does not fit the public key");
}
