/* SPDX-License-Identifier: Apache-2.0 */
/* AlgorithmIdentifiers of signatures, and the parameters of RSA-PSS. */
#ifndef DEVID_ALGID_H
#define DEVID_ALGID_H

#include "devid.h"

/* Fill in an AlgorithmIdentifier that the caller owns: devid_algorithm_id. */
DEVID_CHECK enum devid_err devid_algorithm_put(const struct devid_tbs *tbs,
                                               X509_ALGOR *out,
                                               struct devid_error *err);

/*
 * RSASSA-PSS-params, packed as the parameters of an AlgorithmIdentifier; the
 * caller frees. NULL where libcrypto fails. Source: RFC 8017, A.2.3.
 */
ASN1_STRING *devid_pss_put(const struct devid_hash *hash,
                           const struct devid_hash *mgf1, size_t salt_len);

/*
 * What the parameters of an RSA-PSS public key bind it to: fills in hash and
 * salt_len. Returns DEVID_OK, _INPUT (no RSASSA-PSS-params), _ALG.
 * Source: RFC 4055, 1.2 and 3.1.
 */
DEVID_CHECK enum devid_err devid_pss_get(const X509_ALGOR *algorithm,
                                         struct devid_public *pub,
                                         struct devid_error *err);

#endif
