/* SPDX-License-Identifier: Apache-2.0 */
/* A key by its URI: find.c, and p11_open_uri() of keys.c. */
#ifndef DEVID_PKCS11_FIND_H
#define DEVID_PKCS11_FIND_H

#include "pkcs11.h"

/* _INPUT where the URI's type is another. */
DEVID_CHECK enum devid_err p11_check_names_key(const struct p11_uri *uri,
                                               const char *text,
                                               struct devid_error *err);

/* The half of a pair that a URI names, and the public key that it tells. */
struct p11_half {
    const struct p11_uri *uri;
    const char *text;      /* the URI, as it is shown */
    CK_OBJECT_CLASS class; /* CKO_PUBLIC_KEY, which takes no login, or _PRIVATE_
                            */
    struct p11_object object; /* out */
    struct devid_public *pub; /* out, borrowed */
};
/* A p11_op on a struct p11_half. Cost: p11_find_one, p11_object_read, and for
 * a private half p11_public_of. */
p11_op p11_find_half;

/* A private key that was found, for who looks for its id next. */
void p11_token_remember(const struct p11_session *session,
                        const struct p11_object *private_key);
bool p11_token_recall(const struct p11_session *session,
                      const struct p11_query *query, CK_OBJECT_HANDLE *handle,
                      bool *always_authenticate);

/* The reference to a private key that is there, for its file. */
DEVID_CHECK enum devid_err p11_reference(const struct p11_token *token,
                                         const struct p11_uri *uri,
                                         const struct p11_object *private_key,
                                         char **text, struct devid_error *err);

/* The token that a reference names gets the PIN and the sessions of `from`. */
DEVID_CHECK enum devid_err p11_hand_over(const struct p11_state *state,
                                         struct p11_token *from,
                                         const char *reference,
                                         struct devid_error *err);

/* A URI's token, with the PIN that the URI or the setting gives. */
DEVID_CHECK enum devid_err p11_open_uri(const struct p11_state *state,
                                        const char *text, struct p11_uri *uri,
                                        struct p11_token **token, bool *ask,
                                        struct devid_error *err);
/* The same of the URI in a key file, which is not the administrator's word. */
DEVID_CHECK enum devid_err
p11_open_reference(const struct p11_state *state, const char *text,
                   struct p11_uri *uri, struct p11_token **token, bool *ask,
                   struct devid_error *err);

#endif
