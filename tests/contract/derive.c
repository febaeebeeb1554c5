/* SPDX-License-Identifier: Apache-2.0 */
/* Key agreement: the device and OpenSSL come to the same secret. */
#include "contract.h"

#include <openssl/ec.h>
#include <openssl/evp.h>

#include <string.h>

/* A software key on a curve. */
static EVP_PKEY *peer_on(const char *algorithm, struct devid_public *pub)
{
    EVP_PKEY *pkey = software_key(algorithm);

    software_public(pkey, pub);
    return pkey;
}

static void expect_agrees(struct devid_key *key, const char *algorithm)
{
    struct devid_public pub;
    EVP_PKEY *peer = peer_on(algorithm, &pub);
    struct devid_shared ours;
    struct devid_shared theirs;
    struct devid_error err = {0};
    enum devid_err e = devid_key_derive(key, &pub, &ours, &err);

    if (e != DEVID_OK)
        print_error("%s: %s\n", algorithm, err.text);
    assert_int_equal(e, DEVID_OK);
    software_derive(peer, devid_key_public(key), &theirs);
    assert_int_equal(ours.len, theirs.len);
    assert_memory_equal(ours.data, theirs.data, ours.len);
    EVP_PKEY_free(peer);
}

static void device_and_software_agree_on_every_curve(void **state)
{
    static const char *const algorithms[] = {"ec-p256", "ec-p384", "ec-p521"};

    (void)state;
    for (size_t i = 0; i < COUNT(algorithms); i++) {
        struct devid_key *key = try_key(algorithms[i], true);

        if (key == NULL)
            continue; /* try_key has seen that it says so */
        expect_agrees(key, algorithms[i]);
        expect_agrees(key, algorithms[i]);
        expect_works(key);
        devid_key_free(&key);
    }
}

static void a_key_that_signed_first_agrees_as_well(void **state)
{
    struct devid_key *key = try_key("ec-p256", true);

    (void)state;
    assert_non_null(key);
    expect_works(key);
    expect_agrees(key, "ec-p256");
    devid_key_free(&key);
}

static void a_secret_may_begin_with_zeros(void **state)
{
    struct devid_key *key = try_key("ec-p256", true);
    unsigned zeros = 0;

    (void)state;
    assert_non_null(key);
    for (unsigned i = 0; zeros == 0 && i < 3000; i++) {
        EVP_PKEY *peer = EVP_EC_gen("P-256");
        struct devid_shared theirs;
        struct devid_shared ours;
        struct devid_public pub;
        struct devid_error err = {0};

        software_public(peer, &pub);
        software_derive(peer, devid_key_public(key), &theirs);
        if (theirs.data[0] == 0) {
            zeros++;
            assert_int_equal(devid_key_derive(key, &pub, &ours, &err),
                             DEVID_OK);
            assert_int_equal(ours.len, 32);
            assert_memory_equal(ours.data, theirs.data, 32);
        }
        EVP_PKEY_free(peer);
    }
    assert_int_equal(zeros, 1);
    devid_key_free(&key);
}

/* A peer that no device is asked about. */
static void expect_refused(struct devid_key *key,
                           const struct devid_public *peer, enum devid_err code,
                           const char *sentence)
{
    struct devid_shared shared = {.len = 77};
    struct devid_error err = {.device_rc = 1};

    assert_int_equal(devid_key_derive(key, peer, &shared, &err), code);
    expect_text(&err, sentence);
    assert_int_equal(shared.len, 0);
}

static void a_peer_that_does_not_fit_is_refused(void **state)
{
    struct devid_key *key = try_key("ec-p256", true);
    struct devid_key *rsa = new_key("rsa-2048");
    struct devid_public pub;
    EVP_PKEY *peer = peer_on("ec-p384", &pub);

    (void)state;
    assert_non_null(key);
    expect_refused(key, &pub, DEVID_ERR_USAGE,
                   "on the curve P-256, and the peer's is P-384");
    EVP_PKEY_free(peer);
    expect_refused(key, devid_key_public(rsa), DEVID_ERR_USAGE,
                   "the peer's is no EC key");
    expect_refused(rsa, devid_key_public(key), DEVID_ERR_USAGE,
                   "only an EC key agrees on secrets");
    peer = peer_on("ec-p256", &pub);
    pub.y[31] ^= 1;
    expect_refused(key, &pub, DEVID_ERR_INPUT, "not on the curve");
    memset(pub.x, 0, sizeof(pub.x));
    memset(pub.y, 0, sizeof(pub.y));
    expect_refused(key, &pub, DEVID_ERR_INPUT, "not on the curve");
    EVP_PKEY_free(peer);
    devid_key_free(&rsa);
    devid_key_free(&key);
}

static void a_key_made_to_sign_says_what_helps(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    struct devid_public pub;
    EVP_PKEY *peer = peer_on("ec-p256", &pub);

    (void)state;
    expect_refused(key, &pub, DEVID_ERR_ALG, "devid keygen --decrypt");
    EVP_PKEY_free(peer);
    devid_key_free(&key);
}

int contract_derive(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(device_and_software_agree_on_every_curve),
        CONTRACT_TEST(a_key_that_signed_first_agrees_as_well),
        CONTRACT_TEST(a_secret_may_begin_with_zeros),
        CONTRACT_TEST(a_peer_that_does_not_fit_is_refused),
        CONTRACT_TEST(a_key_made_to_sign_says_what_helps),
    };

    return cmocka_run_group_tests_name("derive", tests, NULL, NULL);
}
