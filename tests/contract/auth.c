/* SPDX-License-Identifier: Apache-2.0 */
/* Keys with an auth value. */
#include "contract.h"

#include <openssl/crypto.h>

#include <string.h>

#define RIGHT "correct horse"
#define WRONG "battery staple"
#define HANDLE "0x81000124"
#define URI "tpm2:handle=" HANDLE

static int clean_up(void **state)
{
    enum devid_err e = devid_delete(engine, URI, NULL);

    return contract_teardown(state) == 0 &&
                   (e == DEVID_OK || e == DEVID_ERR_NOT_FOUND)
               ? 0
               : -1;
}

/* A new key with an auth value, opened from its own file as a program would. */
static struct devid_key *new_key_with_auth(const char *algorithm,
                                           const char *handle)
{
    const struct devid_key_spec spec = {.algorithm = algorithm,
                                        .persist = handle,
                                        .auth = RIGHT,
                                        .auth_len = strlen(RIGHT)};
    struct devid_key *made = NULL;
    struct devid_key *key = NULL;
    struct devid_error err = {0};
    char *pem = NULL;
    size_t len = 0;
    enum devid_err e = devid_key_create(engine, &spec, &made, &err);

    if (e != DEVID_OK)
        print_error("%s\n", err.text);
    assert_int_equal(e, DEVID_OK);
    assert_int_equal(devid_key_to_pem(made, &pem, &len, &err), DEVID_OK);
    devid_key_free(&made);
    assert_int_equal(devid_key_from_pem(engine, pem, len, &key, &err),
                     DEVID_OK);
    assert_true(devid_key_wants_auth(key));
    OPENSSL_free(pem);
    return key;
}

static void give(struct devid_key *key, const char *value)
{
    struct devid_error err = {0};

    assert_int_equal(devid_key_set_auth(key, value, strlen(value), &err),
                     DEVID_OK);
    assert_false(devid_key_wants_auth(key));
}

/* Fails with DEVID_ERR_AUTH, and the sentence tells no secret. */
static uint32_t expect_refused(struct devid_key *key, const char *sentence)
{
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_sig sig = {.len = 77};
    struct devid_error err = {0};

    fill_tbs(&tbs, devid_key_kind(devid_key_public(key)->type)->scheme,
             devid_hash_by_name("SHA256"), digest);
    assert_int_equal(devid_key_sign(key, &tbs, &sig, &err), DEVID_ERR_AUTH);
    expect_text(&err, sentence);
    assert_null(strstr(err.text, RIGHT));
    assert_null(strstr(err.text, WRONG));
    assert_int_equal(sig.len, 0);
    return err.device_rc;
}

static void with_its_auth_value_a_key_signs(void **state)
{
    static const char *const algorithms[] = {"ec-p256", "rsa-2048"};
    static const char *const handles[] = {NULL, HANDLE};
    size_t i;
    size_t j;

    (void)state;
    for (i = 0; i < COUNT(algorithms); i++) {
        for (j = 0; j < COUNT(handles); j++) {
            struct devid_key *key =
                new_key_with_auth(algorithms[i], handles[j]);
            struct devid_error err = {0};

            give(key, RIGHT);
            expect_works(key);
            expect_works(key);
            devid_key_free(&key);
            if (handles[j] != NULL)
                assert_int_equal(devid_delete(engine, URI, &err), DEVID_OK);
        }
    }
}

static void without_one_it_is_not_even_tried(void **state)
{
    struct devid_key *key = new_key_with_auth("ec-p256", NULL);
    struct devid_key_info info;

    (void)state;
    assert_int_equal(
        expect_refused(key, "this key needs its auth value, and none was"), 0);
    devid_key_info(key, &info);
    assert_true(info.needs_auth);
    devid_key_free(&key);
}

static void a_wrong_one_is_tried_once(void **state)
{
    struct devid_key *key = new_key_with_auth("ec-p256", NULL);

    (void)state;
    give(key, WRONG);
    assert_int_not_equal(expect_refused(key, "refused the auth value"), 0);
    assert_int_equal(expect_refused(key, "before"), 0);
    assert_int_equal(expect_refused(key, "before"), 0);
    give(key, RIGHT);
    expect_works(key);
    devid_key_free(&key);
}

static void one_that_is_too_long_is_refused(void **state)
{
    static const char value[65] = "0123456789012345678901234567890123456789";
    const struct devid_key_spec spec = {
        .algorithm = "ec-p256", .auth = value, .auth_len = sizeof(value)};
    struct devid_key *key = NULL;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_key_create(engine, &spec, &key, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "32");
    assert_null(key);
}

int contract_auth(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, contract_setup, clean_up)
        TEST(with_its_auth_value_a_key_signs),
        TEST(without_one_it_is_not_even_tried),
        TEST(a_wrong_one_is_tried_once),
        TEST(one_that_is_too_long_is_refused),
#undef TEST
    };

    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
