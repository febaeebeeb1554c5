/* SPDX-License-Identifier: Apache-2.0 */
/* A key that comes onto a token: made there, or imported. */
#ifndef DEVID_PKCS11_CREATE_H
#define DEVID_PKCS11_CREATE_H

#include "pkcs11.h"

#define P11_ID_LEN 16
#define P11_TEMPLATE_MAX 24

struct p11_create {
    const struct p11_uri *uri;
    const struct devid_key_spec *spec;
    const struct devid_algorithm *alg;
    const EVP_PKEY *pkey; /* borrowed: to be imported; or NULL */
    const char *label;
    uint8_t id[P11_ID_LEN];
    bool says_decrypt; /* RSA: the template says whether it may decrypt */
    struct devid_keyfile *file;
};

/* Attributes that a token is asked for; values are borrowed. */
struct p11_template {
    CK_ATTRIBUTE rows[P11_TEMPLATE_MAX];
    CK_ULONG count;
};

void p11_put(struct p11_template *t, CK_ATTRIBUTE_TYPE type, const void *value,
             size_t len);
/* What devid's keys have in common: name, and that they stay. */
void p11_put_public(struct p11_template *t, const struct p11_create *r);
void p11_put_private(struct p11_template *t, const struct p11_create *r);

/* The key file of what is on the token now. */
DEVID_CHECK enum devid_err p11_create_describe(struct p11_session *session,
                                               const struct p11_create *r,
                                               CK_OBJECT_HANDLE public_key,
                                               struct devid_error *err);
/* A key that is no good does not stay behind. Returns `failed`. */
enum devid_err p11_create_undo(struct p11_session *session,
                               CK_OBJECT_HANDLE public_key,
                               CK_OBJECT_HANDLE private_key,
                               enum devid_err failed, struct devid_error *err);
/* The token did not say that it has made the key, and may have made it: what
 * bears its id goes, or is named in `err`. Returns `failed`. */
enum devid_err p11_create_lost(struct p11_session *session,
                               const struct p11_create *r,
                               enum devid_err failed, struct devid_error *err);
/* Check the spec, find the token, log in and run `op` with `r`. */
DEVID_CHECK enum devid_err p11_create_run(const struct p11_state *self,
                                          const struct devid_key_spec *spec,
                                          struct p11_create *r, p11_op *op,
                                          struct devid_error *err);

#endif
