/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's random generators with a device's numbers as their seed. */
#include "program.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

/* As `[random] seed = DEVID-SEED`; "" where no device is named. */
static int start(void **state, const char *source)
{
    struct program *program = malloc(sizeof(*program));

    assert_non_null(program);
    if (*source != '\0')
        assert_int_equal(setenv("DEVID_RANDOM_SOURCE", source, 1), 0);
    program_start(program, DEVID_LAST);
    assert_int_equal(unsetenv("DEVID_RANDOM_SOURCE"), 0);
    assert_int_equal(
        RAND_set_seed_source_type(program->ctx, "DEVID-SEED", NULL), 1);
    *state = program;
    return 0;
}

static int start_with_tpm(void **state)
{
    return start(state, "tpm2:");
}

static int start_without(void **state)
{
    return start(state, "");
}

static int start_misconfigured(void **state)
{
    return start(state, "tpm3:");
}

static unsigned asked(void)
{
    return fake_calls().random;
}

static void one_seed_serves_a_program(void **state)
{
    struct program *program = *state;
    unsigned char a[64] = {0};
    unsigned char b[64] = {0};

    assert_int_equal(asked(), 0);
    assert_int_equal(RAND_bytes_ex(program->ctx, a, sizeof(a), 0), 1);
    assert_int_equal(asked(), 1);
    assert_int_equal(RAND_priv_bytes_ex(program->ctx, b, sizeof(b), 0), 1);
    assert_int_equal(asked(), 1);
    assert_memory_not_equal(a, b, sizeof(a));
    expect_no_error();
}

static void a_generator_is_seeded_again_from_the_device(void **state)
{
    struct program *program = *state;
    EVP_RAND_CTX *primary = RAND_get0_primary(program->ctx);
    unsigned before = asked();

    assert_non_null(primary);
    assert_int_equal(EVP_RAND_reseed(primary, 1, NULL, 0, NULL, 0), 1);
    assert_int_equal(asked(), before + 1);
    expect_no_error();
}

/* What OpenSSL, and a peer that lacked some of it, ask of a source. */
static void it_says_what_it_is(void **state)
{
    struct program *program = *state;
    EVP_RAND *rand = EVP_RAND_fetch(program->ctx, "DEVID-SEED", NULL);
    EVP_RAND_CTX *source = EVP_RAND_CTX_new(rand, NULL);
    unsigned char bytes[300];
    size_t max = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, &max),
                           OSSL_PARAM_END};

    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_RAND_get0_provider(rand)),
                        "devid");
    assert_int_equal(EVP_RAND_get_state(source), EVP_RAND_STATE_UNINITIALISED);
    assert_int_equal(EVP_RAND_generate(source, bytes, 16, 0, 0, NULL, 0), 0);
    expect_error("before it was instantiated");
    assert_int_equal(EVP_RAND_enable_locking(source), 1);
    assert_int_equal(EVP_RAND_instantiate(source, 256, 0, NULL, 0, NULL), 1);
    assert_int_equal(EVP_RAND_get_state(source), EVP_RAND_STATE_READY);
    assert_int_equal(EVP_RAND_get_strength(source), 256);
    assert_int_equal(EVP_RAND_CTX_get_params(source, params), 1);
    assert_int_equal(max, 128);
    assert_int_equal(
        EVP_RAND_generate(source, bytes, sizeof(bytes), 256, 1, NULL, 0), 1);
    assert_int_equal(asked(), 3); /* 128, 128, 44 */
    assert_int_equal(EVP_RAND_reseed(source, 0, NULL, 0, NULL, 0), 1);
    assert_int_equal(EVP_RAND_verify_zeroization(source), 1);
    assert_int_equal(EVP_RAND_uninstantiate(source), 1);
    assert_int_equal(EVP_RAND_instantiate(source, 257, 0, NULL, 0, NULL), 0);
    expect_error("DEVID-SEED vouches for 256");
    EVP_RAND_CTX_free(source);
    EVP_RAND_free(rand);
}

static void a_device_that_fails_gives_no_random_numbers(void **state)
{
    struct program *program = *state;
    unsigned char bytes[32];

    fake_fail_next(DEVID_ERR_NO_DEVICE, 0, "the fake has been pulled out");
    fake_fail_next(DEVID_ERR_NO_DEVICE, 0, "the fake has been pulled out");
    assert_int_not_equal(RAND_bytes_ex(program->ctx, bytes, sizeof(bytes), 0),
                         1);
    expect_error("the fake has been pulled out");
}

static void a_device_that_is_back_serves(void **state)
{
    struct program *program = *state;
    unsigned char bytes[32];

    a_device_that_fails_gives_no_random_numbers(state);
    fake_reset();
    assert_int_equal(RAND_bytes_ex(program->ctx, bytes, sizeof(bytes), 0), 1);
    assert_int_equal(asked(), 1);
    expect_no_error();
}

static void a_generator_that_stands_still_is_not_used(void **state)
{
    struct program *program = *state;
    unsigned char bytes[32];

    for (int value = 0; value <= 255; value += 255) {
        fake_set_random(value);
        assert_int_not_equal(
            RAND_bytes_ex(program->ctx, bytes, sizeof(bytes), 0), 1);
        expect_error("its generator is broken");
    }
}

static void no_device_is_a_sentence(void **state)
{
    struct program *program = *state;
    unsigned char bytes[32];

    assert_int_not_equal(RAND_bytes_ex(program->ctx, bytes, sizeof(bytes), 0),
                         1);
    expect_error("set random-source to tpm2: or to a token's URI");
    assert_int_equal(asked(), 0);
}

static void a_wrong_setting_is_a_sentence(void **state)
{
    struct program *program = *state;
    unsigned char bytes[32];

    assert_int_not_equal(RAND_bytes_ex(program->ctx, bytes, sizeof(bytes), 0),
                         1);
    expect_error("DEVID_RANDOM_SOURCE must be a device");
}

static void who_does_not_ask_for_it_never_gets_it(void **state)
{
    struct program *program = *state;
    unsigned char bytes[32];
    static const char *const names[] = {"CTR-DRBG", "HASH-DRBG", "SEED-SRC"};

    assert_int_equal(RAND_bytes_ex(program->ctx, bytes, sizeof(bytes), 0), 1);
    for (size_t i = 0; i < COUNT(names); i++) {
        EVP_RAND *rand = EVP_RAND_fetch(program->ctx, names[i], NULL);

        assert_string_equal(
            OSSL_PROVIDER_get0_name(EVP_RAND_get0_provider(rand)), "default");
        EVP_RAND_free(rand);
    }
    assert_null(EVP_RAND_fetch(program->ctx, "CTR-DRBG", "provider=devid"));
    ERR_clear_error();
    assert_int_equal(asked(), 0);
}

#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(start_with_tpm, one_seed_serves_a_program),
        WITH(start_with_tpm, a_generator_is_seeded_again_from_the_device),
        WITH(start_with_tpm, it_says_what_it_is),
        WITH(start_with_tpm, a_device_that_fails_gives_no_random_numbers),
        WITH(start_with_tpm, a_device_that_is_back_serves),
        WITH(start_with_tpm, a_generator_that_stands_still_is_not_used),
        WITH(start_without, no_device_is_a_sentence),
        WITH(start_misconfigured, a_wrong_setting_is_a_sentence),
        IN_BOTH_ORDERS(who_does_not_ask_for_it_never_gets_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
