/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include <string.h>

static void coding_agrees_with_openssl_for_every_algorithm(void **state)
{
    const struct devid_algorithm *a;

    (void)state;
    for (a = devid_algorithms(); a->name != NULL; a++) {
        EVP_PKEY *pkey = software_key(a->name);
        struct devid_public pub;
        struct devid_error err = {0};
        uint8_t *theirs = NULL;
        uint8_t *ours = NULL;
        size_t len = 0;
        int n = i2d_PUBKEY(pkey, &theirs);

        assert_true(n > 0);
        assert_int_equal(devid_public_from_spki(theirs, (size_t)n, &pub, &err),
                         DEVID_OK);
        assert_int_equal(pub.type, a->type);
        assert_int_equal(pub.bits, a->bits);
        assert_ptr_equal(pub.alg, a);
        assert_int_equal(devid_public_to_spki(&pub, &ours, &len, &err),
                         DEVID_OK);
        assert_int_equal(len, n);
        assert_memory_equal(ours, theirs, len);
        OPENSSL_free(ours);
        OPENSSL_free(theirs);
        EVP_PKEY_free(pkey);
    }
}

static void a_pkey_is_the_key_it_was_made_of(void **state)
{
    const struct devid_algorithm *a;

    (void)state;
    for (a = devid_algorithms(); a->name != NULL; a++) {
        EVP_PKEY *pkey = software_key(a->name);
        EVP_PKEY *again = NULL;
        struct devid_public pub;
        struct devid_error err = {0};

        software_public(pkey, &pub);
        assert_int_equal(devid_public_to_pkey(&pub, NULL, &again, &err),
                         DEVID_OK);
        assert_int_equal(EVP_PKEY_eq(pkey, again), 1);
        EVP_PKEY_free(again);
        EVP_PKEY_free(pkey);
    }
}

/* Trailing zero bits of the last byte belong to the number. */
static void a_coordinate_that_ends_in_zeros_is_kept(void **state)
{
    struct devid_public pub;
    struct devid_public again;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    do { /* every 256th key is one */
        EVP_PKEY *pkey = EVP_EC_gen("P-256");

        software_public(pkey, &pub);
        EVP_PKEY_free(pkey);
    } while (pub.y[31] != 0);
    assert_int_equal(devid_public_to_spki(&pub, &der, &len, &err), DEVID_OK);
    assert_int_equal(len, 91);
    assert_int_equal(devid_public_from_spki(der, len, &again, &err), DEVID_OK);
    assert_true(devid_public_equal(&pub, &again));
    OPENSSL_free(der);
}

