/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that stay in the device: found, listed, deleted. */
#include "contract.h"

#include <openssl/crypto.h>

#include <string.h>

static void expect_not_signed(struct devid_key *key, enum devid_err expected,
                              const char *sentence)
{
    struct devid_error err = {0};
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_sig sig = {.len = 77};

    fill_tbs(&tbs, DEVID_ECDSA, devid_hash_by_name("SHA256"), digest);
    assert_int_equal(devid_key_sign(key, &tbs, &sig, &err), expected);
    expect_text(&err, sentence);
    assert_int_equal(sig.len, 0);
}

static void a_key_is_found_by_its_uris(void **state)
{
    static const char *const algorithms[] = {"ec-p256", "ec-p384", "rsa-2048"};
    size_t i;
    size_t j;

    (void)state;
    for (i = 0; i < COUNT(algorithms); i++) {
        struct devid_key *key = stored_new(algorithms[i]);
        char uris[3][URI_MAX];

        expect_works(key);
        stored_uris(uris);
        uri_of(key, uris[2]);
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
            assert_string_equal(info.uri, uris[2]);
            assert_string_equal(info.format, "DEVID KEY REFERENCE");
            devid_key_free(&found);
        }
        stored_remove(&key);
    }
}

static void a_reference_finds_its_key_again(void **state)
{
    struct devid_key *key = stored_new("ec-p256");
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
    stored_remove(&again);
    OPENSSL_free(pem);
}

static void what_is_deleted_is_gone(void **state)
{
    struct devid_key *key = stored_new("ec-p256");
    struct devid_key *none = NULL;
    struct devid_error err = {0};
    char uris[2][URI_MAX];

    (void)state;
    stored_uris(uris);
    expect_works(key);
    assert_int_equal(devid_delete(engine, uris[0], &err), DEVID_OK);
    assert_int_equal(devid_key_from_uri(engine, uris[0], &none, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err, stored_missing());
    assert_null(none);
    assert_int_equal(devid_delete(engine, uris[0], &err), DEVID_ERR_NOT_FOUND);
    expect_text(&err, stored_missing());
    expect_not_signed(key, DEVID_ERR_NOT_FOUND, stored_missing());
    devid_key_free(&key);
}

/* A reference to the one with the public key of the other. */
static void a_key_that_is_not_the_files_does_not_sign(void **state)
{
    struct devid_key *a = stored_new("ec-p256");
    struct devid_key *b = new_key("ec-p256");
    const struct devid_public *pub = devid_key_public(b);
    struct devid_key *mixed = NULL;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_key_to_der(a, &der, &len, &err), DEVID_OK);
    memcpy(der + len - 64, pub->x, 32); /* the point ends the file */
    memcpy(der + len - 32, pub->y, 32);
    assert_int_equal(devid_key_from_der(engine, der, len, NULL, &mixed, &err),
                     DEVID_OK);
    assert_true(devid_public_equal(devid_key_public(mixed), pub));
    expect_not_signed(mixed, DEVID_ERR_WRONG_KEY, "another");
    devid_key_free(&mixed);
    OPENSSL_free(der);
    stored_remove(&a);
    stored_remove(&b);
}

struct seen {
    const struct devid_public *pub;
    unsigned matches;
};

static enum devid_err look(const struct devid_object *object, void *arg,
                           struct devid_error *err)
{
    struct seen *seen = arg;

    (void)err;
    if (object->type == DEVID_OBJECT_KEY && object->has_public &&
        devid_public_equal(&object->public_key, seen->pub))
        seen->matches++;
    return DEVID_OK;
}

static enum devid_err stop_listing(const struct devid_object *object, void *arg,
                                   struct devid_error *err)
{
    unsigned *calls = arg;

    (void)object;
    (*calls)++;
    return devid_fail(err, DEVID_ERR_USAGE, 0, "that is enough");
}

static void a_key_is_listed_once(void **state)
{
    struct devid_key *key = stored_new("ec-p256");
    struct devid_public pub = *devid_key_public(key);
    struct seen seen = {.pub = &pub};
    struct devid_error err = {0};
    unsigned calls = 0;

    (void)state;
    assert_int_equal(devid_list(engine, contract_device, look, &seen, &err),
                     DEVID_OK);
    assert_int_equal(seen.matches, 1);
    assert_int_equal(
        devid_list(engine, contract_device, stop_listing, &calls, &err),
        DEVID_ERR_USAGE);
    assert_int_equal(calls, 1);
    expect_text(&err, "that is enough");
    stored_remove(&key);
    seen.matches = 0;
    assert_int_equal(devid_list(engine, contract_device, look, &seen, &err),
                     DEVID_OK);
    assert_int_equal(seen.matches, 0);
}

static void a_certificate_that_is_not_there_is_not_found(void **state)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 9;
    char uri[URI_MAX] = "tpm2:nv=0x01c90299";

    (void)state;
    if (on_token())
        token_uri(uri, "object=nobody;type=cert");
    assert_true(devid_uri_is_cert(uri));
    assert_int_equal(devid_cert_read(engine, uri, &der, &len, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err,
                on_token() ? "has no certificate that fits" : "0x01c90299");
    assert_null(der);
    assert_int_equal(len, 0);
}

static void a_device_says_who_it_is_and_says_it_again(void **state)
{
    struct devid_device_info first;
    struct devid_device_info second;
    struct devid_error err = {0};
    const char *again = on_token() ? contract_device : "tpm2:";

    (void)state;
    assert_int_equal(devid_whoami(engine, contract_device, &first, &err),
                     DEVID_OK);
    assert_int_equal(devid_whoami(engine, again, &second, &err), DEVID_OK);
    assert_int_equal(strlen(first.id), 64);
    assert_string_equal(first.id, second.id);
    assert_true(first.manufacturer[0] != '\0');
    assert_true(first.id_source[0] != '\0');
}

int contract_objects(void)
{
    const struct CMUnitTest tests[] = {
        STORED_TEST(a_key_is_found_by_its_uris),
        STORED_TEST(a_reference_finds_its_key_again),
        STORED_TEST(what_is_deleted_is_gone),
        STORED_TEST(a_key_that_is_not_the_files_does_not_sign),
        STORED_TEST(a_key_is_listed_once),
        STORED_TEST(a_certificate_that_is_not_there_is_not_found),
        STORED_TEST(a_device_says_who_it_is_and_says_it_again),
    };

    return cmocka_run_group_tests_name("objects", tests, NULL, NULL);
}
