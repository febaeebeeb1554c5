/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that stay in the device: persist, find, list, delete. */
#include "contract.h"

#include <openssl/crypto.h>

#include <string.h>

#define HANDLE "0x81000123"
#define URI "tpm2:handle=" HANDLE

#define OBJECTS_TEST(name)                                                     \
    cmocka_unit_test_setup_teardown(name, contract_setup, clean_up)

static struct devid_key *persist(const char *algorithm)
{
    const struct devid_key_spec spec = {.algorithm = algorithm,
                                        .persist = HANDLE};
    struct devid_key *key = NULL;
    struct devid_error err = {0};
    enum devid_err e = devid_key_create(engine, &spec, &key, &err);

    if (e != DEVID_OK)
        print_error("%s: %s\n", algorithm, err.text);
    assert_int_equal(e, DEVID_OK);
    return key;
}

static void remove_key(void)
{
    struct devid_error err = {0};

    assert_int_equal(devid_delete(engine, URI, &err), DEVID_OK);
}

/* A case that failed leaves nothing in the next one's way. */
static int clean_up(void **state)
{
    enum devid_err e = devid_delete(engine, URI, NULL);

    return contract_teardown(state) == 0 &&
                   (e == DEVID_OK || e == DEVID_ERR_NOT_FOUND)
               ? 0
               : -1;
}

static void a_persistent_key_is_found_by_its_uri(void **state)
{
    static const char *const algorithms[] = {"ec-p256", "ec-p384", "rsa-2048"};
    static const char *const uris[] = {URI, "handle:" HANDLE};
    size_t i;
    size_t j;

    (void)state;
    for (i = 0; i < COUNT(algorithms); i++) {
        struct devid_key *key = persist(algorithms[i]);

        expect_works(key);
        for (j = 0; j < COUNT(uris); j++) {
            struct devid_key *found = NULL;
            struct devid_key_info info;
            struct devid_error err = {0};

            assert_int_equal(devid_key_from_uri(engine, uris[j], &found, &err),
                             DEVID_OK);
            assert_true(devid_public_equal(devid_key_public(key),
                                           devid_key_public(found)));
            expect_works(found);
            devid_key_info(found, &info);
            assert_string_equal(info.uri, URI);
            assert_string_equal(info.format, "DEVID KEY REFERENCE");
            devid_key_free(&found);
        }
        devid_key_free(&key);
        remove_key();
    }
}

static void a_reference_finds_its_key_again(void **state)
{
    struct devid_key *key = persist("ec-p256");
    struct devid_key *again = NULL;
    struct devid_error err = {0};
    char *pem = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_key_to_pem(key, &pem, &len, &err), DEVID_OK);
    assert_non_null(strstr(pem, "BEGIN DEVID KEY REFERENCE"));
    devid_key_free(&key);
    assert_int_equal(devid_key_from_pem(engine, pem, len, &again, &err),
                     DEVID_OK);
    expect_works(again);
    devid_key_free(&again);
    OPENSSL_free(pem);
    remove_key();
}

static void a_handle_that_is_taken_is_refused(void **state)
{
    const struct devid_key_spec spec = {.algorithm = "ec-p256",
                                        .persist = HANDLE};
    struct devid_key *key = persist("ec-p256");
    struct devid_key *second = NULL;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_key_create(engine, &spec, &second, &err),
                     DEVID_ERR_EXISTS);
    expect_text(&err, HANDLE);
    assert_null(second);
    expect_works(key);
    devid_key_free(&key);
    remove_key();
}

