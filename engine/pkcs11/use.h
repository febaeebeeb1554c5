/* SPDX-License-Identifier: Apache-2.0 */
/* A key at work: what sign.c, decrypt.c and derive.c share. */
#ifndef DEVID_PKCS11_USE_H
#define DEVID_PKCS11_USE_H

#include "pkcs11.h"

/* How an answer is held against the public key. */
struct p11_proof {
    /* WRONG_KEY: it is another's; _ALG: it proves nothing. */
    enum devid_err (*prove)(const void *arg, struct devid_error *err);
    const void *arg;
    const char *wrong; /* "its signature does not fit" */
};
/* Once a contact; see use.c. */
bool p11_key_is_proven(struct p11_key *key, const struct p11_session *session);
DEVID_CHECK enum devid_err p11_key_prove(struct p11_key *key,
                                         const struct p11_session *session,
                                         const struct p11_proof *proof,
                                         struct devid_error *err);

/* C_SignInit and C_Sign, or C_DecryptInit and C_Decrypt. */
struct p11_use {
    struct p11_key *key;
    const char *doing; /* "sign" */
    bool decrypt;
    CK_MECHANISM mechanism;
    const uint8_t *in;
    size_t in_len;
    uint8_t *out; /* DEVID_MODULUS_MAX bytes */
    CK_ULONG out_len;
    void *arg;
    /* Plan another mechanism where a token lacks this one; else fail. */
    enum devid_err (*instead)(struct p11_use *use, CK_RV rv,
                              struct devid_error *err);
    /* Is that return value of the second call an answer? NULL: none is. */
    bool (*is_answer)(struct p11_use *use, CK_RV rv);
    struct p11_proof proof;
};
/* Cost: the two calls; first the contact, and those of p11_key_handle(). */
DEVID_CHECK enum devid_err p11_key_use(struct p11_use *use,
                                       struct devid_error *err);
bool p11_lacks_mechanism(CK_RV rv);

/* A hash as PSS and OAEP name it; NULL where PKCS#11 v2.40 has no name. */
struct p11_hash {
    const char *name;
    CK_MECHANISM_TYPE hash;
    CK_RSA_PKCS_MGF_TYPE mgf;
};
const struct p11_hash *p11_hash_of(const struct devid_hash *hash);

#endif
