/* SPDX-License-Identifier: Apache-2.0 */
/* Key files in memory, and the ways that programs load them. */
#ifndef DEVID_TEST_FILES_H
#define DEVID_TEST_FILES_H

#include "program.h"

struct blob {
    char *data; /* NUL-ended; the caller frees */
    size_t len;
};

/* What a BIO holds; frees the BIO. */
struct blob blob_take(BIO *bio);
struct blob blob_join(const char *a, const char *b, const char *c);

/* Any form that an encoder writes; cipher may be NULL. */
struct blob encode(EVP_PKEY *pkey, int selection, const char *type,
                   const char *structure, const char *cipher);
/* A private key as `type`, "PEM" or "DER". */
struct blob key_file(EVP_PKEY *pkey, const char *type);

/* Ways to load a private key; NULL where there is none. */
typedef EVP_PKEY *loader(OSSL_LIB_CTX *ctx, const struct blob *blob);
loader by_pem;     /* nginx, curl */
loader by_d2i;     /* DER */
loader by_decoder; /* one block, of either form */
loader by_store;   /* openssl -in: the first private key */

extern loader *const pem_loaders[]; /* ended by NULL */
extern loader *const der_loaders[];

/* It gives this key, of the same provider, and leaves no error. */
void expect_loads(struct program *program, loader *load,
                  const struct blob *blob, EVP_PKEY *pkey);

#endif
