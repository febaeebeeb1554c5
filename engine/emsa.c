/* SPDX-License-Identifier: Apache-2.0 */
#include "emsa.h"
#include "backend.h"
#include "libcrypto.h"
#include "mgf1.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <string.h>

/* ---- PKCS #1 v1.5 ---- */

static int encode_digest_info(const struct devid_tbs *tbs, uint8_t **der)
{
    X509_SIG *info = X509_SIG_new();
    X509_ALGOR *algorithm = NULL;
    ASN1_OCTET_STRING *digest = NULL;
    int len = 0;

    if (info == NULL)
        return 0;
    X509_SIG_getm(info, &algorithm, &digest);
    if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(tbs->hash->nid), V_ASN1_NULL,
                        NULL) == 1 &&
        ASN1_OCTET_STRING_set(digest, tbs->digest, (int)tbs->digest_len) == 1)
        len = i2d_X509_SIG(info, der);
    X509_SIG_free(info);
    return len > 0 ? len : 0;
}

enum devid_err devid_digest_info(const struct devid_tbs *tbs, uint8_t *out,
                                 size_t *len, struct devid_error *err)
{
    uint8_t *der = NULL;
    int n;

    *len = 0;
    if (tbs->digest_len > EVP_MAX_MD_SIZE)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "a digest of %zu bytes is longer than any hash's",
                          tbs->digest_len);
    if (tbs->hash == NULL || tbs->hash->nid == NID_md5_sha1) {
        memcpy(out, tbs->digest, tbs->digest_len);
        *len = tbs->digest_len;
        return DEVID_OK;
    }
    devid_quiet_begin();
    n = encode_digest_info(tbs, &der);
    devid_quiet_end();
    if (n <= 0 || n > DEVID_DIGEST_INFO_MAX) {
        OPENSSL_free(der);
        return devid_no_memory(err);
    }
    memcpy(out, der, (size_t)n);
    *len = (size_t)n;
    OPENSSL_free(der);
    return DEVID_OK;
}

enum devid_err devid_emsa_pkcs1(const struct devid_tbs *tbs,
                                unsigned modulus_bits, uint8_t *block,
                                struct devid_error *err)
{
    size_t size = (modulus_bits + 7) / 8;
    uint8_t info[DEVID_DIGEST_INFO_MAX];
    const uint8_t *data = info;
    size_t len = 0;
    enum devid_err e = DEVID_OK;

    if (tbs->hash == NULL) {
        /* Whatever the caller has: it may be longer than a digest. */
        data = tbs->digest;
        len = tbs->digest_len;
    } else {
        e = devid_digest_info(tbs, info, &len, err);
    }
    if (e != DEVID_OK)
        return e;
    if (size < 11 || len > size - 11) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "an RSA key of %u bits is too small for a PKCS#1 "
                          "signature over %zu bytes",
                          modulus_bits, len);
    }
    block[0] = 0;
    block[1] = 1;
    memset(block + 2, 0xff, size - len - 3);
    block[size - len - 1] = 0;
    memcpy(block + size - len, data, len);
    return DEVID_OK;
}

/* ---- PSS ---- */

struct pss {
    EVP_MD_CTX *ctx;
    EVP_MD *hash;
    EVP_MD *mgf1;
    size_t hash_len;
    size_t salt_len;
    uint8_t salt[DEVID_MODULUS_MAX];
};

static void pss_clear(struct pss *pss)
{
    EVP_MD_CTX_free(pss->ctx);
    EVP_MD_free(pss->hash);
    EVP_MD_free(pss->mgf1);
}

static enum devid_err pss_prepare(struct pss *pss, OSSL_LIB_CTX *libctx,
                                  const struct devid_tbs *tbs,
                                  const uint8_t *salt, struct devid_error *err)
{
    const struct devid_hash *mgf1 = tbs->mgf1 != NULL ? tbs->mgf1 : tbs->hash;

    pss->hash = EVP_MD_fetch(libctx, tbs->hash->name, DEVID_PROPQ);
    pss->mgf1 = EVP_MD_fetch(libctx, mgf1->name, DEVID_PROPQ);
    if (pss->hash == NULL || pss->mgf1 == NULL) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "no provider of OpenSSL offers the hash %s",
                          pss->hash == NULL ? tbs->hash->name : mgf1->name);
    }
    pss->ctx = EVP_MD_CTX_new();
    if (pss->ctx == NULL)
        return devid_no_memory(err);
    pss->hash_len = tbs->hash->len;
    pss->salt_len = tbs->salt_len;
    if (tbs->salt_len == 0)
        return DEVID_OK;
    if (salt != NULL) {
        memcpy(pss->salt, salt, tbs->salt_len);
    } else if (RAND_bytes_ex(libctx, pss->salt, tbs->salt_len, 0) != 1) {
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "OpenSSL gives no random numbers for a PSS salt");
    }
    return DEVID_OK;
}

