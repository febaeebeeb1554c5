/* SPDX-License-Identifier: Apache-2.0 */
#include "eme.h"
#include "constant_time.h"
#include "libcrypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <string.h>

#define PKCS1_OVERHEAD 11 /* 00 02, eight bytes at least, 00 */
#define TLS_SECRET_LEN 48 /* of a premaster secret: RFC 5246, 7.4.7.1 */
#define KDK_LEN 32        /* of HMAC with SHA-256 */
#define CANDIDATES 128    /* for the length of a synthetic message */
#define LABEL_MAX 7       /* "message" */

/* ---- what all paddings share ------------------------------------------ */

enum devid_err devid_eme_new_secret(OSSL_LIB_CTX *libctx, uint8_t *secret,
                                    struct devid_error *err)
{
    int ok;

    devid_quiet_begin();
    ok = RAND_priv_bytes_ex(libctx, secret, DEVID_EME_SECRET_LEN, 0);
    devid_quiet_end();
    return ok == 1 ? DEVID_OK
                   : devid_fail(err, DEVID_ERR_SYSTEM, 0,
                                "OpenSSL gives no random numbers for a secret "
                                "of the key");
}

static enum devid_err check_room(size_t modulus_len, size_t wanted,
                                 struct devid_error *err)
{
    if (modulus_len >= wanted)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_ALG, 0,
                      "an RSA key of %zu bytes is too small for this padding: "
                      "it takes %zu",
                      modulus_len, wanted);
}

static enum devid_err no_hmac(struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                      "OpenSSL computes no HMAC with SHA-256");
}

/* ---- PKCS #1 v1.5 ------------------------------------------------------ */

/* A message that stands in for one whose padding is wrong. */
struct synthetic {
    uint32_t len;
    uint8_t block[DEVID_MODULUS_MAX]; /* it is at the end */
};

static bool hmac(const struct devid_eme *eme, const uint8_t *key,
                 const uint8_t *data, size_t len, uint8_t out[KDK_LEN])
{
    size_t out_len = 0;

    return EVP_Q_mac(eme->libctx, "HMAC", DEVID_PROPQ, "SHA256", NULL, key,
                     KDK_LEN, data, len, out, KDK_LEN, &out_len) != NULL &&
           out_len == KDK_LEN;
}

static bool prf(const struct devid_eme *eme, const uint8_t kdk[KDK_LEN],
                const char *label, uint8_t *out, size_t len)
{
    size_t label_len = strlen(label);
    uint8_t input[2 + LABEL_MAX + 2];
    uint8_t part[KDK_LEN];
    bool ok = true;

    memcpy(input + 2, label, label_len);
    input[2 + label_len] = (uint8_t)(len * 8 >> 8);
    input[2 + label_len + 1] = (uint8_t)(len * 8);
    for (size_t done = 0; ok && done < len; done += sizeof(part)) {
        size_t n = len - done < sizeof(part) ? len - done : sizeof(part);

        input[0] = 0;
        input[1] = (uint8_t)(done / sizeof(part));
        ok = hmac(eme, kdk, input, 2 + label_len + 2, part);
        memcpy(out + done, part, n);
    }
    OPENSSL_cleanse(part, sizeof(part));
    return ok;
}

/* The last of the candidates that is not too long. */
static uint32_t choose_len(const uint8_t candidates[2 * CANDIDATES],
                           uint32_t max)
{
    uint32_t bits = max;
    uint32_t len = 0;

    for (unsigned shift = 1; shift < 16; shift *= 2)
        bits |= bits >> shift;
    for (size_t i = 0; i < CANDIDATES; i++) {
        uint32_t candidate =
            ((uint32_t)candidates[2 * i] << 8 | candidates[2 * i + 1]) & bits;

        len = choose(is_less(candidate, max + 1), candidate, len);
    }
    return len;
}

static bool synthesize(const struct devid_eme *eme, struct synthetic *synthetic)
{
    const struct devid_ciphertext *c = eme->c;
    uint8_t candidates[2 * CANDIDATES];
    uint8_t kdk[KDK_LEN];
    bool ok = hmac(eme, eme->secret, c->data, c->len, kdk) &&
              prf(eme, kdk, "length", candidates, sizeof(candidates)) &&
              prf(eme, kdk, "message", synthetic->block, c->len);

    if (ok)
        synthetic->len =
            choose_len(candidates, (uint32_t)(c->len - PKCS1_OVERHEAD));
    OPENSSL_cleanse(kdk, sizeof(kdk));
    OPENSSL_cleanse(candidates, sizeof(candidates));
    return ok;
}

/* All ones where the padding is right; *start is where the message begins. */
static uint32_t find_message(const uint8_t *block, size_t len, uint32_t *start)
{
    uint32_t good = is_zero(block[0]) & is_equal(block[1], 2);
    uint32_t found = 0;
    uint32_t at = 0;

    for (uint32_t i = 2; i < len; i++) {
        uint32_t zero = is_zero(block[i]);

        at = choose(~found & zero, i, at);
        found |= zero;
    }
    *start = at + 1;
    return good & found & ~is_less(at, 2 + 8);
}

