/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and describing keys: what key.c promises, over the fake. */
#include "fake_engine.h"

#include <openssl/crypto.h>

static void opening_and_describing_a_key_asks_the_device_nothing(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    struct devid_key *again = NULL;
    struct devid_key_info info;
    struct devid_error err = {0};
    bool recognised = false;
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_key_to_der(key, &der, &len, &err), DEVID_OK);
    assert_int_equal(
        devid_key_from_der(engine, der, len, &recognised, &again, &err),
        DEVID_OK);
    assert_true(recognised);
    assert_true(
        devid_public_equal(devid_key_public(key), devid_key_public(again)));
    devid_key_info(again, &info);
    assert_string_equal(info.format, "TSS2 PRIVATE KEY");
    assert_string_equal(info.backend, "fake");
    assert_string_equal(info.uri, "");
    assert_false(info.needs_auth);
    OPENSSL_free(der);
    devid_key_free(&again);
    devid_key_free(&key);
    assert_int_equal(fake_calls().key_create, 1);
    assert_int_equal(fake_calls().key_find, 0);
    assert_int_equal(fake_calls().sign, 0);
}

static void a_key_at_a_uri_is_found_by_one_call(void **state)
{
    const struct devid_key_spec spec = {.algorithm = "ec-p256",
                                        .persist = "0x81000010"};
    struct devid_key *key = NULL;
    struct devid_key *found = NULL;
    struct devid_key_info info;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_key_create(engine, &spec, &key, &err), DEVID_OK);
    assert_int_equal(devid_key_open(engine, "handle:0x81000010", &found, &err),
                     DEVID_OK);
    assert_int_equal(fake_calls().key_find, 1);
    assert_true(
        devid_public_equal(devid_key_public(key), devid_key_public(found)));
    devid_key_info(found, &info);
    assert_string_equal(info.format, "DEVID KEY REFERENCE");
    assert_string_equal(info.uri, "tpm2:handle=0x81000010");
    devid_key_free(&found);
    devid_key_free(&key);

    assert_int_equal(
        devid_key_open(engine, "tpm2:handle=0x81000011", &found, &err),
        DEVID_ERR_NOT_FOUND);
    assert_int_equal(err.device_rc, 0x18b);
    assert_null(found);
}

static void bad_key_files_give_no_key(void **state)
{
    static const struct {
        const char *name;
        enum devid_err code;
        const char *sentence;
    } rows[] = {
        {"/no/such/file.pem", DEVID_ERR_NOT_FOUND,
         "'/no/such/file.pem': No such file or directory"},
        {TEST_DATA "/tss2", DEVID_ERR_SYSTEM, "Is a directory"},
        {TEST_DATA "/tss2/no-private.pem", DEVID_ERR_INPUT,
         "/tss2/no-private.pem: the TSS2 PRIVATE KEY is cut short"},
        {TEST_DATA "/tss2/sealed.pem", DEVID_ERR_ALG, "sealed data"},
        {"/dev/null", DEVID_ERR_INPUT, "/dev/null: the key file is empty"},
        {"/dev/zero", DEVID_ERR_INPUT, "larger than 65536 bytes"},
        {"tpm2:handle=5", DEVID_ERR_INPUT, "'5' is no handle"},
        {"tpm2:nv=0x01c90200", DEVID_ERR_INPUT, "names no key"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_error err = {0};
        struct devid_key *key = NULL;

        assert_int_equal(devid_key_open(engine, rows[i].name, &key, &err),
                         rows[i].code);
        expect_text(&err, rows[i].sentence);
        assert_null(key);
    }
    assert_int_equal(fake_calls().key_find, 0);
}

static void somebody_elses_der_is_told_from_a_broken_one_of_ours(void **state)
{
    static const uint8_t other[] = {0x30, 0x03, 0x02, 0x01, 0x00};
    struct devid_key *key = new_key("ec-p256");
    struct devid_key *none = NULL;
    struct devid_error err = {0};
    bool recognised = true;
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_key_from_der(engine, other, sizeof(other),
                                        &recognised, &none, &err),
                     DEVID_ERR_INPUT);
    assert_false(recognised);
    assert_int_equal(devid_key_to_der(key, &der, &len, &err), DEVID_OK);
    assert_int_equal(
        devid_key_from_der(engine, der, len - 1, &recognised, &none, &err),
        DEVID_ERR_INPUT);
    assert_true(recognised);
    assert_null(none);
    OPENSSL_free(der);
    devid_key_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(opening_and_describing_a_key_asks_the_device_nothing),
        FAKE_TEST(a_key_at_a_uri_is_found_by_one_call),
        FAKE_TEST(bad_key_files_give_no_key),
        FAKE_TEST(somebody_elses_der_is_told_from_a_broken_one_of_ours),
    };

    return cmocka_run_group_tests_name("key_open", tests, NULL, NULL);
}
