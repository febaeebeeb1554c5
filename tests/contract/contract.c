/* SPDX-License-Identifier: Apache-2.0 */
/* usage: contract_test fake | tpm2 | pkcs11 URI-OF-A-TOKEN */
#include "contract.h"
#include "fake_backend.h"

#include <openssl/err.h>

#include <stdio.h>
#include <string.h>

#define TEXT "the contract"
#define SIGNATURES 10

const struct devid_backend *const *contract_table;
const char *contract_device;
struct devid *engine;

int contract_setup(void **state)
{
    struct devid_error err = {0};

    (void)state;
    ERR_clear_error(); /* of a case that failed */
    if (devid_new_with(NULL, contract_table, &engine, &err) == DEVID_OK)
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

int contract_teardown(void **state)
{
    (void)state;
    devid_free(&engine);
    return 0;
}

struct devid_key *try_key(const char *algorithm, bool decrypt)
{
    const struct devid_key_spec spec = {
        .device = contract_device, .algorithm = algorithm, .decrypt = decrypt};
    struct devid_key *key = NULL;
    struct devid_error err = {0};
    enum devid_err e = devid_key_create(engine, &spec, &key, &err);

    if (e == DEVID_ERR_ALG) {
        /* A refusal lists what there is. */
        expect_text(&err, "ec-p256");
        assert_null(key);
        return NULL;
    }
    if (e != DEVID_OK)
        print_error("%s: %s\n", algorithm, err.text);
    assert_int_equal(e, DEVID_OK);
    assert_non_null(key);
    return key;
}

struct devid_key *new_key(const char *algorithm)
{
    struct devid_key *key = try_key(algorithm, false);

    assert_non_null(key);
    return key;
}

void fill_tbs(struct devid_tbs *tbs, enum devid_scheme scheme,
              const struct devid_hash *hash, uint8_t digest[64])
{
    memset(tbs, 0, sizeof(*tbs));
    tbs->scheme = scheme;
    tbs->hash = hash;
    tbs->digest = digest;
    tbs->digest_len = hash->len;
    tbs->salt_len = scheme == DEVID_RSA_PSS ? hash->len : 0;
    if (scheme == DEVID_EDDSA) {
        tbs->hash = NULL;
        tbs->digest = (const uint8_t *)TEXT;
        tbs->digest_len = sizeof(TEXT);
        return;
    }
    digest_text(hash, TEXT, digest);
}

void expect_signs(struct devid_key *key, const struct devid_tbs *tbs)
{
    const struct devid_public *pub = devid_key_public(key);
    struct devid_sig sig = {0};
    struct devid_error err = {0};
    enum devid_err e = devid_key_sign(key, tbs, &sig, &err);

    if (e != DEVID_OK)
        print_error("scheme %d, hash %s: %s\n", (int)tbs->scheme,
                    tbs->hash != NULL ? tbs->hash->name : "none", err.text);
    assert_int_equal(e, DEVID_OK);
    assert_int_equal(sig.len, devid_signature_len(pub));
    assert_int_equal(devid_verify(pub, NULL, tbs, &sig, &err), DEVID_OK);
}

void expect_works(struct devid_key *key)
{
    uint8_t digest[64];
    struct devid_tbs tbs;

    fill_tbs(&tbs, devid_key_kind(devid_key_public(key)->type)->scheme,
             devid_hash_by_name("SHA256"), digest);
    expect_signs(key, &tbs);
}

enum devid_err sign_some(struct devid_key *key)
{
    static const uint8_t digest[32] = {1, 2, 3};
    const struct devid_tbs tbs = {.scheme = DEVID_ECDSA,
                                  .hash = devid_hash_by_name("SHA256"),
                                  .digest = digest,
                                  .digest_len = sizeof(digest)};
    struct devid_sig sig;
    enum devid_err e = DEVID_OK;
    int i;

    for (i = 0; i < SIGNATURES && e == DEVID_OK; i++) {
        e = devid_key_sign(key, &tbs, &sig, NULL);
        if (e == DEVID_OK)
            e = devid_verify(devid_key_public(key), NULL, &tbs, &sig, NULL);
    }
    return e;
}

int main(int argc, char **argv)
{
    int failed;

    if (argc == 2 && strcmp(argv[1], "fake") == 0) {
        fake_reset();
        contract_table = fake_backends;
    } else if (argc == 2 && strcmp(argv[1], "tpm2") == 0) {
        contract_table = devid_backends;
    } else if (argc == 3 && strcmp(argv[1], "pkcs11") == 0) {
        contract_table = devid_backends;
        contract_device = argv[2];
    } else {
        (void)fprintf(stderr,
                      "usage: contract_test fake | tpm2 | pkcs11 URI\n");
        return 2;
    }
    failed = contract_fork(); /* while nothing is connected */
    failed += contract_keys();
    failed += contract_schemes();
    failed += contract_decrypt();
    failed += contract_derive();
    failed += contract_auth();
    failed += contract_objects();
    failed += on_token() ? contract_token() : contract_handles();
    failed += contract_random();
    failed += contract_use();
    devid_shutdown();
    return failed == 0 ? 0 : 1;
}
