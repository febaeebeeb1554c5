/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of revoked certificates at hand: all in one PEM file beside the
 * list of trust, trust.crl, each behind a line "# URL".
 */
#ifndef DEVID_TOOLS_TRUST_CRLS_H
#define DEVID_TOOLS_TRUST_CRLS_H

#include <openssl/x509.h>
#include <time.h>

#include "trust.h"

struct crls {
    char *path;
    struct crls_one {
        char *url;
        X509_CRL *crl;
    } * all;
    size_t count;
};

/* Prints the sentence on failure; none yet is no failure. Closed either way. */
enum exit_code crls_open(const struct trust *trust, struct crls *crls);
enum exit_code crls_save(const struct crls *crls);
void crls_close(struct crls *crls);

/* The one from there; NULL: none. Borrowed. */
X509_CRL *crls_get(const struct crls *crls, const char *url);
/* In place of the one from there; takes it over. */
void crls_put(struct crls *crls, const char *url, X509_CRL *crl);
/* Those of URLs that the list no longer has are gone. */
void crls_forget(struct crls *crls, const struct trust *trust);

/* DER or PEM; NULL: it is none. */
X509_CRL *crl_parse(const uint8_t *data, size_t len);

/*
 * May it take the place of `old` (NULL: there is none)? It is a whole list of
 * its issuer alone, which one of the CAs has signed, of now, and not older.
 * Prints the sentence where not, about the one at `url`.
 */
enum exit_code crl_check(const struct trust *trust, const char *url,
                         X509_CRL *crl, const X509_CRL *old);

/* Is half of its time over? Also where it does not say how long it is. */
bool crl_is_due(const X509_CRL *crl, time_t now);
bool crl_is_over(const X509_CRL *crl, time_t now);
/* "2026-11-22T10:00:00Z"; "never" for NULL. */
const char *time_text(const ASN1_TIME *when, char room[32]);

#endif
