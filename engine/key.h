/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's own files may ask of a key beyond devid.h. */
#ifndef DEVID_KEY_H
#define DEVID_KEY_H

#include "backend.h"
#include "eme.h"

#include <stdatomic.h>

struct devid_key {
    atomic_int refs;
    struct devid *engine; /* own reference */
    const struct devid_backend *be;
    void *private_key; /* the back end's */
    struct devid_keyfile file;
    struct devid_public pub;
    struct devid_key_limits limits;
    bool check_always;            /* setting check-signatures */
    _Atomic(EVP_PKEY *) verifier; /* of `pub`, made when first needed */
    uint8_t eme_secret[DEVID_EME_SECRET_LEN]; /* RSA; made when opened */
};

/*
 * Does anything stand in the way of any use of this key? Asked before any
 * device is.
 */
DEVID_CHECK enum devid_err devid_key_check_use(const struct devid_key *key,
                                               struct devid_error *err);

/* The library context of the key's engine, borrowed. */
OSSL_LIB_CTX *devid_key_libctx(const struct devid_key *key);
/* Open a key from its parsed file, which is taken over, also on failure. */
DEVID_CHECK enum devid_err devid_key_from_keyfile(struct devid *engine,
                                                  struct devid_keyfile *file,
                                                  struct devid_key **key,
                                                  struct devid_error *err);

#endif
