/* SPDX-License-Identifier: Apache-2.0 */
/* Verification in software, and ECDSA's two forms. */
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <string.h>

#define TEXT "attack at dawn"

static void fill_tbs(struct devid_tbs *tbs, enum devid_scheme scheme,
                     const char *hash, uint8_t digest[64])
{
    memset(tbs, 0, sizeof(*tbs));
    tbs->scheme = scheme;
    tbs->hash = devid_hash_by_name(hash);
    assert_non_null(tbs->hash);
    digest_text(tbs->hash, TEXT, digest);
    tbs->digest = digest;
    tbs->digest_len = tbs->hash->len;
    tbs->salt_len = scheme == DEVID_RSA_PSS ? tbs->hash->len : 0;
}

/* A good signature verifies; with one bit changed anywhere it does not. */
static void expect_told_apart(const char *algorithm, struct devid_tbs *tbs)
{
    EVP_PKEY *pkey = software_key(algorithm);
    struct devid_public pub;
    struct devid_sig sig = {0};
    struct devid_error err = {0};
    uint8_t other[64];
    const uint8_t *digest = tbs->digest;

    software_public(pkey, &pub);
    software_sign(pkey, tbs, &sig);
    EVP_PKEY_free(pkey);
    assert_int_equal(devid_verify(&pub, NULL, tbs, &sig, &err), DEVID_OK);

    sig.data[sig.len - 1] ^= 1;
    assert_int_equal(devid_verify(&pub, NULL, tbs, &sig, &err),
                     DEVID_ERR_WRONG_KEY);
    expect_text(&err, "the signature does not verify with this public key");
    sig.data[sig.len - 1] ^= 1;

    memcpy(other, tbs->digest, tbs->digest_len);
    other[0] ^= 1;
    tbs->digest = other;
    assert_int_equal(devid_verify(&pub, NULL, tbs, &sig, &err),
                     DEVID_ERR_WRONG_KEY);
    tbs->digest = digest;

    sig.len--;
    assert_int_equal(devid_verify(&pub, NULL, tbs, &sig, &err),
                     DEVID_ERR_WRONG_KEY);
    expect_text(&err, "another key made it, or over other data");
}