static void a_point_off_its_curve_becomes_no_pkey(void **state)
{
    EVP_PKEY *pkey = software_key("ec-p256");
    EVP_PKEY *none = NULL;
    struct devid_public pub;
    struct devid_error err = {0};

    (void)state;
    software_public(pkey, &pub);
    EVP_PKEY_free(pkey);
    pub.y[31] ^= 1;
    assert_int_equal(devid_public_to_pkey(&pub, NULL, &none, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "its point is not on the curve");
    assert_null(none);
}

static void nothing_is_fetched_for_coding(void **state)
{
    EVP_PKEY *pkey = software_key("ec-p256");
    OSSL_LIB_CTX *previous;
    OSSL_LIB_CTX *bare = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *base;
    struct devid_public pub;
    struct devid_public again;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    software_public(pkey, &pub);
    EVP_PKEY_free(pkey);
    assert_non_null(bare);
    /* A context without any provider but base, which has no algorithms. */
    previous = OSSL_LIB_CTX_set0_default(bare);
    base = OSSL_PROVIDER_load(bare, "base");
    assert_non_null(base);
    assert_int_equal(devid_public_to_spki(&pub, &der, &len, &err), DEVID_OK);
    assert_int_equal(devid_public_from_spki(der, len, &again, &err), DEVID_OK);
    assert_true(devid_public_equal(&pub, &again));
    OSSL_LIB_CTX_set0_default(previous);
    assert_int_equal(OSSL_PROVIDER_unload(base), 1);
    OSSL_LIB_CTX_free(bare);
    OPENSSL_free(der);
}

static uint8_t *spki_of(EVP_PKEY *pkey, size_t *len)
{
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(pkey, &der);

    assert_true(n > 0);
    *len = (size_t)n;
    EVP_PKEY_free(pkey);
    return der;
}

static void expect_refused(const uint8_t *der, size_t len, enum devid_err code,
                           const char *sentence)
{
    static const struct devid_public zero;
    struct devid_public pub;
    struct devid_error err = {0};

    assert_int_equal(devid_public_from_spki(der, len, &pub, &err), code);
    expect_text(&err, sentence);
    assert_memory_equal(&pub, &zero, sizeof(pub));
}

static void other_kinds_of_keys_are_named(void **state)
{
    static const struct {
        const char *type;
        const char *arg; /* of EVP_PKEY_Q_keygen; NULL: none */
        const char *sentence;
    } rows[] = {
        {"ED448", NULL, "is of type ED448; devid takes EC, RSA"},
        {"EC", "secp256k1", "is on curve secp256k1; devid knows P-256"},
        {"EC", "secp224r1", "is on curve secp224r1; devid knows P-256"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        EVP_PKEY *pkey =
            rows[i].arg == NULL
                ? EVP_PKEY_Q_keygen(NULL, NULL, rows[i].type)
                : EVP_PKEY_Q_keygen(NULL, NULL, rows[i].type, rows[i].arg);
        size_t len = 0;
        uint8_t *der;

        assert_non_null(pkey);
        der = spki_of(pkey, &len);
        expect_refused(der, len, DEVID_ERR_ALG, rows[i].sentence);
        OPENSSL_free(der);
    }
}

static void other_forms_of_points_and_curves_are_named(void **state)
{
    EVP_PKEY *pkey = software_key("ec-p384");
    size_t len = 0;
    uint8_t *der;

    (void)state;
    assert_int_equal(
        EVP_PKEY_set_utf8_string_param(pkey, "point-format", "compressed"), 1);
    der = spki_of(pkey, &len);
    expect_refused(der, len, DEVID_ERR_ALG,
                   "a compressed point; write it uncompressed (openssl pkey "
                   "-ec_conv_form uncompressed)");
    OPENSSL_free(der);

    pkey = software_key("ec-p256");
    assert_int_equal(
        EVP_PKEY_set_utf8_string_param(pkey, "encoding", "explicit"), 1);
    der = spki_of(pkey, &len);
    expect_refused(der, len, DEVID_ERR_ALG, "explicit curve parameters");
    OPENSSL_free(der);
}

static void rsa_sizes_that_do_not_fit_are_named(void **state)
{
    size_t len = 0;
    uint8_t *der;

    (void)state;
    der = spki_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)512), &len);
    expect_refused(der, len, DEVID_ERR_ALG,
                   "the RSA modulus has 512 bits; devid takes 1024 to 4096");
    OPENSSL_free(der);
}

static void an_rsa_size_out_of_the_table_is_read(void **state)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1031);
    struct devid_public pub;
    EVP_PKEY *again = NULL;
    struct devid_error err = {0};

    (void)state;
    assert_non_null(pkey);
    software_public(pkey, &pub);
    assert_null(pub.alg);
    assert_int_equal(pub.bits, 1031);
    assert_int_equal(pub.coordinate_len, 129);
    assert_int_equal(pub.exponent, 65537);
    assert_int_equal(devid_public_to_pkey(&pub, NULL, &again, &err), DEVID_OK);
    assert_int_equal(EVP_PKEY_eq(pkey, again), 1);
    EVP_PKEY_free(again);
    EVP_PKEY_free(pkey);
}

