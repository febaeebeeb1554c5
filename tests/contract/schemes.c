/* SPDX-License-Identifier: Apache-2.0 */
/* Every scheme with every hash: signed by the device, verified in software. */
#include "contract.h"

#include <string.h>

static void ecdsa_signs_a_digest_of_any_hash(void **state)
{
    static const char *const algorithms[] = {"ec-p256", "ec-p384", "ec-p521"};
    const struct devid_hash *h;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(algorithms); i++) {
        struct devid_key *key = try_key(algorithms[i], false);

        for (h = devid_hashes(); key != NULL && h->name != NULL; h++) {
            uint8_t digest[64];
            struct devid_tbs tbs;

            fill_tbs(&tbs, DEVID_ECDSA, h, digest);
            expect_signs(key, &tbs);
        }
        devid_key_free(&key);
    }
}

static void ecdsa_signs_bytes_that_name_no_hash(void **state)
{
    static const size_t lengths[] = {1, 20, 31, 32, 33, 48, 64};
    static const uint8_t data[64] = {0xff, 0, 0x80};
    struct devid_key *key = new_key("ec-p256");
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(lengths); i++) {
        const struct devid_tbs tbs = {
            .scheme = DEVID_ECDSA, .digest = data, .digest_len = lengths[i]};

        expect_signs(key, &tbs);
    }
    devid_key_free(&key);
}

static void rsa_signs_what_tls_asks_for(void **state)
{
    static const enum devid_scheme schemes[] = {DEVID_RSA_PKCS1, DEVID_RSA_PSS};
    static const char *const hashes[] = {"SHA256", "SHA384", "SHA512"};
    struct devid_key *key = new_key("rsa-2048");
    size_t i;
    size_t j;

    (void)state;
    for (i = 0; i < COUNT(schemes); i++) {
        for (j = 0; j < COUNT(hashes); j++) {
            uint8_t digest[64];
            struct devid_tbs tbs;

            fill_tbs(&tbs, schemes[i], devid_hash_by_name(hashes[j]), digest);
            expect_signs(key, &tbs);
        }
    }
    devid_key_free(&key);
}

/* Signed and verified, or refused with a sentence: never a wrong signature. */
static void expect_signs_or_refuses(struct devid_key *key,
                                    const struct devid_tbs *tbs)
{
    struct devid_sig sig = {0};
    struct devid_error err = {0};
    enum devid_err e = devid_key_sign(key, tbs, &sig, &err);

    if (e == DEVID_OK) {
        assert_int_equal(
            devid_verify(devid_key_public(key), NULL, tbs, &sig, &err),
            DEVID_OK);
        return;
    }
    assert_int_equal(e, DEVID_ERR_ALG);
    expect_text(&err, "--decrypt");
    assert_int_equal(sig.len, 0);
}

static void rsa_with_a_hash_that_the_device_lacks_says_what_helps(void **state)
{
    struct devid_key *key = new_key("rsa-2048");
    const struct devid_hash *h;
    uint8_t digest[64];
    struct devid_tbs tbs;

    (void)state;
    for (h = devid_hashes(); h->name != NULL; h++) {
        fill_tbs(&tbs, DEVID_RSA_PKCS1, h, digest);
        expect_signs_or_refuses(key, &tbs);
        if (strcmp(h->name, "MD5-SHA1") == 0)
            continue;
        fill_tbs(&tbs, DEVID_RSA_PSS, h, digest);
        expect_signs_or_refuses(key, &tbs);
        tbs.salt_len = 0;
        expect_signs_or_refuses(key, &tbs);
    }
    devid_key_free(&key);
}

static void rsa_that_may_decrypt_signs_everything(void **state)
{
    struct devid_key *key = try_key("rsa-2048", true);
    const struct devid_hash *h;
    uint8_t digest[64];
    struct devid_tbs tbs;

    (void)state;
    assert_non_null(key);
    for (h = devid_hashes(); h->name != NULL; h++) {
        fill_tbs(&tbs, DEVID_RSA_PKCS1, h, digest);
        expect_signs(key, &tbs);
        if (strcmp(h->name, "MD5-SHA1") == 0)
            continue;
        fill_tbs(&tbs, DEVID_RSA_PSS, h, digest);
        expect_signs(key, &tbs);
        tbs.salt_len = 0;
        expect_signs(key, &tbs);
        tbs.salt_len = 20;
        tbs.mgf1 = devid_hash_by_name("SHA1");
        expect_signs(key, &tbs);
    }
    devid_key_free(&key);
}

static void rsa_pads_bytes_that_name_no_hash(void **state)
{
    static const uint8_t data[100] = {0x30, 0x31};
    struct devid_key *key = try_key("rsa-2048", true);
    const struct devid_tbs tbs = {
        .scheme = DEVID_RSA_PKCS1, .digest = data, .digest_len = sizeof(data)};

    (void)state;
    assert_non_null(key);
    expect_signs(key, &tbs);
    devid_key_free(&key);
}

static void a_scheme_of_the_other_type_is_refused(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_sig sig = {.len = 77};
    struct devid_error err = {0};

    (void)state;
    fill_tbs(&tbs, DEVID_RSA_PSS, devid_hash_by_name("SHA256"), digest);
    assert_int_equal(devid_key_sign(key, &tbs, &sig, &err), DEVID_ERR_USAGE);
    expect_text(&err, "an RSA-PSS signature asked of an EC key");
    assert_int_equal(sig.len, 0);
    fill_tbs(&tbs, DEVID_ECDSA, devid_hash_by_name("SHA256"), digest);
    tbs.digest_len = 33;
    assert_int_equal(devid_key_sign(key, &tbs, &sig, &err), DEVID_ERR_USAGE);
    expect_text(&err, "a digest of 33 bytes is no SHA2-256 digest (32 bytes)");
    devid_key_free(&key);
}

int contract_schemes(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(ecdsa_signs_a_digest_of_any_hash),
        CONTRACT_TEST(ecdsa_signs_bytes_that_name_no_hash),
        CONTRACT_TEST(rsa_signs_what_tls_asks_for),
        CONTRACT_TEST(rsa_with_a_hash_that_the_device_lacks_says_what_helps),
        CONTRACT_TEST(rsa_that_may_decrypt_signs_everything),
        CONTRACT_TEST(rsa_pads_bytes_that_name_no_hash),
        CONTRACT_TEST(a_scheme_of_the_other_type_is_refused),
    };

    return cmocka_run_group_tests_name("schemes", tests, NULL, NULL);
}
