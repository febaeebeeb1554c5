/* SPDX-License-Identifier: Apache-2.0 */
/* A vendor with a root (P-384), an intermediate (RSA-3072) and EKs (RSA-2048).
 */
#ifndef DEVID_TEST_VENDOR_H
#define DEVID_TEST_VENDOR_H

#include "authority.h"

#define CA "critical,CA:TRUE"

/* Made anew for each test program, by its set-up. */
extern struct vendor {
    EVP_PKEY *root_key, *int_key, *ek_key, *other_key;
    X509 *root, *intermediate;
    struct devid_trust *trust;
    struct devid_trust_count count;
    char folder[64];
} v;

int vendor_set_up(void **state);
int vendor_tear_down(void **state);

X509 *make_root(EVP_PKEY *key);
struct cert_spec intermediate_spec(void);
struct cert_spec ek_spec(void);

/* As expect_ek, with the vendor's trust where the policy has none. */
void vendor_expect(struct devid_bytes nv, struct devid_attest_policy policy,
                   enum devid_attest_reason reason, const char *text);
/* The same of a certificate, which it frees. */
void vendor_expect_cert(X509 *cert, struct devid_attest_policy policy,
                        enum devid_attest_reason reason, const char *text);

#endif
