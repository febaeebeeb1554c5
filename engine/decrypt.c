/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a key does beside signing: decrypt and agree on secrets. The device
 * gives the power of a ciphertext, or a message where it insists; padding is
 * removed here.
 */
#include "key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string.h>

static enum devid_err check_may(const struct devid_key *key,
                                struct devid_error *err)
{
    enum devid_err e = devid_key_check_use(key, err);

    if (e == DEVID_OK && !key->limits.learnt_later && !key->limits.decrypt)
        return devid_fail_signs_only(err, 0);
    return e;
}

/*
 * A number as long as the modulus, and smaller. Some programs leave zeros at
 * its beginning out.
 */
static enum devid_err fit(const struct devid_key *key,
                          const struct devid_ciphertext *c,
                          uint8_t number[DEVID_MODULUS_MAX],
                          struct devid_error *err)
{
    size_t len = key->pub.coordinate_len;

    if (c->len == 0 || c->len > len)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "a ciphertext for this key has %zu bytes, not %zu",
                          len, c->len);
    memset(number, 0, len - c->len);
    memcpy(number + len - c->len, c->data, c->len);
    if (memcmp(number, key->pub.modulus, len) < 0)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "this is no ciphertext for this key: it is a number as "
                      "large as the key's modulus or larger");
}

enum devid_err devid_key_decrypt(struct devid_key *key,
                                 const struct devid_ciphertext *c,
                                 struct devid_plaintext *plain,
                                 struct devid_error *err)
{
    uint8_t number[DEVID_MODULUS_MAX];
    struct devid_ciphertext fitted = *c;
    const struct devid_eme eme = {.libctx = devid_key_libctx(key),
                                  .secret = key->eme_secret,
                                  .c = &fitted};
    struct devid_block block = {.state = DEVID_BLOCK_PADDED};
    enum devid_err e;

    plain->len = 0;
    if (key->pub.type != DEVID_KEY_RSA)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "only an RSA key decrypts, and this is none");
    e = check_may(key, err);
    if (e == DEVID_OK)
        e = fit(key, c, number, err);
    if (e != DEVID_OK)
        return e;
    fitted.data = number;
    fitted.len = key->pub.coordinate_len;
    e = devid_eme_check(&fitted, err);
    if (e == DEVID_OK)
        e = key->be->decrypt(key->private_key, &fitted, &block, err);
    if (e == DEVID_OK)
        e = devid_eme_decode(&eme, &block, plain, err);
    OPENSSL_cleanse(&block, sizeof(block));
    if (e != DEVID_OK) {
        OPENSSL_cleanse(plain, sizeof(*plain));
        plain->len = 0;
    }
    return e;
}

static enum devid_err check_peer(const struct devid_key *key,
                                 const struct devid_public *peer,
                                 struct devid_error *err)
{
    EVP_PKEY *pkey = NULL;
    enum devid_err e;

    if (key->pub.type != DEVID_KEY_EC)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "only an EC key agrees on secrets, and this is none");
    if (peer->type != DEVID_KEY_EC || peer->alg != key->pub.alg)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "this key is on the curve %s, and the peer's is %s",
                          key->pub.alg->curve,
                          peer->type == DEVID_KEY_EC && peer->alg != NULL
                              ? peer->alg->curve
                              : "no EC key");
    /* A point off its curve would draw the private key out, bit by bit. */
    e = devid_public_to_pkey(peer, devid_key_libctx(key), &pkey, err);
    EVP_PKEY_free(pkey);
    return e;
}

enum devid_err devid_key_derive(struct devid_key *key,
                                const struct devid_public *peer,
                                struct devid_shared *shared,
                                struct devid_error *err)
{
    enum devid_err e;

    shared->len = 0;
    e = check_peer(key, peer, err);
    if (e == DEVID_OK)
        e = check_may(key, err);
    if (e == DEVID_OK)
        e = key->be->derive(key->private_key, peer, shared, err);
    if (e == DEVID_OK) {
        shared->len = key->pub.coordinate_len;
    } else {
        OPENSSL_cleanse(shared, sizeof(*shared));
        shared->len = 0;
    }
    return e;
}
