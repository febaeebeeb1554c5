/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Certificate Management Protocol through OpenSSL's own client: a first
 * certificate (ir), the next one (kur), a revocation (rr). RFC 4210, RFC 9480;
 * over HTTP, RFC 6712. Whatever `who` and `key` are, their private keys may be
 * of any provider: nothing is asked of them but signatures.
 */
#ifndef DEVID_TOOLS_CMP_H
#define DEVID_TOOLS_CMP_H

#include <openssl/x509.h>

#include "command.h"
#include "http.h"

/* All borrowed. */
struct cmp_spec {
    const char *url; /* "http://ca.example:80/pkix/", or https */
    /* PEM file of CAs whose word counts; NULL: that of who has the secret */
    const char *ca;
    const struct http_identity *who; /* signs our messages; NULL: the secret */
    const char *reference;           /* the name of the secret */
    const char *secret;
    size_t secret_len;
    unsigned patience_s; /* for all of it */
};

struct cmp_request {
    EVP_PKEY *key;         /* that is to be certified */
    const uint8_t *pkcs10; /* for its names and extensions alone */
    size_t pkcs10_len;
    X509 *old; /* the certificate that is renewed; NULL: it is a first one */
};

/* What a CA gives: zero it. */
struct cmp_issued {
    X509 *cert;
    bool disowned; /* nothing: who asked has no key, or is not known there */
    STACK_OF(X509) * ca; /* all that it says are its own, in any order, and
                            those of spec.ca; roots only where that is proven */
};
void cmp_issued_clear(struct cmp_issued *issued);

/*
 * Have a key certified. Prints the sentence on failure: EXIT_REFUSED,
 * _UNREACHABLE (also: the CA has not decided within the patience), _UNTRUSTED,
 * _DEVICE.
 */
enum exit_code cmp_certify(const struct cmp_spec *spec,
                           const struct cmp_request *request,
                           struct cmp_issued *issued);

/* Have a certificate revoked. `reason` is a CRLReason, RFC 5280, 5.3.1. */
enum exit_code cmp_revoke(const struct cmp_spec *spec, X509 *cert, int reason);

#endif
