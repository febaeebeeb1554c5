/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures with a hardware key, and a look at them before they leave. */
#include "algorithm.h"
#include "key.h"
#include "verify.h"

#include <openssl/evp.h>

#define TRIES 2 /* until a signature is right */

/* Can this key make this signature at all? Asked before any device is. */
static enum devid_err check_tbs(const struct devid_key *key,
                                const struct devid_tbs *tbs,
                                struct devid_error *err)
{
    bool is_rsa = devid_key_kind(key->pub.type)->is_rsa;
    enum devid_err e = devid_scheme_check(&key->pub, tbs, err);

    if (e != DEVID_OK)
        return e;
    if (tbs->hash == NULL && tbs->scheme == DEVID_RSA_PSS)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "an RSA-PSS signature needs the name of its hash");
    if (tbs->hash != NULL && tbs->hash->len != tbs->digest_len) {
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "a digest of %zu bytes is no %s digest (%zu bytes)",
                          tbs->digest_len, tbs->hash->name, tbs->hash->len);
    }
    if (tbs->digest_len == 0 && tbs->scheme != DEVID_EDDSA)
        return devid_fail(err, DEVID_ERR_USAGE, 0, "there is nothing to sign");
    /* An RSA key that may only decrypt signs as well: the back end pads. */
    if (!key->limits.restricted && !key->limits.sign &&
        (!is_rsa || !key->limits.decrypt)) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "this key has no sign attribute: it was made for "
                          "something else");
    }
    return devid_key_check_use(key, err);
}

/* The public key, to verify with: made once, whichever thread comes first. */
static enum devid_err verifier_of(struct devid_key *key, EVP_PKEY **verifier,
                                  struct devid_error *err)
{
    EVP_PKEY *made = NULL;
    enum devid_err e;

    *verifier = atomic_load(&key->verifier);
    if (*verifier != NULL)
        return DEVID_OK;
    e = devid_public_to_pkey(&key->pub, devid_key_libctx(key), &made, err);
    if (e != DEVID_OK)
        return e;
    if (atomic_compare_exchange_strong(&key->verifier, verifier, made))
        *verifier = made;
    else
        EVP_PKEY_free(made);
    return DEVID_OK;
}

/*
 * One wrong RSA signature may give the private key away (Boneh, DeMillo and
 * Lipton), and looking costs little. An ECDSA signature is looked at where
 * another client of the device may have put its key in the place of ours.
 */
static bool to_be_checked(const struct devid_key *key,
                          const struct devid_sig *sig)
{
    return key->check_always || sig->doubtful ||
           devid_key_kind(key->pub.type)->is_rsa;
}

static enum devid_err check(struct devid_key *key, const struct devid_tbs *tbs,
                            const struct devid_sig *sig,
                            struct devid_error *err)
{
    EVP_PKEY *verifier = NULL;
    enum devid_err e = verifier_of(key, &verifier, err);

    if (e == DEVID_OK)
        e = devid_verify_with(verifier, devid_key_libctx(key), tbs, sig, err);
    /* Of a hash that OpenSSL is told not to verify nothing can be said. */
    return e == DEVID_ERR_ALG ? DEVID_OK : e;
}

enum devid_err devid_key_sign(struct devid_key *key,
                              const struct devid_tbs *tbs,
                              struct devid_sig *sig, struct devid_error *err)
{
    enum devid_err e;
    unsigned wrong = 0;

    sig->len = 0;
    sig->doubtful = false;
    e = check_tbs(key, tbs, err);
    if (e != DEVID_OK)
        return e;
    do {
        e = key->be->sign(key->private_key, tbs, sig, err);
        if (e != DEVID_OK || !to_be_checked(key, sig))
            break;
        e = check(key, tbs, sig, err);
    } while (e == DEVID_ERR_WRONG_KEY && ++wrong < TRIES);
    if (wrong == TRIES)
        e = devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                       "the %s signed twice, and neither signature fits the "
                       "key's public half: they were thrown away. Either it "
                       "is faulty, or something between it and devid changes "
                       "its answers",
                       key->be->name);
    if (e != DEVID_OK)
        sig->len = 0;
    return e;
}
