/* SPDX-License-Identifier: Apache-2.0 */
/* What a TPM alone has: handles, which may be taken and taken again. */
#include "contract.h"

#include <openssl/crypto.h>

#define HANDLE "0x81000123"

static void a_handle_that_is_taken_is_refused(void **state)
{
    const struct devid_key_spec spec = stored_spec("ec-p256");
    struct devid_key *key = stored_new("ec-p256");
    struct devid_key *second = NULL;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_key_create(engine, &spec, &second, &err),
                     DEVID_ERR_EXISTS);
    expect_text(&err, HANDLE);
    assert_null(second);
    expect_works(key);
    stored_remove(&key);
}

static void another_key_at_the_same_place_does_not_sign(void **state)
{
    struct devid_key *key = stored_new("ec-p256");
    struct devid_key *old = NULL;
    struct devid_error err = {0};
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_sig sig = {.len = 77};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_key_to_der(key, &der, &len, &err), DEVID_OK);
    stored_remove(&key);
    key = stored_new("ec-p256");
    assert_int_equal(devid_key_from_der(engine, der, len, NULL, &old, &err),
                     DEVID_OK);
    fill_tbs(&tbs, DEVID_ECDSA, devid_hash_by_name("SHA256"), digest);
    assert_int_equal(devid_key_sign(old, &tbs, &sig, &err),
                     DEVID_ERR_WRONG_KEY);
    expect_text(&err, HANDLE);
    assert_int_equal(sig.len, 0);
    devid_key_free(&old);
    OPENSSL_free(der);
    stored_remove(&key);
}

static void bad_uris_are_refused(void **state)
{
    static const struct {
        const char *uri;
        const char *sentence;
    } rows[] = {
        {"tpm2:handle=0x81000123;", "empty segment at character 24"},
        {"tpm2:handle=81000123", "'81000123' is no handle"},
        {"tpm2:handle=0x80000000", "a persistent handle (0x81000000 to"},
        {"nonsense:token=x", "does not start with a scheme that devid knows"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_key *key = NULL;
        struct devid_error err = {0};

        assert_int_equal(devid_key_from_uri(engine, rows[i].uri, &key, &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, rows[i].sentence);
        assert_null(key);
        assert_int_equal(devid_delete(engine, rows[i].uri, &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, rows[i].sentence);
    }
}

int contract_handles(void)
{
    const struct CMUnitTest tests[] = {
        STORED_TEST(a_handle_that_is_taken_is_refused),
        STORED_TEST(another_key_at_the_same_place_does_not_sign),
        STORED_TEST(bad_uris_are_refused),
    };

    return cmocka_run_group_tests_name("handles", tests, NULL, NULL);
}
