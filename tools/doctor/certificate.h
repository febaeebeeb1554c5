/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as facts. */
#ifndef DEVID_DOCTOR_CERTIFICATE_H
#define DEVID_DOCTOR_CERTIFICATE_H

#include "doctor.h"

/*
 * Fill in subject, issuer, not_before, not_after (seconds since 1970),
 * public (see look_at_public) and der, in hexadecimal; or error.
 */
void look_at_certificate(json_t *report, const uint8_t *der, size_t len);

/* The same for each of those that stand one behind another, into `list`. */
void look_at_more_certificates(json_t *list, const uint8_t *der, size_t len);

/* The same for each in a PEM text: an array. */
json_t *look_at_certificates(const char *pem);

/* Its DER again, by OPENSSL_malloc; NULL where there is none. */
uint8_t *certificate_der(const json_t *cert, size_t *len);

#endif
