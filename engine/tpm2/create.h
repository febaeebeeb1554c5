/* SPDX-License-Identifier: Apache-2.0 */
/* A key to be made: what was asked, and what came of it. */
#ifndef DEVID_TPM2_CREATE_H
#define DEVID_TPM2_CREATE_H

#include "tpm2.h"

struct tpm2_create {
    const struct devid_key_spec *spec; /* borrowed */
    const struct devid_algorithm *alg;
    OSSL_LIB_CTX *libctx; /* borrowed */
    uint32_t parent;      /* 0: 0x81000001 where it exists, else owner */
    uint32_t persist;
    struct devid_secret *parent_auth; /* own; NULL: empty */
    struct devid_secret *owner_auth;
    struct devid_policy policy; /* own; what the key is bound to, as its file
                                   has it; empty: its auth value alone */
    TPM2B_DIGEST policy_digest;
    TPM2B_PUBLIC *public_part; /* out, Esys_Free */
    TPM2B_PRIVATE *private_part;
    bool persisting; /* the TPM was asked to, and its answer may be lost */
};

/* Check a spec before any command; reads the secrets that settings name. */
DEVID_CHECK enum devid_err tpm2_spec_parse(const struct devid *engine,
                                           const struct devid_key_spec *spec,
                                           struct tpm2_create *create,
                                           struct devid_error *err);
/*
 * The key file of a new key: a blob, which takes its policy over, or a
 * reference to a persistent one.
 */
DEVID_CHECK enum devid_err tpm2_spec_blob(struct tpm2_create *create,
                                          struct devid_keyfile *file,
                                          struct devid_error *err);
DEVID_CHECK enum devid_err tpm2_spec_reference(const struct tpm2_create *create,
                                               struct devid_keyfile *file,
                                               struct devid_error *err);

#endif
