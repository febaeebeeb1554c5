/* SPDX-License-Identifier: Apache-2.0 */
/* Keys with an auth value, which on a token is its PIN. */
#include "contract.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define RIGHT "correct horse"
#define WRONG "battery staple"
/* What devid_secret holds is a page at most. */
#define TOO_LONG 5000

/* The device's URI without a word of its PIN, which is then to be given. */
static const char *device_without_pin(char uri[URI_MAX])
{
    if (!on_token())
        return NULL;
    (void)snprintf(
        uri, URI_MAX, "%.*s",
        (int)(strstr(contract_device, "&pin-source=") - contract_device),
        contract_device);
    return uri;
}

static const char *right(void)
{
    static char pin[64];
    FILE *file;

    if (!on_token())
        return RIGHT;
    if (*pin == '\0') {
        file = fopen(strstr(contract_device, "file:") + strlen("file:"), "re");
        assert_non_null(file);
        assert_non_null(fgets(pin, sizeof(pin), file));
        assert_int_equal(fclose(file), 0);
        pin[strcspn(pin, "\n")] = '\0';
    }
    return pin;
}

/* From here on as in a program that knows neither key nor PIN. */
static void start_anew(void)
{
    struct devid_error err = {0};

    devid_free(&engine);
    devid_shutdown();
    assert_int_equal(contract_setup(NULL), 0);
    assert_int_equal(devid_set(engine, "pin-source", "ask", &err), DEVID_OK);
}

/* A new key with an auth value, opened from its own file as a program would. */
static struct devid_key *new_key_with_auth(const char *algorithm, bool stored)
{
    struct devid_key_spec spec = stored_spec(algorithm);
    struct devid_key *made = NULL;
    struct devid_key *key = NULL;
    struct devid_error err = {0};
    char uri[URI_MAX];
    char *pem = NULL;
    size_t len = 0;
    enum devid_err e;

    if (!stored)
        spec.persist = NULL;
    spec.device = device_without_pin(uri);
    spec.auth = right();
    spec.auth_len = strlen(right());
    start_anew();
    e = devid_key_create(engine, &spec, &made, &err);
    if (e != DEVID_OK)
        print_error("%s\n", err.text);
    assert_int_equal(e, DEVID_OK);
    assert_int_equal(devid_key_to_pem(made, &pem, &len, &err), DEVID_OK);
    devid_key_free(&made);
    start_anew();
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
    assert_null(strstr(err.text, right()));
    assert_null(strstr(err.text, WRONG));
    assert_int_equal(sig.len, 0);
    return err.device_rc;
}

static void with_its_auth_value_a_key_signs(void **state)
{
    static const char *const algorithms[] = {"ec-p256", "rsa-2048"};
    size_t i;
    int stored;

    (void)state;
    for (i = 0; i < COUNT(algorithms); i++) {
        for (stored = 0; stored < 2; stored++) {
            struct devid_key *key =
                new_key_with_auth(algorithms[i], stored != 0);

            give(key, right());
            expect_works(key);
            expect_works(key);
            stored_remove(&key);
        }
    }
}

static void without_one_it_is_not_even_tried(void **state)
{
    struct devid_key *key = new_key_with_auth("ec-p256", false);
    struct devid_key_info info;

    (void)state;
    assert_int_equal(
        expect_refused(key, on_token() ? "this key needs its PIN, and none was"
                                       : "this key needs its auth value, and"),
        0);
    devid_key_info(key, &info);
    assert_true(info.needs_auth);
    give(key, right());
    expect_works(key);
    stored_remove(&key);
}

static void a_wrong_one_is_tried_once(void **state)
{
    struct devid_key *key = new_key_with_auth("ec-p256", false);

    (void)state;
    give(key, WRONG);
    assert_int_not_equal(expect_refused(key, on_token()
                                                 ? "refused the PIN"
                                                 : "refused the auth value"),
                         0);
    assert_int_equal(expect_refused(key, "before"), 0);
    assert_int_equal(expect_refused(key, "before"), 0);
    give(key, right());
    expect_works(key);
    stored_remove(&key);
}

static void one_that_is_too_long_is_refused(void **state)
{
    static const char value[TOO_LONG] = "0123456789";
    char uri[URI_MAX];
    const struct devid_key_spec spec = {.device = device_without_pin(uri),
                                        .algorithm = "ec-p256",
                                        .auth = value,
                                        .auth_len = sizeof(value)};
    struct devid_key *key = NULL;
    struct devid_error err = {0};

    (void)state;
    start_anew();
    assert_int_equal(devid_key_create(engine, &spec, &key, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, on_token() ? "longer than" : "32");
    assert_null(key);
}

int contract_auth(void)
{
    const struct CMUnitTest tests[] = {
        STORED_TEST(with_its_auth_value_a_key_signs),
        STORED_TEST(without_one_it_is_not_even_tried),
        STORED_TEST(a_wrong_one_is_tried_once),
        STORED_TEST(one_that_is_too_long_is_refused),
    };

    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
