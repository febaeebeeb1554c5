/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that were not made by devid in this TPM: taken over, or imported. */
#ifndef DEVID_TPM2_ADOPT_H
#define DEVID_TPM2_ADOPT_H

#include "tpm2.h"

struct tpm2_adopt {
    const struct tpm2_state *self;
    uint32_t parent; /* 0: 0x81000001 where it exists, else owner */
    struct devid_secret *parent_auth; /* own; NULL: empty */
    TPM2B_PUBLIC pub;
    TPM2B_PRIVATE private_part;  /* in: as its form says; out: loadable */
    TPM2B_ENCRYPTED_SECRET seed; /* of a private part wrapped for the parent */
    bool wrapped;
    TPM2B_SENSITIVE *sensitive; /* borrowed: to be wrapped first; or NULL */
};

/*
 * Have the parent import the key where it is wrapped, then load it once, to
 * see that it is this parent's. Opens the connection.
 */
DEVID_CHECK enum devid_err tpm2_adopt(struct tpm2_adopt *adopt,
                                      const char *parent,
                                      struct devid_error *err);
/* The key file's public and private part, and its parent. */
DEVID_CHECK enum devid_err tpm2_adopt_file(const struct tpm2_adopt *adopt,
                                           struct devid_keyfile *file,
                                           struct devid_error *err);

/* ---- duplicate.c (pure) ---------------------------------------------- */

/*
 * Wrap a private key for a parent as TPM2_Import takes it: with an outer
 * wrapper and no inner one, so that the parent alone can take it off.
 *
 * parent     its public area: ECC or RSA, restricted and decrypting
 * duplicate  out
 * seed       out: encrypted to the parent
 *
 * Returns DEVID_OK, _ALG (a parent of another kind), _SYSTEM.
 * Source: TPM 2.0 Part 1, 23.3 and C.6.3; Part 3, TPM2_Import.
 */
DEVID_CHECK enum devid_err
tpm2_duplicate(const TPMT_PUBLIC *parent, OSSL_LIB_CTX *libctx,
               const struct tpm2_adopt *adopt, TPM2B_PRIVATE *duplicate,
               TPM2B_ENCRYPTED_SECRET *seed, struct devid_error *err);

#endif
