/* SPDX-License-Identifier: Apache-2.0 */
/* Padding in software: OpenSSL is the judge of every block. */
#include "support.h"

#include "emsa.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <string.h>

#define TEXT "the quick brown fox"

/* The raw RSA operation, as TPM2_RSA_Decrypt with TPM_ALG_NULL does it. */
static void raw_private(EVP_PKEY *pkey, const uint8_t *block, size_t size,
                        struct devid_sig *sig)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    size_t len = sizeof(sig->data);

    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_decrypt(ctx, sig->data, &len, block, size), 1);
    assert_int_equal(len, size);
    sig->len = len;
    EVP_PKEY_CTX_free(ctx);
}

/* Sizes that are no multiple of eight, and one byte more than one. */
static EVP_PKEY *odd_key(unsigned bits)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);

    assert_non_null(pkey);
    assert_int_equal(EVP_PKEY_get_bits(pkey), bits);
    return pkey;
}

static void expect_verifies(EVP_PKEY *pkey, struct devid_tbs *tbs)
{
    struct devid_public pub;
    struct devid_sig sig = {0};
    struct devid_error err = {0};
    uint8_t block[DEVID_MODULUS_MAX];

    software_public(pkey, &pub);
    if (tbs->scheme == DEVID_RSA_PSS)
        assert_int_equal(devid_emsa_pss(NULL, tbs, NULL, pub.bits, block, &err),
                         DEVID_OK);
    else
        assert_int_equal(devid_emsa_pkcs1(tbs, pub.bits, block, &err),
                         DEVID_OK);
    raw_private(pkey, block, pub.coordinate_len, &sig);
    assert_int_equal(devid_verify(&pub, NULL, tbs, &sig, &err), DEVID_OK);
}

static void pss_verifies_for_every_hash_and_salt(void **state)
{
    EVP_PKEY *pkey = software_key("rsa-2048");
    const struct devid_hash *h;
    uint8_t digest[64];

    (void)state;
    for (h = devid_hashes(); strcmp(h->name, "MD5-SHA1") != 0; h++) {
        const size_t salts[] = {0, 1, h->len, 256 - h->len - 2};
        size_t i;

        digest_text(h, TEXT, digest);
        for (i = 0; i < COUNT(salts); i++) {
            struct devid_tbs tbs = {.scheme = DEVID_RSA_PSS,
                                    .hash = h,
                                    .salt_len = salts[i],
                                    .digest = digest,
                                    .digest_len = h->len};

            expect_verifies(pkey, &tbs);
            tbs.mgf1 = devid_hash_by_name("SHA1");
            expect_verifies(pkey, &tbs);
        }
    }
    EVP_PKEY_free(pkey);
}

static void pss_verifies_for_odd_moduli(void **state)
{
    static const unsigned sizes[] = {1024, 1025, 1026, 1031, 2041};
    uint8_t digest[64];
    struct devid_tbs tbs = {.scheme = DEVID_RSA_PSS,
                            .hash = devid_hash_by_name("SHA384"),
                            .salt_len = 48,
                            .digest = digest,
                            .digest_len = 48};
    size_t i;

    (void)state;
    digest_text(tbs.hash, TEXT, digest);
    for (i = 0; i < COUNT(sizes); i++) {
        EVP_PKEY *pkey = odd_key(sizes[i]);

        expect_verifies(pkey, &tbs);
        EVP_PKEY_free(pkey);
    }
}

static void a_given_salt_is_used_and_a_random_one_is_not_repeated(void **state)
{
    static const uint8_t salt[32] = {1, 2, 3};
    uint8_t digest[32] = {9};
    struct devid_tbs tbs = {.scheme = DEVID_RSA_PSS,
                            .hash = devid_hash_by_name("SHA256"),
                            .salt_len = 32,
                            .digest = digest,
                            .digest_len = 32};
    struct devid_error err = {0};
    uint8_t a[256];
    uint8_t b[256];

    (void)state;
    assert_int_equal(devid_emsa_pss(NULL, &tbs, salt, 2048, a, &err), DEVID_OK);
    assert_int_equal(devid_emsa_pss(NULL, &tbs, salt, 2048, b, &err), DEVID_OK);
    assert_memory_equal(a, b, sizeof(a));
    assert_int_equal(devid_emsa_pss(NULL, &tbs, NULL, 2048, a, &err), DEVID_OK);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(devid_emsa_pss(NULL, &tbs, NULL, 2048, b, &err), DEVID_OK);
    assert_memory_not_equal(a, b, sizeof(a));
}

static void pss_that_does_not_fit_is_refused(void **state)
{
    uint8_t digest[64] = {0};
    struct devid_tbs tbs = {.scheme = DEVID_RSA_PSS,
                            .hash = devid_hash_by_name("SHA512"),
                            .salt_len = 64,
                            .digest = digest,
                            .digest_len = 64};
    struct devid_error err = {0};
    uint8_t block[512];

    (void)state;
    assert_int_equal(devid_emsa_pss(NULL, &tbs, NULL, 1024, block, &err),
                     DEVID_ERR_ALG);
    expect_text(&err, "an RSA key of 1024 bits has no room for PSS with "
                      "SHA2-512 and a salt of 64 bytes");
    tbs.salt_len = 62;
    assert_int_equal(devid_emsa_pss(NULL, &tbs, NULL, 1024, block, &err),
                     DEVID_OK);
    tbs.salt_len = SIZE_MAX;
    assert_int_equal(devid_emsa_pss(NULL, &tbs, NULL, 4096, block, &err),
                     DEVID_ERR_ALG);
    tbs.salt_len = 64;
    tbs.digest_len = 63;
    assert_int_equal(devid_emsa_pss(NULL, &tbs, NULL, 2048, block, &err),
                     DEVID_ERR_USAGE);
    tbs.hash = NULL;
    assert_int_equal(devid_emsa_pss(NULL, &tbs, NULL, 2048, block, &err),
                     DEVID_ERR_USAGE);
    expect_text(&err, "needs a hash and its digest");
}

