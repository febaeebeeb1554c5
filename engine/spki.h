/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys inside larger structures of ASN.1. */
#ifndef DEVID_SPKI_H
#define DEVID_SPKI_H

#include "devid.h"

/* Fill a SubjectPublicKeyInfo that the caller owns; fetches nothing. */
DEVID_CHECK enum devid_err devid_public_put(const struct devid_public *pub,
                                            X509_PUBKEY *out,
                                            struct devid_error *err);

#endif