/* H = Hash(eight zeros || digest || salt) */
static int pss_hash(struct pss *pss, const struct devid_tbs *tbs, uint8_t *h)
{
    static const uint8_t zeros[8];

    return EVP_DigestInit_ex2(pss->ctx, pss->hash, NULL) == 1 &&
           EVP_DigestUpdate(pss->ctx, zeros, sizeof(zeros)) == 1 &&
           EVP_DigestUpdate(pss->ctx, tbs->digest, tbs->digest_len) == 1 &&
           EVP_DigestUpdate(pss->ctx, pss->salt, pss->salt_len) == 1 &&
           EVP_DigestFinal_ex(pss->ctx, h, NULL) == 1;
}

/* `em` is EM of RFC 8017, of em_len bytes. */
static int pss_encode(struct pss *pss, const struct devid_tbs *tbs,
                      unsigned em_bits, uint8_t *em, size_t em_len)
{
    const struct devid_mgf1 mgf1 = {.ctx = pss->ctx, .hash = pss->mgf1};
    size_t db_len = em_len - pss->hash_len - 1;
    uint8_t *h = em + db_len;

    memset(em, 0, db_len);
    em[db_len - pss->salt_len - 1] = 1;
    memcpy(em + db_len - pss->salt_len, pss->salt, pss->salt_len);
    if (!pss_hash(pss, tbs, h) ||
        !devid_mgf1_xor(&mgf1, h, pss->hash_len, em, db_len))
        return 0;
    em[0] &= (uint8_t)(0xff >> (8 * em_len - em_bits));
    em[em_len - 1] = 0xbc;
    return 1;
}

enum devid_err devid_emsa_pss(OSSL_LIB_CTX *libctx, const struct devid_tbs *tbs,
                              const uint8_t *salt, unsigned modulus_bits,
                              uint8_t *block, struct devid_error *err)
{
    unsigned em_bits = modulus_bits - 1;
    size_t em_len = (em_bits + 7) / 8;
    size_t size = (modulus_bits + 7) / 8;
    struct pss pss = {0};
    enum devid_err e;

    if (tbs->hash == NULL || tbs->hash->len != tbs->digest_len)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "an RSA-PSS signature needs a hash and its digest");
    if (modulus_bits == 0 || size > DEVID_MODULUS_MAX ||
        tbs->salt_len > em_len || em_len < tbs->hash->len + tbs->salt_len + 2) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "an RSA key of %u bits has no room for PSS with %s "
                          "and a salt of %zu bytes",
                          modulus_bits, tbs->hash->name, tbs->salt_len);
    }
    devid_quiet_begin();
    e = pss_prepare(&pss, libctx, tbs, salt, err);
    if (e == DEVID_OK) {
        /* One byte before EM where em_bits is a multiple of eight. */
        block[0] = 0;
        if (!pss_encode(&pss, tbs, em_bits, block + size - em_len, em_len))
            e = devid_fail(err, DEVID_ERR_SYSTEM, 0,
                           "OpenSSL cannot hash for a PSS signature");
    }
    pss_clear(&pss);
    devid_quiet_end();
    return e;
}

/* ---- ECDSA ---- */

bool devid_ecdsa_fit_digest(const uint8_t *digest, size_t len,
                            size_t coordinate_len, uint8_t out[64],
                            size_t *out_len)
{
    static const size_t sizes[] = {32, 48, 64};
    size_t i;

    *out_len = 0;
    /* The order of P-256 and P-384 fills its bytes: bits are bytes there. */
    if (len > coordinate_len)
        len = coordinate_len;
    if (len == 0)
        return false;
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (len <= sizes[i]) {
            memset(out, 0, sizes[i] - len);
            memcpy(out + sizes[i] - len, digest, len);
            *out_len = sizes[i];
            return true;
        }
    }
    return false;
}

bool devid_ecdsa_refit_digest(uint8_t digest[64], size_t *len,
                              size_t coordinate_len, size_t wanted)
{
    size_t whole = wanted < coordinate_len ? wanted : coordinate_len;

    if (*len > whole)
        return *len == wanted;
    /* Zeros before the integer up to its curve's length, behind it from there
     * on: those a signer cuts off. */
    memmove(digest + whole - *len, digest, *len);
    memset(digest, 0, whole - *len);
    memset(digest + whole, 0, wanted - whole);
    *len = wanted;
    return true;
}
