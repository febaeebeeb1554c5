/* SPDX-License-Identifier: Apache-2.0 */
/* Policies from and to the ASN.1 of a key file. */
#ifndef DEVID_POLICY_ASN1_H
#define DEVID_POLICY_ASN1_H

#include "asn1.h"
#include "keyfile.h"

/* `key` is borrowed; fills file->policy and file->signed_policies. */
DEVID_CHECK enum devid_err devid_policy_read(const TPM_KEY *key,
                                             struct devid_keyfile *file,
                                             struct devid_error *err);
/* The reverse; false where memory runs out. */
bool devid_policy_write(const struct devid_keyfile *file, TPM_KEY *key);

#endif
