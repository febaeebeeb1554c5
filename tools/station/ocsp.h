/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSP (RFC 6960, RFC 5019): the state of a certificate, asked one by one, and
 * signed by a key of its own that the CA has certified for that.
 */
#ifndef DEVID_STATION_OCSP_H
#define DEVID_STATION_OCSP_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ocsp;

/*
 * slow  the key is in a device: answers without a nonce are kept
 *
 * NULL: out of memory. References are taken.
 */
struct ocsp *ocsp_new(EVP_PKEY *key, X509 *cert, bool slow);
/* NULL-safe; sets NULL. */
void ocsp_free(struct ocsp **ocsp);
EVP_PKEY *ocsp_key(const struct ocsp *ocsp);
/* A reference, which the caller frees: another may take its place. */
X509 *ocsp_cert(struct ocsp *ocsp);
/* Another for the same key; takes the reference over. */
void ocsp_set_cert(struct ocsp *ocsp, X509 *cert);

/* Something was revoked: no answer that is kept counts any more. NULL-safe. */
void ocsp_forget(struct ocsp *ocsp);

/* ---- answers that are kept --------------------------------------------- */

/* What was asked, its digest in hex, and since when an answer still serves. A
 * copy by OPENSSL_malloc; NULL: there is none. */
uint8_t *ocsp_kept(struct ocsp *ocsp, const char *asked, int64_t since_ms,
                   size_t *len);
/* `before`: ocsp_age before the answer was looked for in the ledger. */
uint64_t ocsp_age(const struct ocsp *ocsp);
void ocsp_keep(struct ocsp *ocsp, const char *asked, uint64_t before,
               const uint8_t *der, size_t len);

#endif
