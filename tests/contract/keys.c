/* SPDX-License-Identifier: Apache-2.0 */
/* Making keys, writing them down, opening them again. */
#include "contract.h"

#include "keyfile.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string.h>

static void every_algorithm_is_made_or_refused_with_a_list(void **state)
{
    const struct devid_algorithm *a;

    (void)state;
    for (a = devid_algorithms(); a->name != NULL; a++) {
        struct devid_key *key = try_key(a->name, false);
        const struct devid_public *pub;
        EVP_PKEY *pkey = NULL;
        struct devid_error err = {0};

        if (key == NULL) {
            print_message("  the device has no %s\n", a->name);
            continue;
        }
        pub = devid_key_public(key);
        assert_ptr_equal(pub->alg, a);
        assert_int_equal(pub->type, a->type);
        assert_int_equal(pub->bits, a->bits);
        assert_int_equal(pub->coordinate_len, a->coordinate_len);
        assert_int_equal(devid_public_to_pkey(pub, NULL, &pkey, &err),
                         DEVID_OK);
        EVP_PKEY_free(pkey);
        expect_works(key);
        devid_key_free(&key);
    }
}

static void two_keys_are_not_one(void **state)
{
    struct devid_key *a = new_key("ec-p256");
    struct devid_key *b = new_key("ec-p256");

    (void)state;
    assert_false(devid_public_equal(devid_key_public(a), devid_key_public(b)));
    devid_key_free(&a);
    devid_key_free(&b);
}

static void a_key_is_the_same_from_der_and_from_pem(void **state)
{
    static const char *const algorithms[] = {"ec-p256", "ec-p384", "rsa-2048"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(algorithms); i++) {
        struct devid_key *key = new_key(algorithms[i]);
        struct devid_key *from_der = NULL;
        struct devid_key *from_pem = NULL;
        struct devid_error err = {0};
        uint8_t *der = NULL;
        char *pem = NULL;
        size_t len = 0;

        assert_int_equal(devid_key_to_der(key, &der, &len, &err), DEVID_OK);
        assert_int_equal(
            devid_key_from_der(engine, der, len, NULL, &from_der, &err),
            DEVID_OK);
        assert_int_equal(devid_key_to_pem(key, &pem, &len, &err), DEVID_OK);
        assert_int_equal(devid_key_from_pem(engine, pem, len, &from_pem, &err),
                         DEVID_OK);
        /* The file alone must do. */
        devid_key_free(&key);
        assert_true(devid_public_equal(devid_key_public(from_der),
                                       devid_key_public(from_pem)));
        expect_works(from_der);
        expect_works(from_pem);
        OPENSSL_free(der);
        OPENSSL_free(pem);
        devid_key_free(&from_der);
        devid_key_free(&from_pem);
    }
}

static void a_key_file_outlives_its_engine(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    struct devid_key *again = NULL;
    struct devid_error err = {0};
    char *pem = NULL;
    size_t len = 0;

    assert_int_equal(devid_key_to_pem(key, &pem, &len, &err), DEVID_OK);
    devid_key_free(&key);
    assert_int_equal(contract_teardown(state), 0);
    assert_int_equal(contract_setup(state), 0);
    assert_int_equal(devid_key_from_pem(engine, pem, len, &again, &err),
                     DEVID_OK);
    expect_works(again);
    devid_key_free(&again);
    OPENSSL_free(pem);
}

static void a_damaged_key_file_makes_no_signature(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    struct devid_key *damaged = NULL;
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_sig sig = {.len = 77};
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e;

    (void)state;
    fill_tbs(&tbs, DEVID_ECDSA, devid_hash_by_name("SHA256"), digest);
    assert_int_equal(devid_key_to_der(key, &der, &len, &err), DEVID_OK);
    devid_key_free(&key);
    der[len - 10] ^= 0x55;
    e = devid_key_from_der(engine, der, len, NULL, &damaged, &err);
    if (e == DEVID_OK) { /* a private part: it shows at first use */
        e = devid_key_sign(damaged, &tbs, &sig, &err);
        assert_int_equal(sig.len, 0);
    } else { /* a reference, which ends with its public key */
        expect_text(&err, "its point is not on the curve P-256");
    }
    assert_int_not_equal(e, DEVID_OK);
    expect_text(&err, " ");
    devid_key_free(&damaged);
    OPENSSL_free(der);

    /* And the device is none the worse for it. */
    key = new_key("ec-p256");
    expect_works(key);
    devid_key_free(&key);
}

static void keys_under_each_hierarchy_work(void **state)
{
    static const char *const parents[] = {"owner", "endorsement", "null"};
    size_t i;

    (void)state;
    if (contract_device != NULL)
        skip(); /* a token has none */
    for (i = 0; i < COUNT(parents); i++) {
        const struct devid_key_spec spec = {.algorithm = "ec-p256",
                                            .parent = parents[i]};
        struct devid_key *key = NULL;
        struct devid_error err = {0};
        enum devid_err e = devid_key_create(engine, &spec, &key, &err);

        if (e != DEVID_OK)
            print_error("%s: %s\n", parents[i], err.text);
        assert_int_equal(e, DEVID_OK);
        expect_works(key);
        devid_key_free(&key);
    }
}

static void bad_specs_are_refused(void **state)
{
    static const struct {
        struct devid_key_spec spec;
        enum devid_err code;
        const char *sentence;
    } rows[] = {
        {{.algorithm = "ec-p999"}, DEVID_ERR_INPUT, "ec-p999"},
        {{.algorithm = "ec-p256", .parent = "81000001"},
         DEVID_ERR_INPUT,
         "81000001"},
        {{.algorithm = "ec-p256", .parent = "0x8100zz"},
         DEVID_ERR_INPUT,
         "0x8100zz"},
        {{.algorithm = "ec-p256", .parent = "0x81777777"},
         DEVID_ERR_NOT_FOUND,
         "0x81777777"},
        {{.algorithm = "ec-p256", .persist = "0x01000000"},
         DEVID_ERR_INPUT,
         "0x01000000"},
        {{.algorithm = "ec-p256", .persist = "17"}, DEVID_ERR_INPUT, "17"},
        {{.algorithm = "ec-p256", .device = "nonsense:"},
         DEVID_ERR_INPUT,
         "'nonsense:' does not start with a scheme that devid knows"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_key *key = NULL;
        struct devid_error err = {0};
        struct devid_key_spec spec = rows[i].spec;
        enum devid_err e;

        if (spec.device == NULL)
            spec.device = contract_device;
        /* A token takes no parent at all, wherever it is. */
        if (contract_device != NULL && rows[i].code == DEVID_ERR_NOT_FOUND)
            continue;
        e = devid_key_create(engine, &spec, &key, &err);
        if (e != rows[i].code)
            print_error("row %zu: %s\n", i, err.text);
        assert_int_equal(e, rows[i].code);
        expect_text(&err, rows[i].sentence);
        assert_null(key);
    }
}

int contract_keys(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(every_algorithm_is_made_or_refused_with_a_list),
        CONTRACT_TEST(two_keys_are_not_one),
        CONTRACT_TEST(a_key_is_the_same_from_der_and_from_pem),
        CONTRACT_TEST(a_key_file_outlives_its_engine),
        CONTRACT_TEST(a_damaged_key_file_makes_no_signature),
        CONTRACT_TEST(keys_under_each_hierarchy_work),
        CONTRACT_TEST(bad_specs_are_refused),
    };

    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
