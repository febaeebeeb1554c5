/* SPDX-License-Identifier: Apache-2.0 */
/* Decryption: what OpenSSL encrypts for the public key, the device decrypts. */
#include "contract.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string.h>

static const struct devid_plaintext message = {
    11, {'a', ' ', 's', 'e', 'c', 'r', 'e', 't', ' ', 'o', 'f'}};

/* Devices take seconds to make one: what is kept is its file. */
static char *key_file;
static size_t key_file_len;

/* A key that may decrypt, and OpenSSL's idea of its public half. */
static struct devid_key *decrypting_key(EVP_PKEY **public_half)
{
    struct devid_key *key = NULL;
    struct devid_error err = {0};

    if (key_file == NULL) {
        key = try_key("rsa-2048", true);
        assert_non_null(key);
        assert_int_equal(devid_key_to_pem(key, &key_file, &key_file_len, &err),
                         DEVID_OK);
    } else {
        assert_int_equal(
            devid_key_from_pem(engine, key_file, key_file_len, &key, &err),
            DEVID_OK);
    }
    assert_int_equal(
        devid_public_to_pkey(devid_key_public(key), NULL, public_half, &err),
        DEVID_OK);
    return key;
}

static int forget_key_file(void **state)
{
    (void)state;
    OPENSSL_free(key_file);
    return 0;
}

/* Encrypt in software, decrypt in the device. */
static void expect_decrypts(struct devid_key *key, EVP_PKEY *public_half,
                            const struct devid_ciphertext *how,
                            const struct devid_plaintext *plain)
{
    struct devid_plaintext sent;
    struct devid_plaintext got;
    struct devid_ciphertext c = *how;
    struct devid_error err = {0};
    enum devid_err e;

    software_encrypt(public_half, how, plain, &sent);
    c.data = sent.data;
    c.len = sent.len;
    e = devid_key_decrypt(key, &c, &got, &err);
    if (e != DEVID_OK)
        print_error("padding %d: %s\n", (int)how->padding, err.text);
    assert_int_equal(e, DEVID_OK);
    assert_int_equal(got.len, plain->len);
    assert_memory_equal(got.data, plain->data, plain->len);
}

static void rsa_decrypts_pkcs1(void **state)
{
    static const struct devid_ciphertext how = {.padding = DEVID_PAD_PKCS1};
    static const struct devid_plaintext nothing = {.len = 0};
    struct devid_plaintext longest = {.len = 245, .data = {0, 0, 1}};
    EVP_PKEY *public_half = NULL;
    struct devid_key *key = decrypting_key(&public_half);

    (void)state;
    expect_decrypts(key, public_half, &how, &message);
    expect_decrypts(key, public_half, &how, &nothing);
    expect_decrypts(key, public_half, &how, &longest);
    EVP_PKEY_free(public_half);
    devid_key_free(&key);
}

static void rsa_decrypts_oaep_with_any_hashes_and_label(void **state)
{
    static const char *const hashes[] = {"SHA1", "SHA256", "SHA512",
                                         "SHA3-256"};
    EVP_PKEY *public_half = NULL;
    struct devid_key *key = decrypting_key(&public_half);

    (void)state;
    for (size_t i = 0; i < COUNT(hashes); i++) {
        struct devid_ciphertext how = {.padding = DEVID_PAD_OAEP,
                                       .hash = devid_hash_by_name(hashes[i])};

        expect_decrypts(key, public_half, &how, &message);
        how.mgf1 = devid_hash_by_name("SHA384");
        expect_decrypts(key, public_half, &how, &message);
        how.label = (const uint8_t *)"a label";
        how.label_len = 7;
        expect_decrypts(key, public_half, &how, &message);
    }
    EVP_PKEY_free(public_half);
    devid_key_free(&key);
}

static void rsa_decrypts_without_padding(void **state)
{
    static const struct devid_ciphertext how = {.padding = DEVID_PAD_NONE};
    struct devid_plaintext block = {.len = 256};
    EVP_PKEY *public_half = NULL;
    struct devid_key *key = decrypting_key(&public_half);

    (void)state;
    for (size_t i = 0; i < block.len; i++)
        block.data[i] = (uint8_t)i; /* with a zero at its beginning */
    expect_decrypts(key, public_half, &how, &block);
    EVP_PKEY_free(public_half);
    devid_key_free(&key);
}

static void rsa_decrypts_a_premaster_secret(void **state)
{
    static const struct devid_ciphertext how = {.padding = DEVID_PAD_TLS,
                                                .tls_version = 0x0303};
    struct devid_plaintext premaster = {.len = 48, .data = {3, 3, 7}};
    EVP_PKEY *public_half = NULL;
    struct devid_key *key = decrypting_key(&public_half);

    (void)state;
    expect_decrypts(key, public_half, &how, &premaster);
    EVP_PKEY_free(public_half);
    devid_key_free(&key);
}