static void an_rsa_exponent_that_makes_no_sense_is_refused(void **state)
{
    static const uint32_t exponents[] = {0, 1, 2, 65536, UINT32_MAX - 1};
    EVP_PKEY *pkey = software_key("rsa-2048");
    struct devid_public pub;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;
    size_t i;

    (void)state;
    software_public(pkey, &pub);
    EVP_PKEY_free(pkey);
    for (i = 0; i < COUNT(exponents); i++) {
        pub.exponent = exponents[i];
        assert_int_equal(devid_public_to_spki(&pub, &der, &len, &err),
                         DEVID_OK);
        expect_refused(der, len, DEVID_ERR_ALG,
                       "the RSA exponent is not an odd number");
        OPENSSL_free(der);
    }
}

static void a_spki_cut_anywhere_is_refused(void **state)
{
    static const char *const names[] = {"ec-p256", "rsa-2048", "rsa-pss-2048"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++) {
        size_t whole = 0;
        uint8_t *der = spki_of(software_key(names[i]), &whole);
        size_t len;

        for (len = 0; len < whole; len++)
            expect_refused(der, len, DEVID_ERR_INPUT,
                           "the public key is no SubjectPublicKeyInfo");
        OPENSSL_free(der);
    }
}

static void damaged_numbers_are_refused(void **state)
{
    size_t len = 0;
    uint8_t *der = spki_of(software_key("ec-p384"), &len);

    (void)state;
    der[len - 1] ^= 1; /* the last byte of y */
    expect_refused(der, len, DEVID_ERR_INPUT,
                   "is damaged: its point is not on the curve P-384");
    der[len - 1] ^= 1;
    memset(der + len - 96, 0xff, 48); /* x is larger than the field */
    expect_refused(der, len, DEVID_ERR_INPUT,
                   "is damaged: its point is not on the curve P-384");
    OPENSSL_free(der);
    der = spki_of(software_key("rsa-2048"), &len);
    der[len - 6] ^= 1; /* the last byte of the modulus, before 02 03 010001 */
    expect_refused(der, len, DEVID_ERR_INPUT,
                   "is damaged: its modulus is an even number");
    OPENSSL_free(der);
}

static void damaged_contents_are_refused(void **state)
{
    size_t len = 0;
    uint8_t *der = spki_of(software_key("ec-p256"), &len);
    uint8_t longer[128];

    (void)state;
    memcpy(longer, der, len);
    longer[len] = 0;
    expect_refused(longer, len + 1, DEVID_ERR_INPUT,
                   "cut short, garbled or followed by other bytes");
    der[len - 65] = 6; /* the point's first byte: hybrid form */
    expect_refused(der, len, DEVID_ERR_INPUT,
                   "has 65 bytes where a point on P-256 takes 65, of which "
                   "the first is 4");
    OPENSSL_free(der);
    der = spki_of(software_key("rsa-2048"), &len);
    der[24] = 0x31; /* RSAPublicKey's SEQUENCE becomes a SET */
    expect_refused(der, len, DEVID_ERR_INPUT,
                   "says RSA but holds no RSAPublicKey");
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coding_agrees_with_openssl_for_every_algorithm),
        cmocka_unit_test(a_pkey_is_the_key_it_was_made_of),
        cmocka_unit_test(a_coordinate_that_ends_in_zeros_is_kept),
        cmocka_unit_test(a_point_off_its_curve_becomes_no_pkey),
        cmocka_unit_test(nothing_is_fetched_for_coding),
        cmocka_unit_test(other_kinds_of_keys_are_named),
        cmocka_unit_test(other_forms_of_points_and_curves_are_named),
        cmocka_unit_test(rsa_sizes_that_do_not_fit_are_named),
        cmocka_unit_test(an_rsa_size_out_of_the_table_is_read),
        cmocka_unit_test(an_rsa_exponent_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_spki_cut_anywhere_is_refused),
        cmocka_unit_test(damaged_contents_are_refused),
        cmocka_unit_test(damaged_numbers_are_refused),
    };

    return cmocka_run_group_tests_name("spki", tests, NULL, NULL);
}
