/* SPDX-License-Identifier: Apache-2.0 */
/* Digests that are cut or filled to what a TPM signs: the signature stays. */
#include "support.h"

#include "emsa.h"

#include <openssl/evp.h>

#define TEXT "the quick brown fox"

static void digests_fit_every_curve(void **state)
{
    static const struct {
        size_t len;
        size_t coordinate_len;
        size_t fitted; /* bytes to sign */
        size_t zeros;  /* of them in front */
    } rows[] = {
        {20, 32, 32, 12}, {28, 32, 32, 4},  {32, 32, 32, 0},  {36, 32, 32, 0},
        {48, 32, 32, 0},  {64, 32, 32, 0},  {1, 32, 32, 31},  {20, 48, 32, 12},
        {32, 48, 32, 0},  {36, 48, 48, 12}, {48, 48, 48, 0},  {64, 48, 48, 0},
        {20, 66, 32, 12}, {32, 66, 32, 0},  {36, 66, 48, 12}, {48, 66, 48, 0},
        {64, 66, 64, 0},  {50, 66, 64, 14},
    };
    uint8_t digest[64];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(digest); i++)
        digest[i] = (uint8_t)(0x80 + i);
    for (i = 0; i < COUNT(rows); i++) {
        static const uint8_t zeros[64];
        uint8_t out[64];
        size_t len = 0;

        assert_true(devid_ecdsa_fit_digest(digest, rows[i].len,
                                           rows[i].coordinate_len, out, &len));
        assert_int_equal(len, rows[i].fitted);
        assert_memory_equal(out, zeros, rows[i].zeros);
        assert_memory_equal(out + rows[i].zeros, digest, len - rows[i].zeros);
    }
}

static void what_fits_no_size_is_refused(void **state)
{
    static const uint8_t digest[66];
    uint8_t out[64];
    size_t len = 9;

    (void)state;
    assert_false(devid_ecdsa_fit_digest(digest, 0, 32, out, &len));
    assert_int_equal(len, 0);
    assert_false(devid_ecdsa_fit_digest(digest, 65, 66, out, &len));
    assert_true(devid_ecdsa_fit_digest(digest, 65, 48, out, &len));
}

/* Keys of TPMs may be bound to one hash, and then take its length alone. */
static void a_fitted_digest_fits_the_hash_that_a_key_is_bound_to(void **state)
{
    static const char *const curves[] = {"ec-p256", "ec-p384", "ec-p521"};
    static const size_t wanted[] = {32, 48, 64};
    const struct devid_hash *h;
    unsigned refitted = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(curves) * COUNT(wanted); i++) {
        EVP_PKEY *pkey = software_key(curves[i / COUNT(wanted)]);
        size_t len = wanted[i % COUNT(wanted)];
        struct devid_public pub;

        software_public(pkey, &pub);
        for (h = devid_hashes(); h->name != NULL; h++) {
            uint8_t digest[64];
            uint8_t fitted[64];
            struct devid_tbs tbs = {.scheme = DEVID_ECDSA, .digest = fitted};
            struct devid_sig sig = {0};

            digest_text(h, TEXT, digest);
            assert_true(devid_ecdsa_fit_digest(
                digest, h->len, pub.coordinate_len, fitted, &tbs.digest_len));
            if (!devid_ecdsa_refit_digest(fitted, &tbs.digest_len,
                                          pub.coordinate_len, len)) {
                assert_true(h->len > len && len < pub.coordinate_len);
                continue;
            }
            refitted++;
            assert_int_equal(tbs.digest_len, len);
            software_sign(pkey, &tbs, &sig);
            tbs.hash = h;
            tbs.digest = digest;
            tbs.digest_len = h->len;
            assert_int_equal(devid_verify(&pub, NULL, &tbs, &sig, NULL),
                             DEVID_OK);
        }
        EVP_PKEY_free(pkey);
    }
    assert_true(refitted > 50);
}

/* A signature over the fitted digest verifies over the digest itself. */
static void fitting_does_not_change_what_is_signed(void **state)
{
    static const char *const curves[] = {"ec-p256", "ec-p384", "ec-p521"};
    const struct devid_hash *h;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(curves); i++) {
        EVP_PKEY *pkey = software_key(curves[i]);
        struct devid_public pub;

        software_public(pkey, &pub);
        for (h = devid_hashes(); h->name != NULL; h++) {
            uint8_t digest[64];
            uint8_t fitted[64];
            struct devid_tbs tbs = {.scheme = DEVID_ECDSA, .digest = fitted};
            struct devid_sig sig = {0};
            struct devid_error err = {0};

            digest_text(h, TEXT, digest);
            assert_true(devid_ecdsa_fit_digest(
                digest, h->len, pub.coordinate_len, fitted, &tbs.digest_len));
            software_sign(pkey, &tbs, &sig);
            tbs.hash = h;
            tbs.digest = digest;
            tbs.digest_len = h->len;
            assert_int_equal(devid_verify(&pub, NULL, &tbs, &sig, &err),
                             DEVID_OK);
        }
        EVP_PKEY_free(pkey);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_fit_every_curve),
        cmocka_unit_test(what_fits_no_size_is_refused),
        cmocka_unit_test(fitting_does_not_change_what_is_signed),
        cmocka_unit_test(a_fitted_digest_fits_the_hash_that_a_key_is_bound_to),
    };

    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
