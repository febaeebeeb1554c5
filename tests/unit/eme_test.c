/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption padding, removed in software. */
#include "support.h"

#include "eme.h"

#include <openssl/evp.h>

#include <string.h>

#define K 256 /* bytes of RSA-2048 */

static const uint8_t secret[DEVID_EME_SECRET_LEN] = {1, 2, 3};
static const uint8_t number[K] = {0x12, 0x34};

/* EM of RFC 8017, 7.2.1, around the letters a, b, c and so on. */
static void pad_pkcs1(struct devid_block *block, size_t message_len)
{
    size_t start = K - message_len;

    block->state = DEVID_BLOCK_PADDED;
    block->len = K;
    memset(block->data, 0x55, K);
    block->data[0] = 0;
    block->data[1] = 2;
    block->data[start - 1] = 0;
    for (size_t i = 0; i < message_len; i++)
        block->data[start + i] = (uint8_t)('a' + i % 26);
}

static enum devid_err decode(const struct devid_ciphertext *c,
                             const struct devid_block *block,
                             struct devid_plaintext *plain,
                             struct devid_error *err)
{
    const struct devid_eme eme = {.secret = secret, .c = c};

    assert_int_equal(devid_eme_check(c, err), DEVID_OK);
    return devid_eme_decode(&eme, block, plain, err);
}

static const struct devid_ciphertext pkcs1 = {
    .padding = DEVID_PAD_PKCS1, .data = number, .len = K};

/* ---- PKCS #1 v1.5 ---- */

static void a_message_of_any_length_comes_out(void **state)
{
    struct devid_plaintext plain;
    struct devid_block block;
    struct devid_error err = {0};

    (void)state;
    for (size_t len = 0; len <= K - 11; len++) {
        pad_pkcs1(&block, len);
        assert_int_equal(decode(&pkcs1, &block, &plain, &err), DEVID_OK);
        assert_int_equal(plain.len, len);
        assert_memory_equal(plain.data, block.data + K - len, len);
    }
}

/* What may be wrong with a block; false: there is no such thing. */
static bool spoil(struct devid_block *block, int how)
{
    pad_pkcs1(block, 20);
    switch (how) {
    case 0:
        block->data[0] = 1;
        return true;
    case 1:
        block->data[1] = 1;
        return true;
    case 2:
        block->data[2] = 0;
        return true;
    case 3:
        block->data[9] = 0;
        return true;
    case 4: /* no end of the padding */
        memset(block->data + 2, 0x55, K - 2);
        return true;
    case 5: /* as a device says it */
        block->state = DEVID_BLOCK_REJECTED;
        return true;
    default:
        return false;
    }
}

static void wrong_padding_gives_one_and_the_same_other_message(void **state)
{
    struct devid_plaintext first = {.len = K};
    struct devid_plaintext plain;
    struct devid_block block;
    struct devid_error err = {0};

    (void)state;
    for (int how = 0; spoil(&block, how); how++) {
        assert_int_equal(decode(&pkcs1, &block, &plain, &err), DEVID_OK);
        assert_true(plain.len <= K - 11);
        if (how == 0)
            first = plain;
        assert_int_equal(plain.len, first.len);
        assert_memory_equal(plain.data, first.data, plain.len);
    }
}

static void ten_bytes_of_header_are_the_least(void **state)
{
    struct devid_plaintext plain;
    struct devid_block block;
    struct devid_error err = {0};

    (void)state;
    pad_pkcs1(&block, 20);
    block.data[10] = 0; /* eight bytes of padding before it */
    assert_int_equal(decode(&pkcs1, &block, &plain, &err), DEVID_OK);
    assert_int_equal(plain.len, K - 11);
    assert_memory_equal(plain.data, block.data + 11, K - 11);
}

static void another_ciphertext_or_secret_gives_another_message(void **state)
{
    static const uint8_t other_secret[DEVID_EME_SECRET_LEN] = {1, 2, 4};
    struct devid_ciphertext c = pkcs1;
    struct devid_eme eme = {.secret = secret, .c = &c};
    uint8_t other_number[K] = {0x12, 0x34};
    struct devid_plaintext plain[3];
    struct devid_block block;
    struct devid_error err = {0};

    (void)state;
    (void)spoil(&block, 0);
    other_number[K - 1] = 1;
    assert_int_equal(devid_eme_decode(&eme, &block, &plain[0], &err), DEVID_OK);
    eme.secret = other_secret;
    assert_int_equal(devid_eme_decode(&eme, &block, &plain[1], &err), DEVID_OK);
    eme.secret = secret;
    c.data = other_number;
    assert_int_equal(devid_eme_decode(&eme, &block, &plain[2], &err), DEVID_OK);
    assert_false(plain[0].len == plain[1].len && plain[1].len == plain[2].len);
}

