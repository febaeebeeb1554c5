/* SPDX-License-Identifier: Apache-2.0 */
/* The CA behind cmp_server: what it issues, and what it has revoked. */
#ifndef DEVID_TESTS_CMP_CA_H
#define DEVID_TESTS_CMP_CA_H

#include <openssl/cmp.h>
#include <stdbool.h>

struct cmp_ca {
    X509 *cert;
    EVP_PKEY *key;
    X509 *signer; /* of messages */
    EVP_PKEY *signer_key;
    X509 *extra;             /* sent with each message, unasked */
    X509_STORE *trusted;     /* of clients that sign */
    long life_s;             /* of what it issues */
    int waits;               /* for so many questions of a client */
    OSSL_CMP_MSG *undecided; /* a request that waits */
    char revoked[8192];      /* serial numbers, each between spaces */
};

/*
 * ca.pem, ca.key, cmp.pem, cmp.key, extra.pem of a folder, and trusted.pem: who
 * may ask. Ends the program where that fails.
 */
void cmp_ca_open(struct cmp_ca *ca, const char *folder);

/* The callbacks of a server, which have a struct cmp_ca as their own context.
 * Each says on standard output what it did, a line each. */
OSSL_CMP_PKISI *cmp_ca_request(OSSL_CMP_SRV_CTX *server,
                               const OSSL_CMP_MSG *message, int id,
                               const OSSL_CRMF_MSG *crm, const X509_REQ *p10,
                               X509 **cert, STACK_OF(X509) * *chain,
                               STACK_OF(X509) * *pubs);
OSSL_CMP_PKISI *cmp_ca_revoke(OSSL_CMP_SRV_CTX *server,
                              const OSSL_CMP_MSG *message,
                              const X509_NAME *issuer,
                              const ASN1_INTEGER *serial);
int cmp_ca_confirm(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message,
                   int id, const ASN1_OCTET_STRING *hash,
                   const OSSL_CMP_PKISI *status);
int cmp_ca_poll(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, int id,
                OSSL_CMP_MSG **request, int64_t *check_after);

#endif
