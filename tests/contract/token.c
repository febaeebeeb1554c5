/* SPDX-License-Identifier: Apache-2.0 */
/* Keys on a token: found by their URI, one of several, listed, deleted. */
#include "contract.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define LABEL "contract-token"
#define URI_MAX DEVID_URI_SIZE

/* The device's URI with more attributes in its path. */
static void make_uri(char uri[URI_MAX], const char *more)
{
    size_t path = strcspn(contract_device, "?");

    assert_true(snprintf(uri, URI_MAX, "%.*s;%s%s", (int)path, contract_device,
                         more, contract_device + path) < URI_MAX);
}

static struct devid_key *labelled(const char *algorithm)
{
    const struct devid_key_spec spec = {
        .device = contract_device, .algorithm = algorithm, .label = LABEL};
    struct devid_key *key = NULL;
    struct devid_error err = {0};
    enum devid_err e = devid_key_create(engine, &spec, &key, &err);

    if (e != DEVID_OK)
        print_error("%s: %s\n", algorithm, err.text);
    assert_int_equal(e, DEVID_OK);
    return key;
}

/* The URI that the key's reference holds. */
static void uri_of(const struct devid_key *key, char uri[URI_MAX])
{
    struct devid_key_info info;

    devid_key_info(key, &info);
    memcpy(uri, info.uri, URI_MAX);
}

static void remove_key(struct devid_key **key)
{
    struct devid_error err = {0};
    char uri[URI_MAX];

    uri_of(*key, uri);
    assert_int_equal(devid_delete(engine, uri, &err), DEVID_OK);
    devid_key_free(key);
}

static void a_key_is_found_by_its_label_and_by_its_reference(void **state)
{
    static const char *const algorithms[] = {"ec-p256", "ec-p521", "rsa-2048"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(algorithms); i++) {
        struct devid_key *key = labelled(algorithms[i]);
        char uris[2][URI_MAX];
        size_t j;

        make_uri(uris[0], "object=" LABEL ";type=private");
        uri_of(key, uris[1]);
        for (j = 0; j < 2; j++) {
            struct devid_key *found = NULL;
            struct devid_error err = {0};
            char reference[URI_MAX];

            assert_int_equal(devid_key_from_uri(engine, uris[j], &found, &err),
                             DEVID_OK);
            assert_true(devid_public_equal(devid_key_public(key),
                                           devid_key_public(found)));
            expect_works(found);
            uri_of(found, reference);
            assert_string_equal(reference, uris[1]);
            devid_key_free(&found);
        }
        remove_key(&key);
    }
}

static void two_keys_of_one_label_are_an_error_that_lists_them(void **state)
{
    struct devid_key *a = labelled("ec-p256");
    struct devid_key *b = labelled("ec-p256");
    struct devid_key *none = NULL;
    struct devid_error err = {0};
    char uri[URI_MAX];

    (void)state;
    make_uri(uri, "object=" LABEL);
    assert_int_equal(devid_key_from_uri(engine, uri, &none, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "more than one private key fits the URI");
    assert_non_null(strstr(err.text, "object=" LABEL));
    assert_null(none);
    assert_int_equal(devid_delete(engine, uri, &err), DEVID_ERR_INPUT);
    remove_key(&a);
    remove_key(&b);
}

static void what_is_deleted_is_gone(void **state)
{
    struct devid_key *key = labelled("ec-p256");
    struct devid_key *none = NULL;
    struct devid_error err = {0};
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_sig sig = {.len = 77};
    char uri[URI_MAX];

    (void)state;
    expect_works(key);
    uri_of(key, uri);
    assert_int_equal(devid_delete(engine, uri, &err), DEVID_OK);
    assert_int_equal(devid_key_from_uri(engine, uri, &none, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err, "has no private key that fits");
    assert_int_equal(devid_delete(engine, uri, &err), DEVID_ERR_NOT_FOUND);
    fill_tbs(&tbs, DEVID_ECDSA, devid_hash_by_name("SHA256"), digest);
    assert_int_equal(devid_key_sign(key, &tbs, &sig, &err),
                     DEVID_ERR_NOT_FOUND);
    assert_int_equal(sig.len, 0);
    devid_key_free(&key);
}

/* A reference of the one with the public key of the other. */
static void another_key_at_the_same_place_does_not_sign(void **state)
{
    struct devid_key *a = labelled("ec-p256");
    struct devid_key *b = labelled("ec-p256");
    struct devid_key *mixed = NULL;
    struct devid_error err = {0};
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_sig sig = {.len = 77};
    uint8_t *of_a = NULL;
    uint8_t *of_b = NULL;
    size_t len_a = 0;
    size_t len_b = 0;

    (void)state;
    assert_int_equal(devid_key_to_der(a, &of_a, &len_a, &err), DEVID_OK);
    assert_int_equal(devid_key_to_der(b, &of_b, &len_b, &err), DEVID_OK);
    assert_int_equal(len_a, len_b);
    memcpy(of_a + len_a - 64, of_b + len_b - 64, 64); /* the point's x, y */
    assert_int_equal(
        devid_key_from_der(engine, of_a, len_a, NULL, &mixed, &err), DEVID_OK);
    fill_tbs(&tbs, DEVID_ECDSA, devid_hash_by_name("SHA256"), digest);
    assert_int_equal(devid_key_sign(mixed, &tbs, &sig, &err),
                     DEVID_ERR_WRONG_KEY);
    expect_text(&err, "is another than the one that this file was made for");
    assert_int_equal(sig.len, 0);
    devid_key_free(&mixed);
    OPENSSL_free(of_a);
    OPENSSL_free(of_b);
    remove_key(&a);
    remove_key(&b);
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
        devid_public_equal(&object->public_key, seen->pub)) {
        seen->matches++;
        assert_non_null(strstr(object->attributes, "never extractable"));
        assert_non_null(strstr(object->attributes, "always sensitive"));
    }
    return DEVID_OK;
}

static void a_key_is_listed_once_and_stays_in_the_token(void **state)
{
    struct devid_key *key = labelled("ec-p256");
    struct seen seen = {.pub = devid_key_public(key)};
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_list(engine, contract_device, look, &seen, &err),
                     DEVID_OK);
    assert_int_equal(seen.matches, 1);
    remove_key(&key);
}