/* A length that only one in some hundred has would tell. */
static void messages_that_were_made_up_have_all_lengths(void **state)
{
    uint8_t data[K] = {0};
    struct devid_ciphertext c = pkcs1;
    bool seen[K] = {false};
    unsigned lengths = 0;
    struct devid_block block;
    struct devid_error err = {0};

    (void)state;
    (void)spoil(&block, 0);
    c.data = data;
    for (unsigned i = 0; i < 2000; i++) {
        struct devid_plaintext plain;

        data[0] = (uint8_t)(i >> 8);
        data[1] = (uint8_t)i;
        assert_int_equal(decode(&c, &block, &plain, &err), DEVID_OK);
        assert_true(plain.len <= K - 11);
        lengths += !seen[plain.len];
        seen[plain.len] = true;
    }
    assert_true(lengths > 240); /* of 246: 2000 draws leave out one or none */
}

static void a_caller_who_wants_to_know_is_told(void **state)
{
    struct devid_ciphertext c = pkcs1;
    struct devid_plaintext plain;
    struct devid_block block;
    struct devid_error err = {0};

    (void)state;
    c.tell_bad_padding = true;
    for (int how = 0; spoil(&block, how); how++) {
        assert_int_equal(decode(&c, &block, &plain, &err), DEVID_ERR_INPUT);
        expect_text(&err, "no ciphertext for this key with this padding");
    }
    pad_pkcs1(&block, 5);
    assert_int_equal(decode(&c, &block, &plain, &err), DEVID_OK);
    assert_int_equal(plain.len, 5);
}

/* ---- the premaster secret of TLS ---- */

static const struct devid_ciphertext tls = {
    .padding = DEVID_PAD_TLS, .data = number, .len = K, .tls_version = 0x0303};

static void pad_premaster(struct devid_block *block)
{
    pad_pkcs1(block, 48);
    block->data[K - 48] = 3;
    block->data[K - 47] = 3;
}

static void a_premaster_secret_comes_out(void **state)
{
    struct devid_plaintext plain;
    struct devid_block block;
    struct devid_block taken = {.state = DEVID_BLOCK_MESSAGE, .len = 48};
    struct devid_error err = {0};

    (void)state;
    pad_premaster(&block);
    assert_int_equal(decode(&tls, &block, &plain, &err), DEVID_OK);
    assert_int_equal(plain.len, 48);
    assert_memory_equal(plain.data, block.data + K - 48, 48);
    memcpy(taken.data, block.data + K - 48, 48);
    assert_int_equal(decode(&tls, &taken, &plain, &err), DEVID_OK);
    assert_memory_equal(plain.data, taken.data, 48);
}

static void the_negotiated_version_will_do_where_it_is_given(void **state)
{
    struct devid_ciphertext c = tls;
    struct devid_plaintext plain;
    struct devid_block block;
    struct devid_error err = {0};

    (void)state;
    pad_premaster(&block);
    block.data[K - 47] = 1;
    c.tls_negotiated = 0x0301;
    assert_int_equal(decode(&c, &block, &plain, &err), DEVID_OK);
    assert_memory_equal(plain.data, block.data + K - 48, 48);
}

static void any_other_is_random_each_time(void **state)
{
    struct devid_block blocks[7];
    struct devid_plaintext plain[2];
    struct devid_error err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(blocks); i++)
        pad_premaster(&blocks[i]);
    blocks[0].data[0] = 1;
    blocks[1].data[K - 47] = 2; /* the version */
    pad_pkcs1(&blocks[2], 47);
    pad_pkcs1(&blocks[3], 49);
    blocks[4].data[20] = 0;
    blocks[5].state = DEVID_BLOCK_REJECTED;
    blocks[6].state = DEVID_BLOCK_MESSAGE;
    blocks[6].len = 47;
    for (size_t i = 0; i < COUNT(blocks); i++) {
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(decode(&tls, &blocks[i], &plain[j], &err),
                             DEVID_OK);
            assert_int_equal(plain[j].len, 48);
            assert_memory_not_equal(plain[j].data, blocks[i].data + K - 48, 48);
        }
        assert_memory_not_equal(plain[0].data, plain[1].data, 48);
    }
}

/* ---- OAEP ---- */

