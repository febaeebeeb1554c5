/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests share: cmocka with its headers, files, keys, sentences. */
#ifndef DEVID_TEST_SUPPORT_H
#define DEVID_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include "backend.h"

#include <openssl/types.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * The sentence holds `fragment`, is one sentence that is not cut short, and
 * libcrypto's error queue is empty.
 */
void expect_text(const struct devid_error *err, const char *fragment);

/* A whole file, with a NUL behind it; the caller frees. NULL if not there. */
char *read_file(const char *dir, const char *name, size_t *len);

/* As read_file, of tests/data; fails the test where it is missing. */
char *read_fixture(const char *name, size_t *len);

/* A software key that the build has made: "ec-p256", "rsa-2048", ... */
EVP_PKEY *software_key(const char *algorithm);

/* The public half of one, through its SubjectPublicKeyInfo by OpenSSL. */
void software_public(EVP_PKEY *pkey, struct devid_public *pub);

/* Digest `text` with a hash of the table. */
void digest_text(const struct devid_hash *hash, const char *text,
                 uint8_t digest[64]);

/* A signature by OpenSSL's own means, raw as a device gives it. */
void software_sign(EVP_PKEY *pkey, const struct devid_tbs *tbs,
                   struct devid_sig *sig);

/* The power of a ciphertext, and a ciphertext by a public key alone. */
void software_power(EVP_PKEY *pkey, const struct devid_ciphertext *c,
                    struct devid_block *block);
void software_encrypt(EVP_PKEY *pkey, const struct devid_ciphertext *how,
                      const struct devid_plaintext *plain,
                      struct devid_plaintext *out);

/* The secret that a software key and a public one share. */
void software_derive(EVP_PKEY *pkey, const struct devid_public *peer,
                     struct devid_shared *shared);

#endif
