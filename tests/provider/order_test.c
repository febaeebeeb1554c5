/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registering last: whatever the order of the providers, and whatever keys of
 * ours have been used, everything else stays with the default provider.
 */
#include "program.h"

#include <openssl/err.h>
#include <openssl/provider.h>

#include <pthread.h>
#include <string.h>

#define THREADS 8
#define ROUNDS 20

static const char *const types[] = {"EC", "RSA", "RSA-PSS", "ED25519"};
static const char *const sizes[] = {"P-256", "2048", "2048", NULL};
static const char *const signatures[] = {"ECDSA", "RSA", "RSA", "ED25519"};

static void expect_default(const OSSL_PROVIDER *provider)
{
    assert_string_equal(OSSL_PROVIDER_get0_name(provider), "default");
}

static void expect_default_fetches(OSSL_LIB_CTX *ctx)
{
    EVP_KEYEXCH *exchange = EVP_KEYEXCH_fetch(ctx, "ECDH", NULL);
    EVP_ASYM_CIPHER *cipher = EVP_ASYM_CIPHER_fetch(ctx, "RSA", NULL);

    assert_non_null(exchange);
    expect_default(EVP_KEYEXCH_get0_provider(exchange));
    EVP_KEYEXCH_free(exchange);
    assert_non_null(cipher);
    expect_default(EVP_ASYM_CIPHER_get0_provider(cipher));
    EVP_ASYM_CIPHER_free(cipher);
    for (size_t i = 0; i < COUNT(types); i++) {
        EVP_KEYMGMT *keymgmt = EVP_KEYMGMT_fetch(ctx, types[i], NULL);
        EVP_SIGNATURE *signature =
            EVP_SIGNATURE_fetch(ctx, signatures[i], NULL);

        assert_non_null(keymgmt);
        assert_non_null(signature);
        expect_default(EVP_KEYMGMT_get0_provider(keymgmt));
        expect_default(EVP_SIGNATURE_get0_provider(signature));
        EVP_KEYMGMT_free(keymgmt);
        EVP_SIGNATURE_free(signature);
    }
    expect_no_error();
}

/* Sign with a key and verify with its public half alone. */
static void expect_signs(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey)
{
    const char *hash = EVP_PKEY_is_a(pkey, "ED25519") ? NULL : "SHA256";
    EVP_PKEY *half = public_half(ctx, pkey);
    unsigned char *sig = NULL;
    size_t len = 0;

    assert_string_equal(offered_by(half), "default");
    sign_message(ctx, pkey, hash, &sig, &len);
    assert_int_equal(verify_message(ctx, half, hash, sig, len), 1);
    OPENSSL_free(sig);
    EVP_PKEY_free(half);
}

/* With the key itself on both sides, whoever verifies. */
static void expect_signs_quietly(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey)
{
    unsigned char *sig = NULL;
    size_t len = 0;

    sign_message(ctx, pkey, "SHA256", &sig, &len);
    assert_int_equal(verify_message(ctx, pkey, "SHA256", sig, len), 1);
    OPENSSL_free(sig);
    expect_no_error();
}

static void fetches_without_properties_give_the_default_provider(void **state)
{
    struct program *program = *state;

    expect_default_fetches(program->ctx);
}

static void they_still_do_after_keys_of_ours_were_used(void **state)
{
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(types); i++) {
        EVP_PKEY *pkey = device_key(program->ctx, types[i], sizes[i], NULL);

        assert_string_equal(offered_by(pkey), "devid");
        expect_signs(program->ctx, pkey);
        expect_default_fetches(program->ctx);
        EVP_PKEY_free(pkey);
    }
    expect_default_fetches(program->ctx);
}

static void ordinary_keys_are_made_and_sign_in_software(void **state)
{
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(types); i++) {
        EVP_PKEY *pkey = ordinary_key(program->ctx, types[i], sizes[i]);

        assert_string_equal(offered_by(pkey), "default");
        expect_signs(program->ctx, pkey);
        EVP_PKEY_free(pkey);
    }
    assert_int_equal(fake_calls().sign, 0);
    assert_int_equal(fake_calls().key_create, 0);
    expect_no_error();
}

static void ordinary_ec_keys_agree_on_a_secret(void **state)
{
    struct program *program = *state;
    EVP_PKEY *a = ordinary_key(program->ctx, "EC", "P-256");
    EVP_PKEY *b = ordinary_key(program->ctx, "EC", "P-256");
    EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new_from_pkey(program->ctx, a, NULL);
    unsigned char secret[32];
    size_t len = sizeof(secret);

    assert_int_equal(EVP_PKEY_derive_init(derive), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(derive, b), 1);
    assert_int_equal(EVP_PKEY_derive(derive, secret, &len), 1);
    assert_int_equal(len, sizeof(secret));
    EVP_PKEY_CTX_free(derive);
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
    expect_no_error();
}