/* What OpenSSL padded, out of its own signature. */
static void recover(EVP_PKEY *pkey, const struct devid_sig *sig, uint8_t *block)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    size_t len = DEVID_MODULUS_MAX;

    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_verify_recover_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
    assert_int_equal(
        EVP_PKEY_verify_recover(ctx, block, &len, sig->data, sig->len), 1);
    assert_int_equal(len, sig->len);
    EVP_PKEY_CTX_free(ctx);
}

static void pkcs1_pads_as_openssl_does_for_every_hash(void **state)
{
    EVP_PKEY *pkey = software_key("rsa-2048");
    const struct devid_hash *h;

    (void)state;
    for (h = devid_hashes(); h->name != NULL; h++) {
        uint8_t digest[64];
        uint8_t ours[256];
        uint8_t theirs[DEVID_MODULUS_MAX];
        struct devid_tbs tbs = {.scheme = DEVID_RSA_PKCS1,
                                .hash = h,
                                .digest = digest,
                                .digest_len = h->len};
        struct devid_sig sig = {0};
        struct devid_error err = {0};

        digest_text(h, TEXT, digest);
        software_sign(pkey, &tbs, &sig);
        recover(pkey, &sig, theirs);
        assert_int_equal(devid_emsa_pkcs1(&tbs, 2048, ours, &err), DEVID_OK);
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
    EVP_PKEY_free(pkey);
}

static void pkcs1_without_a_hash_pads_the_data_as_it_is(void **state)
{
    static const uint8_t data[245] = {1, 2, 3};
    static const size_t lengths[] = {1, 36, 51, 100, 245};
    EVP_PKEY *pkey = software_key("rsa-2048");
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(lengths); i++) {
        uint8_t ours[256];
        uint8_t theirs[DEVID_MODULUS_MAX];
        struct devid_tbs tbs = {.scheme = DEVID_RSA_PKCS1,
                                .digest = data,
                                .digest_len = lengths[i]};
        struct devid_sig sig = {0};
        struct devid_error err = {0};

        software_sign(pkey, &tbs, &sig);
        recover(pkey, &sig, theirs);
        assert_int_equal(devid_emsa_pkcs1(&tbs, 2048, ours, &err), DEVID_OK);
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
    EVP_PKEY_free(pkey);
}

static void pkcs1_verifies_for_odd_moduli(void **state)
{
    static const unsigned sizes[] = {1025, 1031};
    uint8_t digest[64];
    struct devid_tbs tbs = {.scheme = DEVID_RSA_PKCS1,
                            .hash = devid_hash_by_name("SHA3-256"),
                            .digest = digest,
                            .digest_len = 32};
    size_t i;

    (void)state;
    digest_text(tbs.hash, TEXT, digest);
    for (i = 0; i < COUNT(sizes); i++) {
        EVP_PKEY *pkey = odd_key(sizes[i]);

        expect_verifies(pkey, &tbs);
        EVP_PKEY_free(pkey);
    }
}

static void pkcs1_that_does_not_fit_is_refused(void **state)
{
    static const uint8_t data[246];
    struct devid_tbs tbs = {
        .scheme = DEVID_RSA_PKCS1, .digest = data, .digest_len = 246};
    struct devid_error err = {0};
    uint8_t block[256];

    (void)state;
    assert_int_equal(devid_emsa_pkcs1(&tbs, 2048, block, &err), DEVID_ERR_ALG);
    expect_text(&err, "an RSA key of 2048 bits is too small for a PKCS#1 "
                      "signature over 246 bytes");
    assert_int_equal(devid_emsa_pkcs1(&tbs, 64, block, &err), DEVID_ERR_ALG);
    tbs.hash = devid_hash_by_name("SHA512");
    assert_int_equal(devid_emsa_pkcs1(&tbs, 2048, block, &err),
                     DEVID_ERR_USAGE);
    expect_text(&err, "a digest of 246 bytes is longer than any hash's");
    tbs.digest_len = 64;
    assert_int_equal(devid_emsa_pkcs1(&tbs, 512, block, &err), DEVID_ERR_ALG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pss_verifies_for_every_hash_and_salt),
        cmocka_unit_test(pss_verifies_for_odd_moduli),
        cmocka_unit_test(a_given_salt_is_used_and_a_random_one_is_not_repeated),
        cmocka_unit_test(pss_that_does_not_fit_is_refused),
        cmocka_unit_test(pkcs1_pads_as_openssl_does_for_every_hash),
        cmocka_unit_test(pkcs1_without_a_hash_pads_the_data_as_it_is),
        cmocka_unit_test(pkcs1_verifies_for_odd_moduli),
        cmocka_unit_test(pkcs1_that_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests_name("emsa", tests, NULL, NULL);
}
