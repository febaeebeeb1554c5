/* SPDX-License-Identifier: Apache-2.0 */
/* RSA padding, salt lengths, and the AlgorithmIdentifier that names them. */
#include "program.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string.h>

static EVP_MD_CTX *begin(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey, const char *hash,
                         bool verify, EVP_PKEY_CTX **params)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok =
        verify
            ? EVP_DigestVerifyInit_ex(md, params, hash, ctx, NULL, pkey, NULL)
            : EVP_DigestSignInit_ex(md, params, hash, ctx, NULL, pkey, NULL);

    assert_int_equal(ok, 1);
    return md;
}

/* Sign with PSS and a salt of ours; the public half verifies with `theirs`. */
static bool pss_verifies(struct program *program, EVP_PKEY *pkey, int ours,
                         EVP_PKEY *verifier, int theirs)
{
    const unsigned char *data = (const unsigned char *)"abc";
    EVP_PKEY_CTX *params = NULL;
    EVP_MD_CTX *md = begin(program->ctx, pkey, "SHA256", false, &params);
    unsigned char sig[512];
    size_t len = sizeof(sig);
    int ok;

    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(params, ours), 1);
    assert_int_equal(EVP_DigestSign(md, sig, &len, data, 3), 1);
    EVP_MD_CTX_free(md);
    expect_no_error();

    md = begin(program->ctx, verifier, "SHA256", true, &params);
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(params, theirs), 1);
    ok = EVP_DigestVerify(md, sig, len, data, 3);
    EVP_MD_CTX_free(md);
    ERR_clear_error();
    return ok == 1;
}

static void salts_are_as_long_as_they_are_called(void **state)
{
    static const struct {
        int asked;
        int bytes;
    } salts[] = {
        {RSA_PSS_SALTLEN_DIGEST, 32},
        {RSA_PSS_SALTLEN_MAX, 222},
        {RSA_PSS_SALTLEN_AUTO, 222},
        {0, 0},
        {17, 17},
    };
    struct program *program = *state;
    EVP_PKEY *pkey = all_round_rsa_key(program->ctx);
    EVP_PKEY *half = public_half(program->ctx, pkey);

    for (size_t i = 0; i < COUNT(salts); i++) {
        int bytes = salts[i].bytes;

        assert_true(pss_verifies(program, pkey, salts[i].asked, half, bytes));
        assert_false(
            pss_verifies(program, pkey, salts[i].asked, half, bytes + 1));
        assert_true(pss_verifies(program, pkey, salts[i].asked, pkey, bytes));
        assert_false(
            pss_verifies(program, pkey, salts[i].asked, pkey, bytes + 1));
    }
    EVP_PKEY_free(half);
    EVP_PKEY_free(pkey);
}

static void verifying_takes_the_salts_that_signers_use(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = all_round_rsa_key(program->ctx);

    assert_true(pss_verifies(program, pkey, RSA_PSS_SALTLEN_DIGEST, pkey,
                             RSA_PSS_SALTLEN_AUTO));
    assert_true(pss_verifies(program, pkey, RSA_PSS_SALTLEN_MAX, pkey,
                             RSA_PSS_SALTLEN_AUTO));
    EVP_PKEY_free(pkey);
}

