/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a back end: what every one of them does, fake or hardware.
 * A case takes any device; what a device lacks it refuses with a sentence.
 */
#ifndef DEVID_CONTRACT_H
#define DEVID_CONTRACT_H

#include "support.h"

#include "backend.h"

#include <stdbool.h>

/* The table of back ends under test. */
extern const struct devid_backend *const *contract_table;

/* The device under test, as a URI; NULL: the first back end's. */
extern const char *contract_device;

/* Opened before each case, freed after it. */
extern struct devid *engine;
int contract_setup(void **state);
int contract_teardown(void **state);

#define CONTRACT_TEST(name)                                                    \
    cmocka_unit_test_setup_teardown(name, contract_setup, contract_teardown)

/* A key of an algorithm; NULL where the device lacks it and says so. */
struct devid_key *try_key(const char *algorithm, bool decrypt);

/* As try_key, of what every device has. */
struct devid_key *new_key(const char *algorithm);

/* A tbs over a fixed text; `digest` holds its digest. */
void fill_tbs(struct devid_tbs *tbs, enum devid_scheme scheme,
              const struct devid_hash *hash, uint8_t digest[64]);

/* Sign with the device and verify in software. */
void expect_signs(struct devid_key *key, const struct devid_tbs *tbs);

/* Sign a SHA-256 digest in whatever scheme fits the key. */
void expect_works(struct devid_key *key);

/*
 * Sign and verify a few times. Free of cmocka, whose failures must stay in the
 * main thread of the main process.
 */
enum devid_err sign_some(struct devid_key *key);

#define URI_MAX DEVID_URI_SIZE

/* Is the device under test a token? */
bool on_token(void);
/* The token's URI with more attributes in its path. */
void token_uri(char uri[URI_MAX], const char *more);

/* A key that stays in the device: at a handle of a TPM, by a token's label. */
struct devid_key *stored_new(const char *algorithm);
struct devid_key_spec stored_spec(const char *algorithm);
/* Two URIs that lead to it. */
void stored_uris(char uris[2][URI_MAX]);
/* The URI that a key's reference holds; "" where it is a blob. */
void uri_of(const struct devid_key *key, char uri[URI_MAX]);
/* Off the device, and freed: of any key. */
void stored_remove(struct devid_key **key);
/* Part of the sentence where it is not there. */
const char *stored_missing(void);
/* A case that failed leaves nothing in the next one's way. */
int stored_clean_up(void **state);

#define STORED_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, contract_setup, stored_clean_up)

/* The groups of cases; each returns the number that failed. */
int contract_fork(void);
int contract_keys(void);
int contract_auth(void);
int contract_schemes(void);
int contract_decrypt(void);
int contract_derive(void);
int contract_objects(void);
int contract_handles(void);
int contract_use(void);
int contract_token(void);
int contract_random(void);

#endif
