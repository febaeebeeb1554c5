/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, certificates and requests in words: each function adds members to a
 * report. The members are documented in devid-show(1).
 */
#ifndef DEVID_TOOLS_DESCRIBE_H
#define DEVID_TOOLS_DESCRIBE_H

#include <openssl/x509.h>
#include <stdint.h>

#include "devid.h"
#include "report.h"

/* SHA-256 in small hexadecimal letters, as member `name`. */
void describe_sha256(json_t *report, const char *name, const uint8_t *data,
                     size_t len);

/* algorithm, bits, public_key_sha256 */
void describe_public(json_t *report, const struct devid_public *pub);
/* The same for any SubjectPublicKeyInfo; kinds that devid has not as well. */
void describe_spki(json_t *report, const uint8_t *der, size_t len);

/* What is known of a key of ours without asking its device. */
void describe_key(json_t *report, const struct devid_key *key);

void describe_cert(json_t *report, X509 *cert);
void describe_csr(json_t *report, X509_REQ *csr);

/* From DER; false where it is no certificate. */
bool describe_cert_der(json_t *report, const uint8_t *der, size_t len);

#endif
