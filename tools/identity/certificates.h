/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a station gives a device: the certificates of its keys, and those of
 * their issuers. Nothing of it is kept before it is known to belong here.
 */
#ifndef DEVID_TOOLS_CERTIFICATES_H
#define DEVID_TOOLS_CERTIFICATES_H

#include <jansson.h>
#include <openssl/x509.h>

#include "command.h"
#include "devid.h"

struct certificates {
    X509 *idevid;
    X509 *iak;                /* NULL: a device without a TPM */
    STACK_OF(X509) * ca;      /* the issuer first */
    STACK_OF(X509) * anchors; /* to trust beside the last of `ca`; or NULL */
};
void certificates_clear(struct certificates *certificates);

/*
 * The members idevid, iak and ca of a station's answer. `where` names it in
 * the sentence that is printed on failure.
 */
enum exit_code certificates_from_json(const char *where, const json_t *answer,
                                      struct certificates *certificates);

/* An array of certificates in base64, as a stack; NULL: it is none. */
STACK_OF(X509) * certificates_chain(const json_t *array);

/* Whose certificates they must be. */
struct certificates_owner {
    const struct devid_public *idevid;
    const struct devid_public *iak; /* NULL: a device without a TPM */
    const char *serial;             /* the product's; NULL: any */
};

/*
 * Certificates of a PEM file in any order, told apart by their keys; what is
 * no key's of `owner` is an issuer's.
 */
enum exit_code certificates_from_pem(const char *where, const char *text,
                                     const struct certificates_owner *owner,
                                     struct certificates *certificates);

/*
 * Are they this device's: its keys, its serial number, each with a chain to
 * the last of `ca`? Prints the sentence where not: EXIT_UNTRUSTED.
 */
enum exit_code certificates_check(const struct certificates *certificates,
                                  const struct certificates_owner *owner);

/* Does the certificate have that key? */
bool certificate_has_key(X509 *cert, const struct devid_public *pub);

#endif
