/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys that say rsassaPss, and what they are bound to. */
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdlib.h>

static void expect_refused(const uint8_t *der, size_t len, enum devid_err code,
                           const char *sentence)
{
    struct devid_public pub;
    struct devid_error err = {0};

    assert_int_equal(devid_public_from_spki(der, len, &pub, &err), code);
    expect_text(&err, sentence);
}

/* The SubjectPublicKeyInfo of an RSA-PSS key that is bound as told. */
static uint8_t *bound_spki(const char *hash, const char *mgf1,
                           const char *salt_len, size_t *len)
{
    EVP_PKEY_CTX *gen = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pkey = NULL;
    uint8_t *der = NULL;
    int n;

    assert_int_equal(EVP_PKEY_keygen_init(gen), 1);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, "bits", "1024"), 1);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, "digest", hash), 1);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, "mgf1-digest", mgf1), 1);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, "saltlen", salt_len), 1);
    assert_int_equal(EVP_PKEY_generate(gen, &pkey), 1);
    EVP_PKEY_CTX_free(gen);
    n = i2d_PUBKEY(pkey, &der);
    assert_true(n > 0);
    *len = (size_t)n;
    EVP_PKEY_free(pkey);
    return der;
}

static void what_an_rsa_pss_key_is_bound_to_is_read_and_written(void **state)
{
    static const struct {
        const char *hash;
        const char *salt_len;
    } rows[] = {{"SHA1", "20"}, {"SHA256", "20"}, {"SHA512", "64"}};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const struct devid_hash *hash = devid_hash_by_name(rows[i].hash);
        struct devid_error err = {0};
        struct devid_public pub;
        uint8_t *ours = NULL;
        size_t ours_len = 0;
        size_t len = 0;
        uint8_t *der =
            bound_spki(rows[i].hash, rows[i].hash, rows[i].salt_len, &len);

        assert_int_equal(devid_public_from_spki(der, len, &pub, &err),
                         DEVID_OK);
        assert_int_equal(pub.type, DEVID_KEY_RSA_PSS);
        assert_ptr_equal(pub.hash, hash);
        assert_int_equal(pub.salt_len, atoi(rows[i].salt_len));
        assert_int_equal(devid_public_to_spki(&pub, &ours, &ours_len, &err),
                         DEVID_OK);
        assert_int_equal(ours_len, len);
        assert_memory_equal(ours, der, len);
        OPENSSL_free(ours);
        OPENSSL_free(der);
    }
}

static void what_an_rsa_pss_key_cannot_be_bound_to_is_said(void **state)
{
    size_t len = 0;
    uint8_t *der = bound_spki("SHA256", "SHA1", "32", &len);

    (void)state;
    expect_refused(der, len, DEVID_ERR_ALG, "or to another one for MGF1");
    OPENSSL_free(der);
    der = bound_spki("SHA256", "SHA256", "33", &len);
    expect_refused(der, len, DEVID_ERR_ALG,
                   "a salt that is longer than the 32 bytes of its hash");
    /* Behind three headers and the OID: the tag of the hash. */
    assert_int_equal(der[18], 0xa0);
    der[18] = 0xa4;
    expect_refused(der, len, DEVID_ERR_INPUT, "are no RSASSA-PSS-params");
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_rsa_pss_key_is_bound_to_is_read_and_written),
        cmocka_unit_test(what_an_rsa_pss_key_cannot_be_bound_to_is_said),
    };

    return cmocka_run_group_tests_name("spki_pss", tests, NULL, NULL);
}
