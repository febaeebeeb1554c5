/* SPDX-License-Identifier: Apache-2.0 */
/* A CA that issues certificates of devices. */
#ifndef DEVID_TEST_FACTORY_H
#define DEVID_TEST_FACTORY_H

#include "authority.h"

struct factory {
    EVP_PKEY *key, *device_key;
    X509 *ca;
    struct devid_public pub; /* of the device's key */
    struct devid_issuer *issuer;
    uint8_t *der;
    struct devid_issuer_spec spec;
};

/* With a CA's key of that kind, as software_key has it. */
void open_factory(struct factory *f, const char *algorithm);
void close_factory(struct factory *f);

/* The CA's certificate, for that use of its key; the caller frees. */
X509 *make_ca(EVP_PKEY *key, const char *key_usage);

/* The TPM of its devices. */
extern const struct devid_hw_module factory_module;

#endif