static void a_certificate_that_is_not_there_is_not_found(void **state)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 9;
    char uri[URI_MAX];

    (void)state;
    make_uri(uri, "object=nobody;type=cert");
    assert_true(devid_uri_is_cert(uri));
    assert_int_equal(devid_cert_read(engine, uri, &der, &len, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err, "has no certificate that fits");
    assert_null(der);
    assert_int_equal(len, 0);
}

static void bad_uris_are_refused(void **state)
{
    static const struct {
        const char *uri;
        const char *sentence;
    } rows[] = {
        {"pkcs11:;token=x", "an empty segment at character 8"},
        {"pkcs11:token=x;", "an empty segment at character 16"},
        {"pkcs11:token=x;token=y", "has token twice"},
        {"pkcs11:tokn=x", "unknown attribute 'tokn' at character 8"},
        {"pkcs11:token=x;module-path=/a", "wrong side of the question mark"},
        {"pkcs11:?token=x", "wrong side of the question mark"},
        {"pkcs11:slot-id=99999999999999999999", "no decimal number"},
        {"pkcs11:slot-id=1x", "no decimal number"},
        {"pkcs11:token=%zz", "malformed"},
        {"pkcs11:type=nonsense", "type is private"},
        {"pkcs11:object=", "has no value"},
        {"pkcs11:token=x?pin-value=12345&", "an empty segment"},
        {"pkcs11:token=my token", "a blank at character 16: write it as %20"},
        {"pkcs11:token=x?12345", "unknown attribute ''"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_key *key = NULL;
        struct devid_error err = {0};
        enum devid_err e = devid_key_from_uri(engine, rows[i].uri, &key, &err);

        if (e != DEVID_ERR_INPUT)
            print_error("%s: %s\n", rows[i].uri, err.text);
        assert_int_equal(e, DEVID_ERR_INPUT);
        expect_text(&err, rows[i].sentence);
        assert_null(strstr(err.text, "12345"));
        assert_null(key);
    }
}

static void a_token_says_who_it_is_and_says_it_again(void **state)
{
    struct devid_device_info first;
    struct devid_device_info second;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_whoami(engine, contract_device, &first, &err),
                     DEVID_OK);
    assert_int_equal(devid_whoami(engine, contract_device, &second, &err),
                     DEVID_OK);
    assert_int_equal(strlen(first.id), 64);
    assert_string_equal(first.id, second.id);
    assert_true(first.manufacturer[0] != '\0');
    assert_non_null(strstr(first.device, "serial"));
}

int contract_token(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(a_key_is_found_by_its_label_and_by_its_reference),
        CONTRACT_TEST(two_keys_of_one_label_are_an_error_that_lists_them),
        CONTRACT_TEST(what_is_deleted_is_gone),
        CONTRACT_TEST(another_key_at_the_same_place_does_not_sign),
        CONTRACT_TEST(a_key_is_listed_once_and_stays_in_the_token),
        CONTRACT_TEST(a_certificate_that_is_not_there_is_not_found),
        CONTRACT_TEST(bad_uris_are_refused),
        CONTRACT_TEST(a_token_says_who_it_is_and_says_it_again),
    };

    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
