/* SPDX-License-Identifier: Apache-2.0 */
/* OAEP, removed. Source: RFC 8017, 7.1.2. */
#include "constant_time.h"
#include "eme.h"
#include "libcrypto.h"
#include "mgf1.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string.h>

enum devid_err devid_eme_bad_padding(struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "this is no ciphertext for this key with this padding: "
                      "it was made for another key, with another padding, "
                      "hash or label, or is damaged");
}

struct oaep {
    EVP_MD_CTX *ctx;
    EVP_MD *hash;
    EVP_MD *mgf1;
    uint8_t label[EVP_MAX_MD_SIZE];
};

static enum devid_err oaep_prepare(struct oaep *oaep,
                                   const struct devid_eme *eme,
                                   struct devid_error *err)
{
    const struct devid_ciphertext *c = eme->c;
    const struct devid_hash *mgf1 = c->mgf1 != NULL ? c->mgf1 : c->hash;

    oaep->hash = EVP_MD_fetch(eme->libctx, c->hash->name, DEVID_PROPQ);
    oaep->mgf1 = EVP_MD_fetch(eme->libctx, mgf1->name, DEVID_PROPQ);
    if (oaep->hash == NULL || oaep->mgf1 == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "no provider of OpenSSL offers the hash %s",
                          oaep->hash == NULL ? c->hash->name : mgf1->name);
    oaep->ctx = EVP_MD_CTX_new();
    if (oaep->ctx == NULL ||
        EVP_DigestInit_ex2(oaep->ctx, oaep->hash, NULL) != 1 ||
        EVP_DigestUpdate(oaep->ctx, c->label, c->label_len) != 1 ||
        EVP_DigestFinal_ex(oaep->ctx, oaep->label, NULL) != 1)
        return devid_no_memory(err);
    return DEVID_OK;
}

/* `em` is EM of RFC 8017; its masks come off in place. */
static enum devid_err oaep_decode(const struct oaep *oaep,
                                  const struct devid_eme *eme, uint8_t *em,
                                  struct devid_plaintext *plain,
                                  struct devid_error *err)
{
    const struct devid_mgf1 mgf1 = {.ctx = oaep->ctx, .hash = oaep->mgf1};
    size_t hash_len = eme->c->hash->len;
    size_t db_len = eme->c->len - hash_len - 1;
    uint8_t *seed = em + 1;
    uint8_t *db = seed + hash_len;
    uint32_t good;
    uint32_t found = 0;
    uint32_t at = 0;

    if (!devid_mgf1_xor(&mgf1, db, db_len, seed, hash_len) ||
        !devid_mgf1_xor(&mgf1, seed, hash_len, db, db_len))
        return devid_no_memory(err);
    good = is_zero(em[0]) &
           is_zero((uint32_t)CRYPTO_memcmp(db, oaep->label, hash_len));
    for (uint32_t i = (uint32_t)hash_len; i < db_len; i++) {
        uint32_t one = is_equal(db[i], 1);

        at = choose(~found & one, i, at);
        good &= found | one | is_zero(db[i]);
        found |= one;
    }
    if ((good & found) == 0)
        return devid_eme_bad_padding(err);
    plain->len = db_len - at - 1;
    memcpy(plain->data, db + at + 1, plain->len);
    return DEVID_OK;
}

enum devid_err devid_eme_oaep(const struct devid_eme *eme, const uint8_t *block,
                              struct devid_plaintext *plain,
                              struct devid_error *err)
{
    struct oaep oaep = {0};
    uint8_t em[DEVID_MODULUS_MAX];
    enum devid_err e;

    memcpy(em, block, eme->c->len);
    devid_quiet_begin();
    e = oaep_prepare(&oaep, eme, err);
    if (e == DEVID_OK)
        e = oaep_decode(&oaep, eme, em, plain, err);
    EVP_MD_CTX_free(oaep.ctx);
    EVP_MD_free(oaep.hash);
    EVP_MD_free(oaep.mgf1);
    devid_quiet_end();
    OPENSSL_cleanse(em, sizeof(em));
    return e;
}
