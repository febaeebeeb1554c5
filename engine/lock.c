/* SPDX-License-Identifier: Apache-2.0 */
/* Values for a device's authorisations, and their way to who keeps them. */
#include "lock.h"
#include "backend.h"
#include "libcrypto.h"
#include "secret.h"

#include <stdio.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

enum {
    RANDOM_LEN = 24, /* of each value: 192 bits */
    VALUE_LEN = 32   /* the same in base64 */
};

static const char *const names[DEVID_LOCK_COUNT] = {"owner", "endorsement",
                                                    "lockout"};

enum devid_err devid_lock_new(struct devid_lock **lock, struct devid_error *err)
{
    *lock = OPENSSL_zalloc(sizeof(**lock));
    return *lock == NULL ? devid_no_memory(err) : DEVID_OK;
}

void devid_lock_free(struct devid_lock **lock)
{
    struct devid_lock *self = *lock;

    *lock = NULL;
    if (self == NULL)
        return;
    for (int i = 0; i < DEVID_LOCK_COUNT; i++)
        devid_secret_free(&self->values[i]);
    OPENSSL_free(self);
}

unsigned devid_lock_values(const struct devid_lock *lock)
{
    return lock->ours;
}

unsigned devid_lock_pending(const struct devid_lock *lock)
{
    return lock->ours & ~lock->set;
}

/* ---- values ------------------------------------------------------------ */

enum devid_err devid_lock_seed_make(unsigned ours,
                                    uint8_t seed[DEVID_LOCK_SEED_LEN],
                                    struct devid_error *err)
{
    seed[0] = (uint8_t)ours;
    if (RAND_priv_bytes(seed + 1, DEVID_LOCK_SEED_LEN - 1) == 1)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                      "OpenSSL has no random numbers for authorisations");
}

static enum devid_err derive(const uint8_t seed[DEVID_LOCK_SEED_LEN],
                             const char *name, struct devid_secret **value,
                             struct devid_error *err)
{
    uint8_t random[EVP_MAX_MD_SIZE];
    uint8_t text[VALUE_LEN + 1];
    unsigned len = 0;
    enum devid_err e;

    if (HMAC(EVP_sha256(), seed + 1, DEVID_LOCK_SEED_LEN - 1,
             (const uint8_t *)name, strlen(name), random, &len) == NULL ||
        len < RANDOM_LEN)
        return devid_no_memory(err);
    (void)EVP_EncodeBlock(text, random, RANDOM_LEN);
    e = devid_secret_new(text, VALUE_LEN, value, err);
    OPENSSL_cleanse(random, sizeof(random));
    OPENSSL_cleanse(text, sizeof(text));
    return e;
}

bool devid_lock_seed_fits(const struct devid_lock *lock,
                          const uint8_t seed[DEVID_LOCK_SEED_LEN])
{
    const unsigned ours = seed[0];
    const unsigned pending = ours & ~lock->set;
    const unsigned next = pending & (~pending + 1); /* they go by their bits */

    return ours != 0 && (ours | lock->set) == DEVID_LOCK_ALL &&
           (pending == 0 || (ours & lock->set) < next);
}

enum devid_err devid_lock_seed_take(struct devid_lock *lock,
                                    const uint8_t seed[DEVID_LOCK_SEED_LEN],
                                    struct devid_error *err)
{
    lock->ours = seed[0];
    for (unsigned i = 0; i < DEVID_LOCK_COUNT; i++) {
        enum devid_err e = DEVID_OK;

        devid_secret_free(&lock->values[i]);
        if ((lock->ours & 1u << i) != 0)
            e = derive(seed, names[i], &lock->values[i], err);
        if (e != DEVID_OK)
            return e;
    }
    return DEVID_OK;
}

/* ---- wrapped ------------------------------------------------------------- */

/* An object of JSON; a serial number of the TCG's request is printable. */
static bool put_text(const struct devid_lock *lock, const char *serial,
                     BIO *out)
{
    bool ok = BIO_puts(out, "{\"serial\": \"") > 0;

    for (; ok && *serial != '\0'; serial++) {
        if (*serial == '"' || *serial == '\\')
            ok = BIO_write(out, "\\", 1) == 1;
        ok = ok && BIO_write(out, serial, 1) == 1;
    }
    ok = ok && BIO_puts(out, "\"") > 0;
    for (int i = 0; ok && i < DEVID_LOCK_COUNT; i++) {
        const struct devid_secret *value = lock->values[i];

        if (value != NULL)
            ok = BIO_printf(out, ", \"%s\": \"", names[i]) > 0 &&
                 BIO_write(out, devid_secret_data(value),
                           (int)devid_secret_len(value)) > 0 &&
                 BIO_puts(out, "\"") > 0;
    }
    return ok && BIO_puts(out, "}\n") > 0;
}

/* PKCS#1 v1.5 is what CMS does where nothing is said. */
static bool use_oaep(CMS_RecipientInfo *recipient)
{
    EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(recipient);

    if (CMS_RecipientInfo_type(recipient) != CMS_RECIPINFO_TRANS)
        return true;
    return ctx != NULL &&
           EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0;
}

static CMS_ContentInfo *wrap(BIO *text, X509 *escrow)
{
    const unsigned flags = CMS_BINARY | CMS_PARTIAL;
    CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), flags);
    CMS_RecipientInfo *recipient =
        cms == NULL ? NULL
                    : CMS_add1_recipient_cert(cms, escrow, CMS_KEY_PARAM);

    if (recipient != NULL && use_oaep(recipient) &&
        CMS_final(cms, text, NULL, CMS_BINARY) == 1)
        return cms;
    CMS_ContentInfo_free(cms);
    return NULL;
}

enum devid_err devid_lock_wrap(const struct devid_lock *lock, X509 *escrow,
                               const char *serial, uint8_t **der, size_t *len,
                               struct devid_error *err)
{
    BIO *text = BIO_new(BIO_s_secmem()); /* wiped when it is freed */
    CMS_ContentInfo *cms = NULL;
    int encoded = -1;

    *der = NULL;
    *len = 0;
    if (text == NULL)
        return devid_no_memory(err);
    devid_quiet_begin();
    if (put_text(lock, serial, text))
        cms = wrap(text, escrow);
    if (cms != NULL)
        encoded = i2d_CMS_ContentInfo(cms, der);
    CMS_ContentInfo_free(cms);
    BIO_free(text);
    devid_quiet_end();
    if (encoded <= 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "one cannot encrypt to the key of the escrow "
                          "certificate: that takes RSA or EC, and a "
                          "certificate whose key usage allows it");
    *len = (size_t)encoded;
    return DEVID_OK;
}