static void good_signatures_are_told_from_bad_ones(void **state)
{
    static const struct {
        const char *algorithm;
        enum devid_scheme scheme;
        const char *hash;
    } rows[] = {
        {"ec-p256", DEVID_ECDSA, "SHA256"},
        {"ec-p256", DEVID_ECDSA, "SHA512"},
        {"ec-p256", DEVID_ECDSA, "SHA1"},
        {"ec-p256", DEVID_ECDSA, "SHA3-384"},
        {"ec-p384", DEVID_ECDSA, "SHA384"},
        {"ec-p521", DEVID_ECDSA, "SHA512"},
        {"rsa-2048", DEVID_RSA_PKCS1, "SHA256"},
        {"rsa-2048", DEVID_RSA_PKCS1, "SHA512-256"},
        {"rsa-2048", DEVID_RSA_PKCS1, "MD5-SHA1"},
        {"rsa-3072", DEVID_RSA_PKCS1, "SHA3-512"},
        {"rsa-2048", DEVID_RSA_PSS, "SHA256"},
        {"rsa-4096", DEVID_RSA_PSS, "SHA512"},
        {"rsa-pss-2048", DEVID_RSA_PSS, "SHA256"},
        {"rsa-pss-4096", DEVID_RSA_PSS, "SHA512"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        uint8_t digest[64];
        struct devid_tbs tbs;

        fill_tbs(&tbs, rows[i].scheme, rows[i].hash, digest);
        expect_told_apart(rows[i].algorithm, &tbs);
    }
}

static void pkcs1_without_a_hash_verifies_the_data_itself(void **state)
{
    static const uint8_t data[51] = {0x30, 0x31};
    struct devid_tbs tbs = {
        .scheme = DEVID_RSA_PKCS1, .digest = data, .digest_len = sizeof(data)};

    (void)state;
    expect_told_apart("rsa-2048", &tbs);
}

static void the_salt_length_and_mask_must_be_those_that_were_used(void **state)
{
    EVP_PKEY *pkey = software_key("rsa-2048");
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_public pub;
    struct devid_sig sig = {0};
    struct devid_error err = {0};

    (void)state;
    fill_tbs(&tbs, DEVID_RSA_PSS, "SHA256", digest);
    tbs.salt_len = 20;
    tbs.mgf1 = devid_hash_by_name("SHA1");
    software_public(pkey, &pub);
    software_sign(pkey, &tbs, &sig);
    EVP_PKEY_free(pkey);
    assert_int_equal(devid_verify(&pub, NULL, &tbs, &sig, &err), DEVID_OK);
    tbs.salt_len = 32;
    assert_int_equal(devid_verify(&pub, NULL, &tbs, &sig, &err),
                     DEVID_ERR_WRONG_KEY);
    tbs.salt_len = 20;
    tbs.mgf1 = NULL;
    assert_int_equal(devid_verify(&pub, NULL, &tbs, &sig, &err),
                     DEVID_ERR_WRONG_KEY);
}

static void another_key_does_not_verify(void **state)
{
    EVP_PKEY *pkey = software_key("ec-p256");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_public pub;
    struct devid_sig sig = {0};
    struct devid_error err = {0};

    (void)state;
    fill_tbs(&tbs, DEVID_ECDSA, "SHA256", digest);
    software_sign(pkey, &tbs, &sig);
    software_public(other, &pub);
    assert_int_equal(devid_verify(&pub, NULL, &tbs, &sig, &err),
                     DEVID_ERR_WRONG_KEY);
    EVP_PKEY_free(other);
    EVP_PKEY_free(pkey);
}

static void a_scheme_of_the_other_type_is_refused(void **state)
{
    EVP_PKEY *pkey = software_key("ec-p256");
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_public pub;
    struct devid_sig sig = {.len = 64};
    struct devid_error err = {0};

    (void)state;
    fill_tbs(&tbs, DEVID_RSA_PKCS1, "SHA256", digest);
    software_public(pkey, &pub);
    EVP_PKEY_free(pkey);
    assert_int_equal(devid_verify(&pub, NULL, &tbs, &sig, &err),
                     DEVID_ERR_USAGE);
    expect_text(&err, "the signature's scheme does not fit the key's type");
}

static void a_hash_that_openssl_lacks_is_named(void **state)
{
    static const struct devid_hash unknown = {"KANGAROO", 0, 32};
    EVP_PKEY *pkey = software_key("rsa-2048");
    uint8_t digest[64];
    struct devid_tbs tbs;
    struct devid_public pub;
    struct devid_sig sig = {.len = 256};
    struct devid_error err = {0};

    (void)state;
    software_public(pkey, &pub);
    EVP_PKEY_free(pkey);
    fill_tbs(&tbs, DEVID_RSA_PSS, "SHA256", digest);
    tbs.hash = &unknown;
    assert_int_equal(devid_verify(&pub, NULL, &tbs, &sig, &err), DEVID_ERR_ALG);
    expect_text(&err, "OpenSSL cannot verify such a signature (hash KANGAROO)");
    tbs.scheme = DEVID_RSA_PKCS1;
    assert_int_equal(devid_verify(&pub, NULL, &tbs, &sig, &err), DEVID_ERR_ALG);
}

static void ecdsa_goes_to_der_and_back(void **state)
{
    static const size_t coordinates[] = {32, 48, 66};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(coordinates); i++) {
        struct devid_sig sig = {.len = 2 * coordinates[i]};
        struct devid_sig again = {0};
        struct devid_error err = {0};
        uint8_t *der = NULL;
        size_t len = 0;

        /* r has leading zeros, s a set uppermost bit. */
        sig.data[coordinates[i] - 1] = 7;
        sig.data[coordinates[i]] = 0x80;
        assert_int_equal(devid_ecdsa_to_der(&sig, &der, &len, &err), DEVID_OK);
        assert_int_equal(
            devid_ecdsa_from_der(der, len, coordinates[i], &again, &err),
            DEVID_OK);
        assert_int_equal(again.len, sig.len);
        assert_memory_equal(again.data, sig.data, sig.len);
        OPENSSL_free(der);
    }
}

static void bad_ecdsa_der_is_refused(void **state)
{
    static const struct {
        size_t len;
        uint8_t der[12];
    } rows[] = {
        {0, {0}},
        {2, {0x30, 0x00}},
        {5, {0x30, 0x03, 0x02, 0x01, 0x01}},
        {9, {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00}},
        {8, {0x30, 0x06, 0x02, 0x01, 0xff, 0x02, 0x01, 0x01}},
        {9, {0x30, 0x07, 0x02, 0x02, 0x01, 0x00, 0x02, 0x01, 0x01}},
        {8, {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x02, 0x01}},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_sig sig = {.len = 9};
        struct devid_error err = {0};

        assert_int_equal(
            devid_ecdsa_from_der(rows[i].der, rows[i].len, 1, &sig, &err),
            DEVID_ERR_INPUT);
        expect_text(&err, "the ECDSA signature is no DER of two numbers of 1");
        assert_int_equal(sig.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_signatures_are_told_from_bad_ones),
        cmocka_unit_test(pkcs1_without_a_hash_verifies_the_data_itself),
        cmocka_unit_test(the_salt_length_and_mask_must_be_those_that_were_used),
        cmocka_unit_test(another_key_does_not_verify),
        cmocka_unit_test(a_scheme_of_the_other_type_is_refused),
        cmocka_unit_test(a_hash_that_openssl_lacks_is_named),
        cmocka_unit_test(ecdsa_goes_to_der_and_back),
        cmocka_unit_test(bad_ecdsa_der_is_refused),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
