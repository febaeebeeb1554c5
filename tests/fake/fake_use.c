/* SPDX-License-Identifier: Apache-2.0 */
/* The fake's keys at work. */
#include "fake_device.h"
#include "support.h"

#include "secret.h"

#include <openssl/evp.h>

#include <string.h>

/* Can a TPM pad this by itself? */
static bool pads(const struct devid_tbs *tbs)
{
    static const char *const known[] = {"SHA1", "SHA256", "SHA384", "SHA512"};
    size_t i;

    if (tbs->scheme == DEVID_RSA_PSS &&
        (tbs->salt_len != tbs->digest_len ||
         (tbs->mgf1 != NULL && tbs->mgf1 != tbs->hash)))
        return false;
    for (i = 0; i < COUNT(known); i++) {
        if (tbs->hash == devid_hash_by_name(known[i]))
            return true;
    }
    return false;
}

/* As a TPM does: the auth value first, and a wrong one only once. */
static enum devid_err check_auth(const struct fake_attributes *attributes,
                                 struct devid_secret *auth,
                                 struct devid_error *err)
{
    size_t len = auth != NULL ? devid_secret_len(auth) : 0;

    if (len == attributes->auth_len &&
        (len == 0 ||
         memcmp(devid_secret_data(auth), attributes->auth, len) == 0))
        return DEVID_OK;
    if (auth != NULL)
        devid_secret_refuse(auth);
    return devid_fail(err, DEVID_ERR_AUTH, 0x9a2,
                      "the fake refused the auth value given for this key");
}

/* A copy of what lies at a handle, with a reference to its key. */
static enum devid_err read_slot(const struct fake_key *key,
                                struct fake_slot *slot, struct devid_error *err)
{
    const struct fake_slot *found;
    struct devid_public there;

    fake_lock();
    found = fake_find_slot(key->handle);
    if (found != NULL) {
        *slot = *found;
        assert_int_equal(EVP_PKEY_up_ref(slot->pkey), 1);
    }
    fake_unlock();
    if (found == NULL)
        return fake_no_such_handle(key->handle, err);
    software_public(slot->pkey, &there);
    if (devid_public_equal(&there, &key->pub))
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0, "another key lies at 0x%08x",
                      (unsigned)key->handle);
}

/*
 * What every use of a key begins with: the script's answer, then the key in
 * `slot` and its auth value. The caller frees slot->pkey.
 */
static enum devid_err acquire(const struct fake_key *key, unsigned *call,
                              struct fake_slot *slot, struct devid_error *err)
{
    enum devid_err e;

    if (key->auth != NULL && devid_secret_is_refused(key->auth))
        return devid_fail(err, DEVID_ERR_AUTH, 0,
                          "the fake refused this auth value before, so it is "
                          "not tried again");
    e = fake_answer(call, err);
    if (e != DEVID_OK)
        return e;
    if (key->handle != 0) {
        e = read_slot(key, slot, err);
    } else if (key->pkey == NULL) {
        e = devid_fail(err, DEVID_ERR_DEVICE, 0x1df,
                       "the fake does not load the key: it is damaged, or "
                       "of another device");
    } else {
        slot->attributes = key->attributes;
        slot->pkey = key->pkey;
        assert_int_equal(EVP_PKEY_up_ref(slot->pkey), 1);
    }
    return e != DEVID_OK ? e : check_auth(&slot->attributes, key->auth, err);
}

/* What the test said of signatures. */
static void spoil(struct devid_sig *sig)
{
    fake_lock();
    sig->doubtful = fake_device.doubtful;
    if (fake_device.spoilt > 0) {
        fake_device.spoilt--;
        sig->data[sig->len - 1] ^= 1;
    }
    fake_unlock();
}

enum devid_err fake_sign(void *key, const struct devid_tbs *tbs,
                         struct devid_sig *sig, struct devid_error *err)
{
    struct fake_slot slot = {0};
    enum devid_err e = acquire(key, &fake_device.calls.sign, &slot, err);

    sig->len = 1; /* sign.c must not hand on what a failure leaves */
    if (e == DEVID_OK &&
        (tbs->scheme == DEVID_RSA_PKCS1 || tbs->scheme == DEVID_RSA_PSS) &&
        !pads(tbs) && !slot.attributes.decrypt)
        e = devid_fail(err, DEVID_ERR_ALG, 0,
                       "the fake cannot pad this by itself: make the key "
                       "with --decrypt");
    if (e == DEVID_OK)
        software_sign(slot.pkey, tbs, sig);
    if (e == DEVID_OK)
        spoil(sig);
    EVP_PKEY_free(slot.pkey);
    return e;
}

enum devid_err fake_decrypt(void *key, const struct devid_ciphertext *c,
                            struct devid_block *block, struct devid_error *err)
{
    struct fake_slot slot = {0};
    enum devid_err e = acquire(key, &fake_device.calls.decrypt, &slot, err);

    block->len = 1;
    if (e == DEVID_OK && !slot.attributes.decrypt)
        e = devid_fail_signs_only(err, 0);
    if (e == DEVID_OK)
        software_power(slot.pkey, c, block);
    EVP_PKEY_free(slot.pkey);
    return e;
}

enum devid_err fake_derive(void *key, const struct devid_public *peer,
                           struct devid_shared *shared, struct devid_error *err)
{
    struct fake_slot slot = {0};
    enum devid_err e = acquire(key, &fake_device.calls.derive, &slot, err);

    if (e == DEVID_OK && !slot.attributes.decrypt)
        e = devid_fail_signs_only(err, 0);
    if (e == DEVID_OK)
        software_derive(slot.pkey, peer, shared);
    EVP_PKEY_free(slot.pkey);
    return e;
}
