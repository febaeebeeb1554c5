/* SPDX-License-Identifier: Apache-2.0 */
/* An issuer's inside: what its certificates share, encoded once. */
#ifndef DEVID_ATTEST_ISSUER_H
#define DEVID_ATTEST_ISSUER_H

#include "../attest.h"

#include <openssl/x509.h>

#define ISSUER_KINDS 4 /* of enum devid_cert_kind */

struct devid_issuer {
    OSSL_LIB_CTX *libctx; /* borrowed */
    EVP_PKEY *key;
    EVP_MD *md; /* NULL: the key has its own (Ed25519) */
    X509_NAME *name;
    X509_NAME *subject; /* what comes before the serialNumber */
    STACK_OF(X509_EXTENSION) * fixed[ISSUER_KINDS];
    unsigned shards;      /* 0: no lists */
    X509_EXTENSION **crl; /* one a shard */
};

/*
 * The SAN that names the TPM, and has the names in `sans`; either may be NULL.
 *
 * ext  out: the caller frees; NULL where there is no name
 *
 * Returns as devid_san_parse.
 */
DEVID_CHECK enum devid_err issuer_san(const struct devid_hw_module *module,
                                      const char *const *sans,
                                      X509_EXTENSION **ext,
                                      struct devid_error *err);

#endif
