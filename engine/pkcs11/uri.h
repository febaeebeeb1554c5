/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of tokens and of what is on them: RFC 7512, strictly. Pure. */
#ifndef DEVID_PKCS11_URI_H
#define DEVID_PKCS11_URI_H

#include "../backend.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

/* Which attributes a URI has; those not here only p11-kit cares for. */
enum p11_seen {
    P11_SEEN_SERIAL = 1 << 0,
    P11_SEEN_SLOT_ID = 1 << 1,
    P11_SEEN_SLOT_INFO = 1 << 2, /* slot-description, slot-manufacturer */
    P11_SEEN_LIBRARY = 1 << 3,
    P11_SEEN_OBJECT = 1 << 4,
    P11_SEEN_ID = 1 << 5,
    P11_SEEN_TYPE = 1 << 6,
    P11_SEEN_TOKEN = 1 << 7,
};

struct p11_uri {
    P11KitUri *kit; /* own */
    unsigned seen;  /* of enum p11_seen */
};

/*
 * Returns DEVID_OK or DEVID_ERR_INPUT: what is wrong and where, never a value
 * of the query, which may be a PIN. Source: RFC 7512, 2.3.
 */
DEVID_CHECK enum devid_err p11_uri_parse(const char *text, struct p11_uri *uri,
                                         struct devid_error *err);
void p11_uri_clear(struct p11_uri *uri);

/* The URI without its PIN, for people; "" where it does not fit. */
void p11_uri_show(const char *text, char *out, size_t size);

/* What is written down of a key. */
struct p11_reference {
    const CK_TOKEN_INFO *token;
    const uint8_t *id;
    size_t id_len;
    const char *label;       /* where there is no id; else NULL */
    CK_OBJECT_CLASS class;   /* private key or certificate */
    const char *module_path; /* or NULL */
    const char *module_name; /* or NULL */
    const char *pin_source;  /* where the PIN is, never the PIN; or NULL */
};
/* The URI by OPENSSL_malloc. */
DEVID_CHECK enum devid_err p11_uri_format(const struct p11_reference *ref,
                                          char **text, struct devid_error *err);

#endif
