/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in use: requests, threads, many at once. */
#include "contract.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <pthread.h>

#define THREADS 4
#define MANY 6 /* more than the three slots of a bare TPM */

static void requests_verify_in_software(void **state)
{
    static const char *const sans[] = {"DNS:unit.example", NULL};
    static const struct devid_csr_spec spec = {
        .subject = "/O=Acme/CN=unit-0001",
        .sans = sans,
        .key_usage = "digitalSignature",
        .ext_key_usage = "serverAuth,clientAuth"};
    static const char *const algorithms[] = {"ec-p256", "ec-p384", "rsa-2048"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(algorithms); i++) {
        struct devid_key *key = new_key(algorithms[i]);
        struct devid_error err = {0};
        uint8_t *der = NULL;
        const uint8_t *p;
        X509_REQ *req;
        size_t len = 0;

        assert_int_equal(devid_csr_create(key, &spec, &der, &len, &err),
                         DEVID_OK);
        p = der;
        req = d2i_X509_REQ(NULL, &p, (long)len);
        assert_non_null(req);
        assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
        X509_REQ_free(req);
        OPENSSL_free(der);
        devid_key_free(&key);
    }
}

static void many_open_keys_sign_in_turn(void **state)
{
    struct devid_key *keys[MANY];
    size_t round;
    size_t i;

    (void)state;
    for (i = 0; i < MANY; i++)
        keys[i] = new_key("ec-p256");
    for (round = 0; round < 2; round++) {
        for (i = 0; i < MANY; i++)
            expect_works(keys[i]);
    }
    for (i = 0; i < MANY; i++)
        devid_key_free(&keys[i]);
}

static void *sign_in_thread(void *arg)
{
    struct devid_key **key = arg;

    return sign_some(*key) == DEVID_OK ? NULL : arg;
}

static void threads_share_a_key(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    pthread_t threads[THREADS];
    void *failed = NULL;
    size_t i;

    (void)state;
    for (i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, sign_in_thread, &key), 0);
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    devid_key_free(&key);
}

static void threads_have_a_key_each(void **state)
{
    struct devid_key *keys[THREADS];
    pthread_t threads[THREADS];
    void *failed = NULL;
    size_t i;

    (void)state;
    for (i = 0; i < THREADS; i++)
        keys[i] = new_key("ec-p256");
    for (i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, sign_in_thread, &keys[i]), 0);
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
        devid_key_free(&keys[i]);
    }
}

static void the_engine_goes_on_after_a_shutdown(void **state)
{
    struct devid_key *key = new_key("ec-p256");

    (void)state;
    expect_works(key);
    devid_shutdown();
    devid_shutdown();
    expect_works(key);
    devid_key_free(&key);
}

int contract_use(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(requests_verify_in_software),
        CONTRACT_TEST(many_open_keys_sign_in_turn),
        CONTRACT_TEST(threads_share_a_key),
        CONTRACT_TEST(threads_have_a_key_each),
        CONTRACT_TEST(the_engine_goes_on_after_a_shutdown),
    };

    return cmocka_run_group_tests_name("use", tests, NULL, NULL);
}
