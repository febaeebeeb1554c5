/* SPDX-License-Identifier: Apache-2.0 */
/* What an EST server answers, as it came: RFC 7030, 4, and RFC 8951. Pure. */
#ifndef DEVID_TOOLS_EST_ANSWER_H
#define DEVID_TOOLS_EST_ANSWER_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The DER of an answer, by OPENSSL_malloc: base64 on one line or many, whatever
 * Content-Transfer-Encoding says, or the DER itself. False: it is neither.
 */
bool est_decode(const char *data, size_t len, uint8_t **der, size_t *der_len);

/*
 * The certificates of a certs-only message, PKCS#7's or CMS's; the caller's.
 * NULL: it is none, or has none.
 */
STACK_OF(X509) * est_certificates(const uint8_t *der, size_t len);

/*
 * Which kind of key the CsrAttrs want, as devid_algorithms() names it. NULL:
 * they do not say, or one that devid has not got.
 *
 * valid  out: false where this is no CsrAttrs at all
 */
const char *est_wanted_algorithm(const uint8_t *der, size_t len, bool *valid);

#endif