/* Encrypt with the public half, decrypt with the key. */
static void expect_decrypts(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey)
{
    EVP_PKEY *half = public_half(ctx, pkey);
    EVP_PKEY_CTX *to = EVP_PKEY_CTX_new_from_pkey(ctx, half, NULL);
    EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_from_pkey(ctx, pkey, NULL);
    unsigned char sent[256];
    unsigned char got[256];
    size_t sent_len = sizeof(sent);
    size_t got_len = sizeof(got);

    assert_int_equal(EVP_PKEY_encrypt_init(to), 1);
    assert_int_equal(
        EVP_PKEY_encrypt(to, sent, &sent_len, (const uint8_t *)"secret", 6), 1);
    assert_int_equal(EVP_PKEY_decrypt_init(from), 1);
    assert_int_equal(EVP_PKEY_decrypt(from, got, &got_len, sent, sent_len), 1);
    assert_int_equal(got_len, 6);
    assert_memory_equal(got, "secret", 6);
    EVP_PKEY_CTX_free(from);
    EVP_PKEY_CTX_free(to);
    EVP_PKEY_free(half);
}

/* Derive a secret on both sides. */
static void expect_agree(OSSL_LIB_CTX *ctx, EVP_PKEY *a, EVP_PKEY *b)
{
    EVP_PKEY *const keys[2] = {a, b};
    unsigned char secret[2][32];

    for (size_t i = 0; i < 2; i++) {
        EVP_PKEY *peer = public_half(ctx, keys[1 - i]);
        EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new_from_pkey(ctx, keys[i], NULL);
        size_t len = sizeof(secret[i]);

        assert_int_equal(EVP_PKEY_derive_init(derive), 1);
        assert_int_equal(EVP_PKEY_derive_set_peer(derive, peer), 1);
        assert_int_equal(EVP_PKEY_derive(derive, secret[i], &len), 1);
        assert_int_equal(len, sizeof(secret[i]));
        EVP_PKEY_CTX_free(derive);
        EVP_PKEY_free(peer);
    }
    assert_memory_equal(secret[0], secret[1], sizeof(secret[0]));
}

static void our_keys_decrypt_and_agree_and_others_still_do(void **state)
{
    struct program *program = *state;
    EVP_PKEY *rsa = all_round_rsa_key(program->ctx);
    EVP_PKEY *ec = agreeing_key(program->ctx);
    EVP_PKEY *ordinary_rsa = ordinary_key(program->ctx, "RSA", "2048");
    EVP_PKEY *ordinary_ec = ordinary_key(program->ctx, "EC", "P-256");

    expect_decrypts(program->ctx, rsa);
    expect_agree(program->ctx, ec, ordinary_ec);
    expect_agree(program->ctx, ec, ec);
    expect_no_error();
    expect_default_fetches(program->ctx);
    assert_int_equal(fake_calls().decrypt, 1);
    assert_int_equal(fake_calls().derive, 3);
    expect_decrypts(program->ctx, ordinary_rsa);
    expect_agree(program->ctx, ordinary_ec, ordinary_ec);
    assert_int_equal(fake_calls().decrypt, 1);
    assert_int_equal(fake_calls().derive, 3);
    expect_no_error();
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ordinary_rsa);
    EVP_PKEY_free(ordinary_ec);
}

/* A program that prefers us: its keys of software stay in software. */
static void preferred_we_take_no_key_of_software_in(void **state)
{
    struct program *program = *state;
    EVP_PKEY *ordinary_ec = ordinary_key(program->ctx, "EC", "P-256");
    EVP_PKEY *ordinary_rsa = ordinary_key(program->ctx, "RSA", "2048");

    assert_int_equal(
        EVP_set_default_properties(program->ctx, "?provider=devid"), 1);
    expect_signs_quietly(program->ctx, ordinary_ec);
    expect_signs_quietly(program->ctx, ordinary_rsa);
    assert_int_equal(fake_calls().sign, 0);
    assert_int_equal(EVP_set_default_properties(program->ctx, ""), 1);
    expect_agree(program->ctx, ordinary_ec, ordinary_ec);
    assert_int_equal(fake_calls().derive, 0);
    EVP_PKEY_free(ordinary_rsa);
    EVP_PKEY_free(ordinary_ec);
    ERR_clear_error();
}

static void a_fetch_that_names_us_gets_us(void **state)
{
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(types); i++) {
        EVP_KEYMGMT *keymgmt =
            EVP_KEYMGMT_fetch(program->ctx, types[i], "provider=devid");

        assert_non_null(keymgmt);
        assert_string_equal(
            OSSL_PROVIDER_get0_name(EVP_KEYMGMT_get0_provider(keymgmt)),
            "devid");
        EVP_KEYMGMT_free(keymgmt);
    }
    expect_default_fetches(program->ctx);
}

