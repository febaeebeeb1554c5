/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures: every scheme, in every way that libcrypto asks for them. */
#include "program.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string.h>

static const char *const hashes[] = {"SHA1",   "SHA224", "SHA256",
                                     "SHA384", "SHA512", "SHA3-256"};

static void every_key_signs_every_hash(void **state)
{
    struct program *program = *state;
    EVP_PKEY *keys[] = {
        device_key(program->ctx, "EC", "P-256", NULL),
        device_key(program->ctx, "EC", "P-384", NULL),
        device_key(program->ctx, "EC", "P-521", NULL),
        all_round_rsa_key(program->ctx),
    };

    for (size_t k = 0; k < COUNT(keys); k++) {
        EVP_PKEY *half = public_half(program->ctx, keys[k]);

        for (size_t h = 0; h < COUNT(hashes); h++) {
            unsigned char *sig = NULL;
            size_t len = 0;

            sign_message(program->ctx, keys[k], hashes[h], &sig, &len);
            assert_int_equal(
                verify_message(program->ctx, half, hashes[h], sig, len), 1);
            assert_int_equal(
                verify_message(program->ctx, keys[k], hashes[h], sig, len), 1);
            expect_no_error();
            sig[len - 1] ^= 1;
            assert_int_not_equal(
                verify_message(program->ctx, keys[k], hashes[h], sig, len), 1);
            expect_error("does not verify");
            OPENSSL_free(sig);
        }
        EVP_PKEY_free(half);
        EVP_PKEY_free(keys[k]);
    }
}

static void a_question_for_the_size_touches_no_device(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char small[16];
    size_t len = 0;

    assert_int_equal(EVP_DigestSignInit_ex(md, NULL, "SHA256", program->ctx,
                                           NULL, pkey, NULL),
                     1);
    assert_int_equal(
        EVP_DigestSign(md, NULL, &len, (const unsigned char *)"x", 1), 1);
    assert_int_equal(len, 72);
    assert_int_equal(EVP_DigestSignUpdate(md, "x", 1), 1);
    assert_int_equal(EVP_DigestSignFinal(md, NULL, &len), 1);
    assert_int_equal(len, 72);
    expect_no_error();
    len = sizeof(small);
    assert_int_not_equal(EVP_DigestSignFinal(md, small, &len), 1);
    expect_error("takes 72 bytes, there are 16");
    assert_int_equal(fake_calls().sign, 0);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
}

/* ---- copies ---------------------------------------------------------- */

static EVP_MD_CTX *begin(struct program *program, EVP_PKEY *pkey, bool verify)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = verify ? EVP_DigestVerifyInit_ex(md, NULL, "SHA256", program->ctx,
                                              NULL, pkey, NULL)
                    : EVP_DigestSignInit_ex(md, NULL, "SHA256", program->ctx,
                                            NULL, pkey, NULL);

    assert_int_equal(ok, 1);
    return md;
}