static void oaep_fits_openssls_with_every_hash_and_label(void **state)
{
    static const struct devid_plaintext message = {3, {'x', 'y', 'z'}};
    EVP_PKEY *pkey = software_key("rsa-2048");
    const struct devid_hash *h;

    (void)state;
    for (h = devid_hashes(); h->name != NULL; h++) {
        struct devid_ciphertext c = {.padding = DEVID_PAD_OAEP, .hash = h};
        struct devid_plaintext sent;
        struct devid_plaintext plain;
        struct devid_block block;
        struct devid_error err = {0};

        if (strcmp(h->name, "MD5-SHA1") == 0)
            continue;
        if (h->len > 28) {
            c.label = (const uint8_t *)"label";
            c.label_len = 5;
            c.mgf1 = devid_hash_by_name("SHA1");
        }
        software_encrypt(pkey, &c, &message, &sent);
        c.data = sent.data;
        c.len = sent.len;
        software_power(pkey, &c, &block);
        assert_int_equal(decode(&c, &block, &plain, &err), DEVID_OK);
        assert_int_equal(plain.len, 3);
        assert_memory_equal(plain.data, "xyz", 3);
    }
    EVP_PKEY_free(pkey);
}

static void oaep_with_a_flaw_is_refused_in_one_sentence(void **state)
{
    static const struct devid_plaintext message = {3, {'x', 'y', 'z'}};
    EVP_PKEY *pkey = software_key("rsa-2048");
    struct devid_ciphertext c = {.padding = DEVID_PAD_OAEP,
                                 .hash = devid_hash_by_name("SHA256")};
    struct devid_plaintext sent;
    struct devid_plaintext plain;
    struct devid_block block;
    char sentence[DEVID_ERROR_TEXT_SIZE] = "";

    (void)state;
    software_encrypt(pkey, &c, &message, &sent);
    c.data = sent.data;
    c.len = sent.len;
    software_power(pkey, &c, &block);
    for (size_t i = 0; i < K; i++) {
        struct devid_error err = {0};

        block.data[i] ^= 1;
        assert_int_equal(decode(&c, &block, &plain, &err), DEVID_ERR_INPUT);
        if (i == 0)
            memcpy(sentence, err.text, sizeof(sentence));
        assert_string_equal(err.text, sentence);
        block.data[i] ^= 1;
    }
    c.label = (const uint8_t *)"another";
    c.label_len = 7;
    assert_int_equal(decode(&c, &block, &plain, NULL), DEVID_ERR_INPUT);
    EVP_PKEY_free(pkey);
}

/* ---- all ---- */

static void without_padding_the_block_is_the_message(void **state)
{
    struct devid_ciphertext c = {
        .padding = DEVID_PAD_NONE, .data = number, .len = K};
    struct devid_plaintext plain;
    struct devid_block block;
    struct devid_error err = {0};

    (void)state;
    pad_pkcs1(&block, 7);
    assert_int_equal(decode(&c, &block, &plain, &err), DEVID_OK);
    assert_int_equal(plain.len, K);
    assert_memory_equal(plain.data, block.data, K);
}

static void a_key_that_is_too_small_is_refused(void **state)
{
    struct devid_ciphertext c = {.data = number, .len = 10};
    struct devid_error err = {0};

    (void)state;
    c.padding = DEVID_PAD_PKCS1;
    assert_int_equal(devid_eme_check(&c, &err), DEVID_ERR_ALG);
    expect_text(&err, "of 10 bytes is too small for this padding: it takes 11");
    c.padding = DEVID_PAD_TLS;
    c.len = 58;
    assert_int_equal(devid_eme_check(&c, &err), DEVID_ERR_ALG);
    c.padding = DEVID_PAD_OAEP;
    assert_int_equal(devid_eme_check(&c, &err), DEVID_ERR_USAGE);
    expect_text(&err, "OAEP needs the name of its hash");
    c.hash = devid_hash_by_name("SHA256");
    c.len = 65;
    assert_int_equal(devid_eme_check(&c, &err), DEVID_ERR_ALG);
    c.len = 66;
    assert_int_equal(devid_eme_check(&c, &err), DEVID_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_of_any_length_comes_out),
        cmocka_unit_test(wrong_padding_gives_one_and_the_same_other_message),
        cmocka_unit_test(ten_bytes_of_header_are_the_least),
        cmocka_unit_test(another_ciphertext_or_secret_gives_another_message),
        cmocka_unit_test(messages_that_were_made_up_have_all_lengths),
        cmocka_unit_test(a_caller_who_wants_to_know_is_told),
        cmocka_unit_test(a_premaster_secret_comes_out),
        cmocka_unit_test(the_negotiated_version_will_do_where_it_is_given),
        cmocka_unit_test(any_other_is_random_each_time),
        cmocka_unit_test(oaep_fits_openssls_with_every_hash_and_label),
        cmocka_unit_test(oaep_with_a_flaw_is_refused_in_one_sentence),
        cmocka_unit_test(without_padding_the_block_is_the_message),
        cmocka_unit_test(a_key_that_is_too_small_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