static void wrong_pkcs1_padding_is_not_told_but_answered(void **state)
{
    static const struct devid_ciphertext how = {.padding = DEVID_PAD_NONE};
    struct devid_plaintext block = {.len = 256, .data = {0, 1, 2}};
    struct devid_plaintext sent;
    struct devid_plaintext got[2];
    EVP_PKEY *public_half = NULL;
    struct devid_key *key = decrypting_key(&public_half);
    struct devid_ciphertext c = {.padding = DEVID_PAD_PKCS1};
    struct devid_error err = {0};

    (void)state;
    software_encrypt(public_half, &how, &block, &sent);
    c.data = sent.data;
    c.len = sent.len;
    for (size_t i = 0; i < COUNT(got); i++)
        assert_int_equal(devid_key_decrypt(key, &c, &got[i], &err), DEVID_OK);
    assert_int_equal(got[0].len, got[1].len);
    assert_memory_equal(got[0].data, got[1].data, got[0].len);

    c.tell_bad_padding = true;
    assert_int_equal(devid_key_decrypt(key, &c, &got[0], &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "no ciphertext for this key with this padding");
    assert_int_equal(got[0].len, 0);
    c.padding = DEVID_PAD_OAEP;
    c.hash = devid_hash_by_name("SHA256");
    assert_int_equal(devid_key_decrypt(key, &c, &got[0], &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "no ciphertext for this key with this padding");
    EVP_PKEY_free(public_half);
    devid_key_free(&key);
}

static void what_is_no_ciphertext_never_reaches_the_device(void **state)
{
    static const uint8_t numbers[257] = {0};
    uint8_t large[256];
    EVP_PKEY *public_half = NULL;
    struct devid_key *key = decrypting_key(&public_half);
    struct devid_ciphertext c = {
        .padding = DEVID_PAD_NONE, .data = numbers, .len = sizeof(numbers)};
    struct devid_plaintext got = {.len = 77};
    struct devid_error err = {.device_rc = 1};

    (void)state;
    assert_int_equal(devid_key_decrypt(key, &c, &got, &err), DEVID_ERR_INPUT);
    expect_text(&err, "a ciphertext for this key has 256 bytes, not 257");
    assert_int_equal(err.device_rc, 0);
    assert_int_equal(got.len, 0);
    memset(large, 0xff, sizeof(large));
    c.data = large;
    c.len = sizeof(large);
    assert_int_equal(devid_key_decrypt(key, &c, &got, &err), DEVID_ERR_INPUT);
    expect_text(&err, "as large as the key's modulus or larger");
    EVP_PKEY_free(public_half);
    devid_key_free(&key);
}

static void zeros_left_out_at_the_beginning_do_no_harm(void **state)
{
    static const uint8_t one[] = {1};
    EVP_PKEY *public_half = NULL;
    struct devid_key *key = decrypting_key(&public_half);
    const struct devid_ciphertext c = {
        .padding = DEVID_PAD_NONE, .data = one, .len = sizeof(one)};
    struct devid_plaintext got;
    struct devid_error err = {0};

    (void)state;
    /* One, to whatever power. */
    assert_int_equal(devid_key_decrypt(key, &c, &got, &err), DEVID_OK);
    assert_int_equal(got.len, 256);
    assert_int_equal(got.data[255], 1);
    EVP_PKEY_free(public_half);
    devid_key_free(&key);
}

static void a_key_made_to_sign_says_what_helps(void **state)
{
    static const uint8_t number[256] = {0, 1};
    const struct devid_ciphertext c = {
        .padding = DEVID_PAD_NONE, .data = number, .len = sizeof(number)};
    struct devid_key *key = new_key("rsa-2048");
    struct devid_plaintext got;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_key_decrypt(key, &c, &got, &err), DEVID_ERR_ALG);
    expect_text(&err, "devid keygen --decrypt");
    devid_key_free(&key);

    key = new_key("ec-p256");
    assert_int_equal(devid_key_decrypt(key, &c, &got, &err), DEVID_ERR_USAGE);
    expect_text(&err, "only an RSA key decrypts");
    devid_key_free(&key);
}

int contract_decrypt(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(rsa_decrypts_pkcs1),
        CONTRACT_TEST(rsa_decrypts_oaep_with_any_hashes_and_label),
        CONTRACT_TEST(rsa_decrypts_without_padding),
        CONTRACT_TEST(rsa_decrypts_a_premaster_secret),
        CONTRACT_TEST(wrong_pkcs1_padding_is_not_told_but_answered),
        CONTRACT_TEST(what_is_no_ciphertext_never_reaches_the_device),
        CONTRACT_TEST(zeros_left_out_at_the_beginning_do_no_harm),
        CONTRACT_TEST(a_key_made_to_sign_says_what_helps),
    };

    return cmocka_run_group_tests_name("decrypt", tests, NULL, forget_key_file);
}
