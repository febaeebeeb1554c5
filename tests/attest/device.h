/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device whose TPM is software keys: what it sends is right until a test
 * changes it. The order: device_new, change the public areas, device_state,
 * change what the IAK states, device_request.
 */
#ifndef DEVID_TEST_DEVICE_H
#define DEVID_TEST_DEVICE_H

#include "authority.h"

#include <tss2/tss2_tpm2_types.h>

struct device_key {
    EVP_PKEY *pkey;
    TPMT_PUBLIC area;
    TPM2B_NAME name;
    TPM2B_NAME qualified;
    TPM2_ALG_ID scheme; /* that it signs by */
    TPM2_ALG_ID hash;
    size_t salt_len; /* RSAPSS; 0: as the hash */
};

struct device {
    EVP_PKEY *ca_key;
    EVP_PKEY *ek_key;
    X509 *root; /* the vendor's */
    struct devid_trust *trust;
    struct device_key iak, idevid;
    TPMT_TK_CREATION ticket;
    TPMS_CREATION_DATA creation_data;
    TPMS_ATTEST creation, certify;
    const char *serial;
    /* of the request, set by device_request */
    struct devid_tcg_csr csr;
    struct devid_attest_request request;
    uint8_t *owned[16];
    size_t owned_count;
};

/* iak, idevid: names of software keys; PSS by "rsa-...". */
void device_new(struct device *d, const char *iak, const char *idevid);
/* With keys of one's own, which it takes over. */
struct device_keys {
    EVP_PKEY *ca, *ek, *iak, *idevid;
};
void device_new_with(struct device *d, const struct device_keys *keys);
/* The certificate of its EK, which the vendor issues again, changed. */
struct cert_spec device_ek_spec(const struct device *d);
void device_issue_ek(struct device *d, const struct cert_spec *spec);
void device_state(struct device *d);
/* What the IAK states of d->creation_data, which was changed. */
void device_creation(struct device *d);
/* Marshal, sign, encode and decode. `edit`, may be NULL, is called before the
 * contents are signed. */
void device_request(struct device *d,
                    void (*edit)(struct device *d, struct devid_tcg_csr *csr));
void device_free(struct device *d);

/* Memory that lives as long as the device. */
uint8_t *device_keep(struct device *d, uint8_t *data);

/* A policy that trusts the device's vendor. */
struct devid_attest_policy device_policy(const struct device *d);

/*
 * What devid_attest_verify says of the request: the reason and, but for
 * DEVID_ATTEST_TRUSTED, a sentence with `text` in it.
 */
void device_expect(const struct device *d,
                   const struct devid_attest_policy *policy,
                   enum devid_attest_reason reason, const char *text);

#endif