/* ---- a default provider that comes later ----------------------------- */

static void before_there_is_a_default_provider_we_offer_nothing(void **state)
{
    OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *devid;
    OSSL_PROVIDER *later;

    (void)state;
    fake_reset();
    assert_int_equal(
        OSSL_PROVIDER_add_builtin(ctx, "devid", OSSL_provider_init), 1);
    devid = OSSL_PROVIDER_load(ctx, "devid");
    assert_non_null(devid);
    assert_null(EVP_KEYMGMT_fetch(ctx, "EC", NULL));
    assert_null(EVP_KEYMGMT_fetch(ctx, "EC", "provider=devid"));
    ERR_clear_error();

    later = OSSL_PROVIDER_load(ctx, "default");
    assert_non_null(later);
    expect_default_fetches(ctx);
    a_fetch_that_names_us_gets_us((void *[]){&(struct program){.ctx = ctx}});
    OSSL_PROVIDER_unload(later);
    OSSL_PROVIDER_unload(devid);
    OSSL_LIB_CTX_free(ctx);
}

static void unloaded_and_loaded_again_we_still_come_last(void **state)
{
    struct program program;

    (void)state;
    program_start(&program, DEVID_FIRST);
    for (int i = 0; i < 3; i++) {
        EVP_PKEY *pkey = device_key(program.ctx, "EC", "P-256", NULL);

        expect_signs(program.ctx, pkey);
        EVP_PKEY_free(pkey);
        assert_int_equal(OSSL_PROVIDER_unload(program.providers[0]), 1);
        expect_default_fetches(program.ctx);
        assert_null(EVP_KEYMGMT_fetch(program.ctx, "EC", "provider=devid"));
        ERR_clear_error();
        program.providers[0] = OSSL_PROVIDER_load(program.ctx, "devid");
        assert_non_null(program.providers[0]);
        expect_default_fetches(program.ctx);
    }
    program_end(&program);
}

/* ---- first fetches that race ----------------------------------------- */

struct racer {
    pthread_t thread;
    OSSL_LIB_CTX *ctx;
    pthread_barrier_t *start;
    size_t number;
    bool ok;
};

static bool is_default(const OSSL_PROVIDER *provider)
{
    return provider != NULL &&
           strcmp(OSSL_PROVIDER_get0_name(provider), "default") == 0;
}

/* Each thread asks for another thing first; cmocka asserts in one thread. */
static void *race(void *arg)
{
    struct racer *self = arg;
    size_t i = self->number / 2 % COUNT(types);
    bool ours = self->number % 4 == 3;
    EVP_KEYMGMT *keymgmt;
    EVP_SIGNATURE *signature;

    (void)pthread_barrier_wait(self->start);
    if (self->number % 2 == 0) {
        keymgmt = EVP_KEYMGMT_fetch(self->ctx, types[i], NULL);
        self->ok =
            keymgmt != NULL && is_default(EVP_KEYMGMT_get0_provider(keymgmt));
        EVP_KEYMGMT_free(keymgmt);
        return NULL;
    }
    signature = EVP_SIGNATURE_fetch(self->ctx, signatures[i],
                                    ours ? "provider=devid" : NULL);
    self->ok = signature != NULL &&
               is_default(EVP_SIGNATURE_get0_provider(signature)) != ours;
    EVP_SIGNATURE_free(signature);
    return NULL;
}

static void first_fetches_may_race(void **state)
{
    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct racer racers[THREADS];
        struct program program;
        pthread_barrier_t start;

        program_start(&program, round % 2 == 0 ? DEVID_FIRST : DEVID_LAST);
        assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
        for (size_t i = 0; i < THREADS; i++) {
            racers[i] = (struct racer){
                .ctx = program.ctx, .start = &start, .number = i};
            assert_int_equal(
                pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
        }
        for (size_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
            assert_true(racers[i].ok);
        }
        assert_int_equal(pthread_barrier_destroy(&start), 0);
        expect_default_fetches(program.ctx);
        program_end(&program);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_ORDERS(fetches_without_properties_give_the_default_provider),
        IN_BOTH_ORDERS(they_still_do_after_keys_of_ours_were_used),
        IN_BOTH_ORDERS(ordinary_keys_are_made_and_sign_in_software),
        IN_BOTH_ORDERS(ordinary_ec_keys_agree_on_a_secret),
        IN_BOTH_ORDERS(our_keys_decrypt_and_agree_and_others_still_do),
        IN_BOTH_ORDERS(preferred_we_take_no_key_of_software_in),
        IN_BOTH_ORDERS(a_fetch_that_names_us_gets_us),
        cmocka_unit_test(before_there_is_a_default_provider_we_offer_nothing),
        cmocka_unit_test(unloaded_and_loaded_again_we_still_come_last),
        cmocka_unit_test(first_fetches_may_race),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
