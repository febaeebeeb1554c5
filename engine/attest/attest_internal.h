/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of attestation share. */
#ifndef DEVID_ATTEST_INTERNAL_H
#define DEVID_ATTEST_INTERNAL_H

#include "../attest.h"

#include <openssl/x509.h>

/*
 * Write the reason against a device and its sentence:
 * `return attest_refuse(...)`.
 */
enum devid_attest_reason attest_refuse(struct devid_attest_verdict *verdict,
                                       enum devid_attest_reason reason,
                                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* DEVID_ATTEST_UNDECIDED: out of memory. */
enum devid_attest_reason attest_undecided(struct devid_attest_verdict *verdict);

/* ---- digest.c ---------------------------------------------------------- */

/* `digest` has room for any hash of the table. */
DEVID_CHECK enum devid_err attest_digest(const struct devid_hash *hash,
                                         OSSL_LIB_CTX *libctx,
                                         struct devid_bytes data,
                                         uint8_t *digest,
                                         struct devid_error *err);

/* ---- trust.c ----------------------------------------------------------- */

struct devid_trust {
    OSSL_LIB_CTX *libctx; /* borrowed */
    X509_STORE *roots;
    STACK_OF(X509) * all; /* roots too */
};

/* A name in one printable line, cut where it is too long. */
void attest_name_words(const X509_NAME *name, char *text, size_t size);

/* ---- ek_chain.c -------------------------------------------------------- */

/* From an EK's certificate up to a root. */
DEVID_CHECK enum devid_attest_reason
attest_chain_verify(X509 *leaf, const struct devid_attest_policy *policy,
                    struct devid_attest_verdict *verdict);

#endif
