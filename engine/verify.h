/* SPDX-License-Identifier: Apache-2.0 */
/* Verification in software, beside devid_verify(). */
#ifndef DEVID_VERIFY_H
#define DEVID_VERIFY_H

#include "devid.h"

/*
 * devid_verify() with a public key that was made before, and a signature whose
 * scheme and length fit it.
 */
DEVID_CHECK enum devid_err devid_verify_with(EVP_PKEY *pkey,
                                             OSSL_LIB_CTX *libctx,
                                             const struct devid_tbs *tbs,
                                             const struct devid_sig *sig,
                                             struct devid_error *err);

/*
 * Is a block, raised to the public exponent, the ciphertext that it is said to
 * be the decryption of?
 *
 * block  as long as the modulus, as is the ciphertext
 *
 * Returns DEVID_OK, DEVID_ERR_WRONG_KEY, _SYSTEM.
 */
DEVID_CHECK enum devid_err devid_verify_power(const struct devid_public *pub,
                                              OSSL_LIB_CTX *libctx,
                                              const struct devid_ciphertext *c,
                                              const uint8_t *block,
                                              struct devid_error *err);

#endif