static void a_copy_in_the_middle_shares_nothing(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    EVP_MD_CTX *sign = begin(program, pkey, false);
    EVP_MD_CTX *sign_copy = EVP_MD_CTX_new();
    EVP_MD_CTX *verify = begin(program, pkey, true);
    EVP_MD_CTX *verify_copy = EVP_MD_CTX_new();
    unsigned char sig[2][80];
    size_t len[2] = {sizeof(sig[0]), sizeof(sig[1])};

    assert_int_equal(EVP_DigestSignUpdate(sign, "ab", 2), 1);
    assert_int_equal(EVP_MD_CTX_copy_ex(sign_copy, sign), 1);
    assert_int_equal(EVP_DigestSignUpdate(sign, "c", 1), 1);
    assert_int_equal(EVP_DigestSignUpdate(sign_copy, "d", 1), 1);
    assert_int_equal(EVP_DigestSignFinal(sign, sig[0], &len[0]), 1);
    EVP_MD_CTX_free(sign);
    assert_int_equal(EVP_DigestSignFinal(sign_copy, sig[1], &len[1]), 1);
    EVP_MD_CTX_free(sign_copy);

    assert_int_equal(EVP_DigestVerifyUpdate(verify, "ab", 2), 1);
    assert_int_equal(EVP_MD_CTX_copy_ex(verify_copy, verify), 1);
    assert_int_equal(EVP_DigestVerifyUpdate(verify, "c", 1), 1);
    assert_int_equal(EVP_DigestVerifyUpdate(verify_copy, "d", 1), 1);
    assert_int_equal(EVP_DigestVerifyFinal(verify, sig[0], len[0]), 1);
    EVP_MD_CTX_free(verify);
    assert_int_equal(EVP_DigestVerifyFinal(verify_copy, sig[1], len[1]), 1);
    EVP_MD_CTX_free(verify_copy);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void a_context_signs_again_without_naming_the_key(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    EVP_MD_CTX *md = begin(program, pkey, false);
    unsigned char sig[80];
    size_t len = sizeof(sig);

    assert_int_equal(EVP_DigestSignUpdate(md, "thrown away", 11), 1);
    assert_int_equal(EVP_DigestSignInit_ex(md, NULL, "SHA384", program->ctx,
                                           NULL, NULL, NULL),
                     1);
    assert_int_equal(
        EVP_DigestSign(md, sig, &len, (const unsigned char *)"abc", 3), 1);
    EVP_MD_CTX_free(md);

    md = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit_ex(md, NULL, "SHA384", program->ctx,
                                             NULL, pkey, NULL),
                     1);
    assert_int_equal(
        EVP_DigestVerify(md, sig, len, (const unsigned char *)"abc", 3), 1);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

/* ---- ready digests --------------------------------------------------- */

static EVP_PKEY_CTX *plain(struct program *program, EVP_PKEY *pkey, bool verify)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(program->ctx, pkey, NULL);

    assert_int_equal(
        verify ? EVP_PKEY_verify_init(ctx) : EVP_PKEY_sign_init(ctx), 1);
    return ctx;
}

/* Sign ready data and verify it with the public half; no hash named. */
static void expect_signs_raw(struct program *program, EVP_PKEY *pkey,
                             size_t len)
{
    EVP_PKEY *half = public_half(program->ctx, pkey);
    EVP_PKEY_CTX *sign = plain(program, pkey, false);
    EVP_PKEY_CTX *verify = plain(program, half, true);
    unsigned char sig[512];
    size_t sig_len = sizeof(sig);
    unsigned char data[64] = {1, 2, 3};

    assert_int_equal(EVP_PKEY_sign(sign, sig, &sig_len, data, len), 1);
    assert_int_equal(EVP_PKEY_verify(verify, sig, sig_len, data, len), 1);
    EVP_PKEY_CTX_free(sign);
    EVP_PKEY_CTX_free(verify);
    EVP_PKEY_free(half);
    expect_no_error();
}

static void without_a_hash_the_data_itself_is_signed(void **state)
{
    struct program *program = *state;
    EVP_PKEY *ec = device_key(program->ctx, "EC", "P-256", NULL);
    EVP_PKEY *rsa = all_round_rsa_key(program->ctx);

    expect_signs_raw(program, ec, 20);
    expect_signs_raw(program, ec, 32);
    expect_signs_raw(program, ec, 64);
    expect_signs_raw(program, rsa, 11);
    expect_signs_raw(program, rsa, 36);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
}

/* TLS 1.0 and 1.1: no DigestInfo around it. */
static void md5_sha1_is_signed_as_tls_1_0_does(void **state)
{
    struct program *program = *state;
    EVP_PKEY *rsa = all_round_rsa_key(program->ctx);
    EVP_PKEY *half = public_half(program->ctx, rsa);
    unsigned char *sig = NULL;
    size_t len = 0;

    sign_message(program->ctx, rsa, "MD5-SHA1", &sig, &len);
    assert_int_equal(verify_message(program->ctx, half, "MD5-SHA1", sig, len),
                     1);
    OPENSSL_free(sig);
    EVP_PKEY_free(half);
    EVP_PKEY_free(rsa);
    expect_no_error();
}