static enum devid_err decode_pkcs1(const struct devid_eme *eme,
                                   const uint8_t *block,
                                   struct devid_plaintext *plain,
                                   struct devid_error *err)
{
    struct synthetic synthetic;
    uint32_t len = (uint32_t)eme->c->len;
    uint32_t start = 0;
    uint32_t good;

    if (!synthesize(eme, &synthetic))
        return no_hmac(err);
    good = block != NULL ? find_message(block, len, &start) : 0;
    start = choose(good, start, len - synthetic.len);
    for (uint32_t i = start, j = 0; i < len; i++, j++)
        plain->data[j] = (uint8_t)choose(good, block != NULL ? block[i] : 0,
                                         synthetic.block[i]);
    plain->len = len - start;
    OPENSSL_cleanse(&synthetic, sizeof(synthetic));
    return eme->c->tell_bad_padding && good == 0 ? devid_eme_bad_padding(err)
                                                 : DEVID_OK;
}

/* ---- the premaster secret of TLS --------------------------------------- */

static uint32_t is_version(const uint8_t *secret, uint16_t version)
{
    return is_equal(secret[0], version >> 8) &
           is_equal(secret[1], version & 0xff);
}

/* `good` says whether it is one in all but its version; else a random one. */
static enum devid_err take_premaster(const struct devid_eme *eme, uint32_t good,
                                     const uint8_t *secret,
                                     struct devid_plaintext *plain,
                                     struct devid_error *err)
{
    uint16_t negotiated = eme->c->tls_negotiated;
    int ok;

    devid_quiet_begin();
    ok = RAND_priv_bytes_ex(eme->libctx, plain->data, TLS_SECRET_LEN, 0);
    devid_quiet_end();
    if (ok != 1)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "OpenSSL gives no random numbers for a premaster "
                          "secret");
    good &= is_version(secret, eme->c->tls_version) |
            (~is_zero(negotiated) & is_version(secret, negotiated));
    for (size_t i = 0; i < TLS_SECRET_LEN; i++)
        plain->data[i] = (uint8_t)choose(good, secret[i], plain->data[i]);
    plain->len = TLS_SECRET_LEN;
    return DEVID_OK;
}

static enum devid_err decode_tls(const struct devid_eme *eme,
                                 const uint8_t *block,
                                 struct devid_plaintext *plain,
                                 struct devid_error *err)
{
    size_t len = eme->c->len;
    uint32_t start = 0;
    uint32_t good = find_message(block, len, &start);

    good &= is_equal(start, (uint32_t)(len - TLS_SECRET_LEN));
    return take_premaster(eme, good, block + len - TLS_SECRET_LEN, plain, err);
}

/* ---- for all ----------------------------------------------------------- */

enum devid_err devid_eme_check(const struct devid_ciphertext *c,
                               struct devid_error *err)
{
    switch (c->padding) {
    case DEVID_PAD_NONE:
        break;
    case DEVID_PAD_PKCS1:
        return check_room(c->len, PKCS1_OVERHEAD, err);
    case DEVID_PAD_TLS:
        return check_room(c->len, PKCS1_OVERHEAD + TLS_SECRET_LEN, err);
    case DEVID_PAD_OAEP:
        if (c->hash == NULL)
            return devid_fail(err, DEVID_ERR_USAGE, 0,
                              "OAEP needs the name of its hash");
        return check_room(c->len, 2 * c->hash->len + 2, err);
    }
    return DEVID_OK;
}

static enum devid_err decode_padded(const struct devid_eme *eme,
                                    const struct devid_block *block,
                                    struct devid_plaintext *plain,
                                    struct devid_error *err)
{
    switch (eme->c->padding) {
    case DEVID_PAD_NONE:
        break;
    case DEVID_PAD_PKCS1:
        return decode_pkcs1(eme, block->data, plain, err);
    case DEVID_PAD_TLS:
        return decode_tls(eme, block->data, plain, err);
    case DEVID_PAD_OAEP:
        return devid_eme_oaep(eme, block->data, plain, err);
    }
    memcpy(plain->data, block->data, block->len);
    plain->len = block->len;
    return DEVID_OK;
}

enum devid_err devid_eme_decode(const struct devid_eme *eme,
                                const struct devid_block *block,
                                struct devid_plaintext *plain,
                                struct devid_error *err)
{
    static const uint8_t nothing[TLS_SECRET_LEN];
    bool is_message = block->state == DEVID_BLOCK_MESSAGE;

    if (block->state == DEVID_BLOCK_PADDED)
        return decode_padded(eme, block, plain, err);
    if (eme->c->padding == DEVID_PAD_TLS) {
        is_message = is_message && block->len == TLS_SECRET_LEN;
        return take_premaster(eme, is_message ? ~0U : 0,
                              is_message ? block->data : nothing, plain, err);
    }
    if (is_message) {
        memcpy(plain->data, block->data, block->len);
        plain->len = block->len;
        return DEVID_OK;
    }
    return eme->c->padding == DEVID_PAD_PKCS1
               ? decode_pkcs1(eme, NULL, plain, err)
               : devid_eme_bad_padding(err);
}
