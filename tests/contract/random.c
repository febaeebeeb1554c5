/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers of a device, for OpenSSL's generators. */
#include "contract.h"

#include <openssl/crypto.h>

#include <pthread.h>
#include <string.h>

#define THREADS 4
#define ROUNDS 20
#define SEED 48

static void use_device(void)
{
    struct devid_error err = {0};

    assert_int_equal(
        devid_set(engine, "random-source",
                  contract_device != NULL ? contract_device : "tpm2:", &err),
        DEVID_OK);
}

static void random_numbers_fill_what_was_asked_for(void **state)
{
    /* The last takes more commands of any TPM than one. */
    static const size_t lens[] = {1, 32, SEED, 1000};
    struct devid_error err = {0};

    (void)state;
    use_device();
    for (size_t i = 0; i < COUNT(lens); i++) {
        uint8_t a[1000] = {0};
        uint8_t b[1000] = {0};
        const uint8_t none[16] = {0};

        assert_int_equal(devid_random(engine, a, lens[i], &err), DEVID_OK);
        assert_int_equal(devid_random(engine, b, lens[i], &err), DEVID_OK);
        for (size_t at = lens[i]; at < sizeof(a); at++)
            assert_int_equal(a[at], 0);
        if (lens[i] < sizeof(none))
            continue;
        assert_memory_not_equal(a, b, lens[i]);
        assert_memory_not_equal(a + lens[i] - sizeof(none), none, sizeof(none));
    }
}

static void without_a_device_there_are_none(void **state)
{
    struct devid_error err = {0};
    uint8_t bytes[SEED];

    (void)state;
    assert_int_equal(devid_random(engine, bytes, sizeof(bytes), &err),
                     DEVID_ERR_USAGE);
    expect_text(&err, "set random-source to tpm2: or to a token's URI");
}

static void what_is_no_device_is_refused(void **state)
{
    static const char *const values[] = {
        "", "tpm2", "tpm2:handle=0x81000000", "pkcs11:", "seed", "/dev/random"};
    struct devid_error err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        assert_int_equal(devid_set(engine, "random-source", values[i], &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, "random-source must be a device");
    }
}

static void *ask_in_thread(void *arg)
{
    uint8_t bytes[SEED];

    for (unsigned i = 0; i < ROUNDS; i++) {
        if (devid_random(engine, bytes, sizeof(bytes), NULL) != DEVID_OK)
            return arg;
    }
    return NULL;
}

static void threads_ask_while_a_key_signs(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    pthread_t threads[THREADS];
    void *failed = NULL;

    (void)state;
    use_device();
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, &key),
                         0);
    assert_int_equal(sign_some(key), DEVID_OK);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    devid_key_free(&key);
}

int contract_random(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(random_numbers_fill_what_was_asked_for),
        CONTRACT_TEST(without_a_device_there_are_none),
        CONTRACT_TEST(what_is_no_device_is_refused),
        CONTRACT_TEST(threads_ask_while_a_key_signs),
    };

    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
