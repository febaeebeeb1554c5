/* SPDX-License-Identifier: Apache-2.0 */
/* What a token alone has: labels, attributes, URIs of RFC 7512. */
#include "contract.h"

#include <string.h>

static void two_keys_of_one_label_are_an_error_that_lists_them(void **state)
{
    struct devid_key *a = stored_new("ec-p256");
    struct devid_key *b = stored_new("ec-p256");
    struct devid_key *none = NULL;
    struct devid_error err = {0};
    char uris[2][URI_MAX];

    (void)state;
    stored_uris(uris);
    assert_int_equal(devid_key_from_uri(engine, uris[0], &none, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "more than one private key fits the URI");
    assert_non_null(strstr(err.text, "object=contract-stored"));
    assert_null(none);
    assert_int_equal(devid_delete(engine, uris[0], &err), DEVID_ERR_INPUT);
    stored_remove(&a);
    stored_remove(&b);
}

static enum devid_err look(const struct devid_object *object, void *arg,
                           struct devid_error *err)
{
    unsigned *keys = arg;

    (void)err;
    if (object->type == DEVID_OBJECT_KEY) {
        (*keys)++;
        assert_non_null(strstr(object->attributes, "never extractable"));
        assert_non_null(strstr(object->attributes, "always sensitive"));
    }
    return DEVID_OK;
}

static void keys_stay_in_the_token(void **state)
{
    struct devid_key *key = stored_new("ec-p256");
    struct devid_error err = {0};
    unsigned keys = 0;

    (void)state;
    assert_int_equal(devid_list(engine, contract_device, look, &keys, &err),
                     DEVID_OK);
    assert_true(keys > 0);
    stored_remove(&key);
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

int contract_token(void)
{
    const struct CMUnitTest tests[] = {
        STORED_TEST(two_keys_of_one_label_are_an_error_that_lists_them),
        STORED_TEST(keys_stay_in_the_token),
        STORED_TEST(bad_uris_are_refused),
    };

    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
