/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the provider's tests share: a program's library context with the
 * providers in an order, keys in the fake device, the error queue.
 */
#ifndef DEVID_TEST_PROGRAM_H
#define DEVID_TEST_PROGRAM_H

#include "fake_backend.h"
#include "support.h"

#include <openssl/evp.h>
#include <openssl/types.h>

/* For the state of a test: the order of the providers. */
enum order {
    DEVID_FIRST,
    DEVID_LAST,
};

struct program {
    OSSL_LIB_CTX *ctx;
    OSSL_PROVIDER *providers[2];
};

/* A library context of its own; the device is emptied. */
void program_start(struct program *program, enum order order);
void program_end(struct program *program);

/* cmocka's setup and teardown: *state is a struct program. */
int setup_first(void **state);
int setup_last(void **state);
int teardown(void **state);

/* A test in both orders. */
#define IN_BOTH_ORDERS(test)                                                   \
    {#test " (devid first)", test, setup_first, teardown, NULL},               \
    {                                                                          \
#test " (devid last)", test, setup_last, teardown, NULL                \
    }

/* A key in the device, made as openssl genpkey does: "EC", "P-256"; "RSA",
 * "2048". `persist` may be NULL. */
EVP_PKEY *device_key(OSSL_LIB_CTX *ctx, const char *type, const char *size,
                     const char *persist);

/* An RSA-2048 key that may decrypt: it pads whatever its device does not. */
EVP_PKEY *all_round_rsa_key(OSSL_LIB_CTX *ctx);

/* A P-256 key that may agree on secrets. */
EVP_PKEY *agreeing_key(OSSL_LIB_CTX *ctx);

/* A key of OpenSSL's own. */
EVP_PKEY *ordinary_key(OSSL_LIB_CTX *ctx, const char *type, const char *size);

/* The public key alone, in OpenSSL's own provider. */
EVP_PKEY *public_half(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey);

/* "devid", "default": who offers this key. */
const char *offered_by(const EVP_PKEY *pkey);

/* Hash, sign; assert that it worked. The caller frees *sig. */
void sign_message(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey, const char *hash,
                  unsigned char **sig, size_t *len);
/* 1: the signature is that of sign_message. */
int verify_message(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey, const char *hash,
                   const unsigned char *sig, size_t len);

/* The error queue is empty. */
void expect_no_error(void);
/* It holds an error of devid's with this in its sentence; empties it. */
void expect_error(const char *fragment);

#endif
