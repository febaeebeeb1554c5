/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encryption padding removed in software, in constant time: neither time nor
 * memory access tells whether padding was right before the caller is told.
 * Pure: no device, no key.
 */
#ifndef DEVID_EME_H
#define DEVID_EME_H

#include "backend.h"

#define DEVID_EME_SECRET_LEN 32

/*
 * A secret to make messages of where padding is wrong. OpenSSL 3.2 takes the
 * private exponent for this, which here is out of reach; a random number does
 * the same for as long as the key is open.
 * Returns DEVID_OK, DEVID_ERR_SYSTEM.
 */
DEVID_CHECK enum devid_err devid_eme_new_secret(OSSL_LIB_CTX *libctx,
                                                uint8_t *secret,
                                                struct devid_error *err);

/* What is needed to remove padding. All borrowed for the call. */
struct devid_eme {
    OSSL_LIB_CTX *libctx;             /* where hashes are fetched */
    const uint8_t *secret;            /* DEVID_EME_SECRET_LEN bytes */
    const struct devid_ciphertext *c; /* as long as the modulus */
};

/*
 * Can there be such a padding? Asked before any device is.
 * Returns DEVID_OK, DEVID_ERR_ALG (a modulus too small for it), _USAGE (OAEP
 * without a hash).
 */
DEVID_CHECK enum devid_err devid_eme_check(const struct devid_ciphertext *c,
                                           struct devid_error *err);

/*
 * The message in what a device made of a ciphertext. Where the device itself
 * has removed padding, it and not this code answers for how long that took.
 *
 * Returns DEVID_OK, DEVID_ERR_INPUT (OAEP: no such padding; PKCS#1 only where
 * tell_bad_padding is set), _ALG (a hash is not to be had), _SYSTEM.
 * Source: RFC 8017, 7.1.2 and 7.2.2; RFC 5246, 7.4.7.1;
 * draft-irtf-cfrg-rsa-guidance, 7.
 */
DEVID_CHECK enum devid_err devid_eme_decode(const struct devid_eme *eme,
                                            const struct devid_block *block,
                                            struct devid_plaintext *plain,
                                            struct devid_error *err);

/* oaep.c: from a block as long as the modulus. */
DEVID_CHECK enum devid_err devid_eme_oaep(const struct devid_eme *eme,
                                          const uint8_t *block,
                                          struct devid_plaintext *plain,
                                          struct devid_error *err);
/* DEVID_ERR_INPUT, with one sentence for whatever is wrong. */
enum devid_err devid_eme_bad_padding(struct devid_error *err);

#endif