static void a_digest_of_another_length_is_refused(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    EVP_PKEY_CTX *sign = plain(program, pkey, false);
    unsigned char digest[20] = {0};
    unsigned char sig[80];
    size_t len = sizeof(sig);

    assert_int_equal(EVP_PKEY_CTX_set_signature_md(sign, EVP_sha256()), 1);
    assert_int_not_equal(EVP_PKEY_sign(sign, sig, &len, digest, 20), 1);
    expect_error("20 bytes is no SHA2-256 digest");
    EVP_PKEY_CTX_free(sign);
    EVP_PKEY_free(pkey);
}

/* ---- errors ---------------------------------------------------------- */

static void what_the_device_says_is_in_the_error_queue(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    EVP_MD_CTX *md = begin(program, pkey, false);
    unsigned char sig[80];
    size_t len = sizeof(sig);
    unsigned long code;

    fake_fail_next(DEVID_ERR_LOCKED, 0x921, "the device is locked for an hour");
    assert_int_not_equal(
        EVP_DigestSign(md, sig, &len, (const unsigned char *)"x", 1), 1);
    code = ERR_peek_error();
    assert_int_equal(ERR_GET_REASON(code), DEVID_ERR_LOCKED);
    assert_string_equal(ERR_reason_error_string(code), "device locked out");
    assert_string_equal(ERR_lib_error_string(code), "devid");
    expect_error("the device is locked for an hour");
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
}

static void a_signature_in_other_bytes_than_der_does_not_verify(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    unsigned char *sig = NULL;
    unsigned char longer[100];
    size_t len = 0;

    sign_message(program->ctx, pkey, "SHA256", &sig, &len);
    memcpy(longer, sig, len);
    longer[len] = 0;
    assert_int_not_equal(
        verify_message(program->ctx, pkey, "SHA256", longer, len + 1), 1);
    expect_error("no DER of two numbers");
    assert_int_not_equal(
        verify_message(program->ctx, pkey, "SHA256", sig, len - 1), 1);
    expect_error("no DER of two numbers");
    OPENSSL_free(sig);
    EVP_PKEY_free(pkey);
}

static void ed25519_signs_the_message_itself(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "ED25519", NULL, NULL);
    EVP_PKEY *half = public_half(program->ctx, pkey);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char *sig = NULL;
    size_t len = 0;

    sign_message(program->ctx, pkey, NULL, &sig, &len);
    assert_int_equal(len, 64);
    assert_int_equal(verify_message(program->ctx, half, NULL, sig, len), 1);
    assert_int_equal(verify_message(program->ctx, pkey, NULL, sig, len), 1);
    expect_no_error();
    sig[63] ^= 1;
    assert_int_not_equal(verify_message(program->ctx, pkey, NULL, sig, len), 1);
    expect_error("does not verify");
    assert_int_not_equal(EVP_DigestSignInit_ex(md, NULL, "SHA256", program->ctx,
                                               NULL, pkey, NULL),
                         1);
    expect_error("of the message itself: name no hash");
    EVP_MD_CTX_free(md);
    OPENSSL_free(sig);
    EVP_PKEY_free(half);
    EVP_PKEY_free(pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_ORDERS(every_key_signs_every_hash),
        IN_BOTH_ORDERS(a_question_for_the_size_touches_no_device),
        IN_BOTH_ORDERS(a_copy_in_the_middle_shares_nothing),
        IN_BOTH_ORDERS(a_context_signs_again_without_naming_the_key),
        IN_BOTH_ORDERS(without_a_hash_the_data_itself_is_signed),
        IN_BOTH_ORDERS(md5_sha1_is_signed_as_tls_1_0_does),
        IN_BOTH_ORDERS(a_digest_of_another_length_is_refused),
        IN_BOTH_ORDERS(ed25519_signs_the_message_itself),
        IN_BOTH_ORDERS(what_the_device_says_is_in_the_error_queue),
        IN_BOTH_ORDERS(a_signature_in_other_bytes_than_der_does_not_verify),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
