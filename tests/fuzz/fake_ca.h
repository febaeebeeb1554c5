/* SPDX-License-Identifier: Apache-2.0 */
/* A CA that speaks CMP as OpenSSL's server does, but says what it is told. */
#ifndef DEVID_FUZZ_FAKE_CA_H
#define DEVID_FUZZ_FAKE_CA_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_CA_SECRET "secret"
#define FAKE_CA_REFERENCE "user"

/* Made at the first call of fake_ca_open; the process's own. */
extern EVP_PKEY *fake_ca_key;    /* everybody's: the CA's, the device's */
extern X509 *fake_ca_cert;       /* the CA's own */
extern X509 *fake_ca_device;     /* a device's of the CA */
extern const char *fake_ca_file; /* the CA's in PEM */

void fake_ca_open(void);

/* What it says; the texts are the caller's. */
struct fake_ca {
    int status;       /* PKIStatus */
    int fail_info;    /* bits */
    const char *text; /* of the status */
    X509 *issued;     /* NULL: none */
    X509 *extra;      /* shown beside it and among caPubs; NULL: none */
    unsigned polls;   /* so often it says that it has not decided */
    int64_t after_s;  /* and to ask again after that */
    int unprotected;  /* errors, and confirmations */
    int by_secret;    /* protected by the secret, else by the CA's signature */
    int other_secret; /* by one that the device has not */
};

/*
 * Answer one message of the device: DER by OPENSSL_malloc, or its length 0.
 * Between two calls for one enrolment it remembers what was asked.
 */
uint8_t *fake_ca_answer(struct fake_ca *ca, const uint8_t *sent, size_t len,
                        size_t *answer_len);
/* Forget what was asked. */
void fake_ca_forget(void);

#endif