static void without_a_word_the_salt_is_what_tpms_can_do(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "RSA", "2048", NULL);
    EVP_PKEY_CTX *params = NULL;
    EVP_MD_CTX *md = begin(program->ctx, pkey, "SHA256", false, &params);
    unsigned char sig[512];
    size_t len = sizeof(sig);

    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(
        EVP_DigestSign(md, sig, &len, (const unsigned char *)"abc", 3), 1);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void parameters_are_numbers_or_words(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "RSA", "2048", NULL);
    EVP_PKEY_CTX *params = NULL;
    EVP_MD_CTX *md = begin(program->ctx, pkey, "SHA256", false, &params);
    const EVP_MD *mgf1 = NULL;
    int number = 0;

    assert_int_equal(EVP_PKEY_CTX_ctrl_str(params, "rsa_padding_mode", "pss"),
                     1);
    assert_true(EVP_PKEY_CTX_get_rsa_padding(params, &number) > 0);
    assert_int_equal(number, RSA_PKCS1_PSS_PADDING);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(params, "rsa_pss_saltlen", "digest"),
                     1);
    assert_true(EVP_PKEY_CTX_get_rsa_pss_saltlen(params, &number) > 0);
    assert_int_equal(number, RSA_PSS_SALTLEN_DIGEST);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(params, "rsa_pss_saltlen", "33"), 1);
    assert_true(EVP_PKEY_CTX_get_rsa_pss_saltlen(params, &number) > 0);
    assert_int_equal(number, 33);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(params, "rsa_mgf1_md", "SHA384"), 1);
    assert_true(EVP_PKEY_CTX_get_rsa_mgf1_md(params, &mgf1) > 0);
    assert_int_equal(EVP_MD_get_type(mgf1), NID_sha384);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void what_makes_no_sense_is_refused_in_a_sentence(void **state)
{
    static const struct {
        const char *option;
        const char *value;
        const char *sentence;
    } bad[] = {
        {"rsa_padding_mode", "x931", "PKCS#1 v1.5 padding (pkcs1) or PSS"},
        {"rsa_padding_mode", "none", "PKCS#1 v1.5 padding (pkcs1) or PSS"},
        {"rsa_mgf1_md", "MD4", "no digest of hash 'MD4'"},
    };
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "RSA", "2048", NULL);
    EVP_PKEY_CTX *params = NULL;
    EVP_MD_CTX *md = begin(program->ctx, pkey, "SHA256", false, &params);
    unsigned char sig[512];
    size_t len = sizeof(sig);

    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(
            EVP_PKEY_CTX_ctrl_str(params, bad[i].option, bad[i].value) <= 0);
        expect_error(bad[i].sentence);
    }
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(params, "rsa_padding_mode", "pss"),
                     1);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(params, "rsa_pss_saltlen", "223"),
                     1);
    assert_int_not_equal(
        EVP_DigestSign(md, sig, &len, (const unsigned char *)"abc", 3), 1);
    expect_error("it has room for 222");
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
}

/* ---- keys that sign RSA-PSS alone ------------------------------------ */

static void an_rsa_pss_key_signs_pss_unasked(void **state)
{
    static const struct {
        const char *bits;
        const char *hash; /* NULL: the key's own */
    } cases[] = {{"2048", NULL}, {"2048", "SHA256"}, {"3072", "SHA512"}};
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        EVP_PKEY *pkey =
            device_key(program->ctx, "RSA-PSS", cases[i].bits, NULL);
        EVP_PKEY *half = public_half(program->ctx, pkey);
        EVP_PKEY_CTX *params = NULL;
        EVP_MD_CTX *md =
            begin(program->ctx, pkey, cases[i].hash, false, &params);
        unsigned char *sig = NULL;
        size_t len = 0;
        int pad = 0;

        assert_true(EVP_PKEY_CTX_get_rsa_padding(params, &pad) > 0);
        assert_int_equal(pad, RSA_PKCS1_PSS_PADDING);
        EVP_MD_CTX_free(md);
        sign_message(program->ctx, pkey, cases[i].hash, &sig, &len);
        assert_int_equal(
            verify_message(program->ctx, half, cases[i].hash, sig, len), 1);
        assert_int_equal(
            verify_message(program->ctx, pkey, cases[i].hash, sig, len), 1);
        OPENSSL_free(sig);
        EVP_PKEY_free(half);
        EVP_PKEY_free(pkey);
    }
    expect_no_error();
}