static void what_is_deleted_is_gone(void **state)
{
    struct devid_key *key = persist("ec-p256");
    struct devid_key *none = NULL;
    struct devid_error err = {0};
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_sig sig = {.len = 77};

    (void)state;
    remove_key();
    assert_int_equal(devid_key_from_uri(engine, URI, &none, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err, HANDLE);
    assert_null(none);
    assert_int_equal(devid_delete(engine, URI, &err), DEVID_ERR_NOT_FOUND);
    expect_text(&err, HANDLE);
    fill_tbs(&tbs, DEVID_ECDSA, devid_hash_by_name("SHA256"), digest);
    assert_int_equal(devid_key_sign(key, &tbs, &sig, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err, HANDLE);
    assert_int_equal(sig.len, 0);
    devid_key_free(&key);
}

static void another_key_at_the_same_place_does_not_sign(void **state)
{
    struct devid_key *key = persist("ec-p256");
    struct devid_key *old = NULL;
    struct devid_error err = {0};
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_sig sig = {.len = 77};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_key_to_der(key, &der, &len, &err), DEVID_OK);
    devid_key_free(&key);
    remove_key();
    key = persist("ec-p256");
    assert_int_equal(devid_key_from_der(engine, der, len, NULL, &old, &err),
                     DEVID_OK);
    fill_tbs(&tbs, DEVID_ECDSA, devid_hash_by_name("SHA256"), digest);
    assert_int_equal(devid_key_sign(old, &tbs, &sig, &err),
                     DEVID_ERR_WRONG_KEY);
    expect_text(&err, HANDLE);
    assert_int_equal(sig.len, 0);
    devid_key_free(&old);
    devid_key_free(&key);
    OPENSSL_free(der);
    remove_key();
}

struct seen {
    const struct devid_public *pub;
    unsigned keys;
    unsigned matches;
};

static enum devid_err look(const struct devid_object *object, void *arg,
                           struct devid_error *err)
{
    struct seen *seen = arg;

    (void)err;
    if (object->type != DEVID_OBJECT_KEY)
        return DEVID_OK;
    seen->keys++;
    if (strcmp(object->uri, URI) == 0 && object->has_public &&
        devid_public_equal(&object->public_key, seen->pub))
        seen->matches++;
    return DEVID_OK;
}

static enum devid_err stop(const struct devid_object *object, void *arg,
                           struct devid_error *err)
{
    unsigned *calls = arg;

    (void)object;
    (*calls)++;
    return devid_fail(err, DEVID_ERR_USAGE, 0, "that is enough");
}

static void a_persistent_key_is_listed_once(void **state)
{
    struct devid_key *key = persist("ec-p256");
    struct seen seen = {.pub = devid_key_public(key)};
    struct devid_error err = {0};
    unsigned calls = 0;

    (void)state;
    assert_int_equal(devid_list(engine, NULL, look, &seen, &err), DEVID_OK);
    assert_int_equal(seen.matches, 1);
    assert_int_equal(devid_list(engine, "tpm2:", stop, &calls, &err),
                     DEVID_ERR_USAGE);
    assert_int_equal(calls, 1);
    expect_text(&err, "that is enough");
    devid_key_free(&key);
    remove_key();
    seen.matches = 0;
    assert_int_equal(devid_list(engine, NULL, look, &seen, &err), DEVID_OK);
    assert_int_equal(seen.matches, 0);
}

static void an_empty_place_for_a_certificate_is_not_found(void **state)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 9;

    (void)state;
    assert_int_equal(
        devid_cert_read(engine, "tpm2:nv=0x01c90299", &der, &len, &err),
        DEVID_ERR_NOT_FOUND);
    expect_text(&err, "0x01c90299");
    assert_null(der);
    assert_int_equal(len, 0);
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

static void a_device_says_who_it_is_and_says_it_again(void **state)
{
    struct devid_device_info first;
    struct devid_device_info second;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_whoami(engine, NULL, &first, &err), DEVID_OK);
    assert_int_equal(devid_whoami(engine, "tpm2:", &second, &err), DEVID_OK);
    assert_int_equal(strlen(first.id), 64);
    assert_string_equal(first.id, second.id);
    assert_true(first.manufacturer[0] != '\0');
    assert_true(first.id_source[0] != '\0');
}

int contract_objects(void)
{
    const struct CMUnitTest tests[] = {
        OBJECTS_TEST(a_persistent_key_is_found_by_its_uri),
        OBJECTS_TEST(a_reference_finds_its_key_again),
        OBJECTS_TEST(a_handle_that_is_taken_is_refused),
        OBJECTS_TEST(what_is_deleted_is_gone),
        OBJECTS_TEST(another_key_at_the_same_place_does_not_sign),
        OBJECTS_TEST(a_persistent_key_is_listed_once),
        OBJECTS_TEST(an_empty_place_for_a_certificate_is_not_found),
        OBJECTS_TEST(bad_uris_are_refused),
        OBJECTS_TEST(a_device_says_who_it_is_and_says_it_again),
    };

    return cmocka_run_group_tests_name("objects", tests, NULL, NULL);
}