static void an_rsa_pss_key_refuses_other_paddings_and_hashes(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "RSA-PSS", "2048", NULL);
    EVP_PKEY_CTX *params = NULL;
    EVP_MD_CTX *md = begin(program->ctx, pkey, "SHA256", false, &params);

    assert_true(EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PADDING) <= 0);
    expect_error("signs with PSS padding (pss) alone");
    assert_true(EVP_PKEY_CTX_ctrl_str(params, "rsa_mgf1_md", "SHA1") <= 0);
    expect_error("bound to the hash SHA2-256, for MGF1 too, and not to SHA1");
    EVP_MD_CTX_free(md);
    md = EVP_MD_CTX_new();
    assert_int_not_equal(EVP_DigestSignInit_ex(md, NULL, "SHA384", program->ctx,
                                               NULL, pkey, NULL),
                         1);
    expect_error("bound to the hash SHA2-256, for MGF1 too, and not to "
                 "SHA2-384");
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    assert_int_equal(fake_calls().sign, 0);
}

/* ---- AlgorithmIdentifier --------------------------------------------- */

static size_t algorithm_id(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey, const char *hash,
                           int salt_len, unsigned char *der, size_t size)
{
    EVP_PKEY_CTX *params = NULL;
    EVP_MD_CTX *md = begin(ctx, pkey, hash, false, &params);
    OSSL_PARAM get[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, der, size),
        OSSL_PARAM_END,
    };

    if (salt_len >= 0) {
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(params, salt_len), 1);
    }
    assert_int_equal(EVP_PKEY_CTX_get_params(params, get), 1);
    EVP_MD_CTX_free(md);
    return get[0].return_size;
}

static void algorithm_identifiers_are_those_of_openssl(void **state)
{
    static const struct {
        const char *type;
        const char *size;
        const char *hash;
        int salt_len; /* -1: no PSS */
    } cases[] = {
        {"EC", "P-256", "SHA256", -1},     {"EC", "P-384", "SHA384", -1},
        {"EC", "P-256", "SHA1", -1},       {"RSA", "2048", "SHA256", -1},
        {"RSA", "2048", "SHA512", -1},     {"RSA", "2048", "SHA1", -1},
        {"RSA", "2048", "SHA256", 32},     {"RSA", "2048", "SHA384", 48},
        {"RSA", "2048", "SHA512", 64},     {"RSA", "2048", "SHA256", 222},
        {"RSA", "2048", "SHA1", 20},       {"RSA", "2048", "SHA256", 20},
        {"RSA-PSS", "2048", "SHA256", 32}, {"RSA-PSS", "3072", "SHA512", 64},
    };
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        EVP_PKEY *device =
            device_key(program->ctx, cases[i].type, cases[i].size, NULL);
        EVP_PKEY *ordinary =
            ordinary_key(program->ctx, cases[i].type, cases[i].size);
        unsigned char ours[128];
        unsigned char theirs[128];
        size_t len = algorithm_id(program->ctx, device, cases[i].hash,
                                  cases[i].salt_len, ours, sizeof(ours));

        assert_int_equal(algorithm_id(program->ctx, ordinary, cases[i].hash,
                                      cases[i].salt_len, theirs,
                                      sizeof(theirs)),
                         len);
        assert_memory_equal(ours, theirs, len);
        EVP_PKEY_free(device);
        EVP_PKEY_free(ordinary);
    }
    assert_int_equal(fake_calls().sign, 0);
    expect_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_ORDERS(salts_are_as_long_as_they_are_called),
        IN_BOTH_ORDERS(verifying_takes_the_salts_that_signers_use),
        IN_BOTH_ORDERS(without_a_word_the_salt_is_what_tpms_can_do),
        IN_BOTH_ORDERS(parameters_are_numbers_or_words),
        IN_BOTH_ORDERS(what_makes_no_sense_is_refused_in_a_sentence),
        IN_BOTH_ORDERS(an_rsa_pss_key_signs_pss_unasked),
        IN_BOTH_ORDERS(an_rsa_pss_key_refuses_other_paddings_and_hashes),
        IN_BOTH_ORDERS(algorithm_identifiers_are_those_of_openssl),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
