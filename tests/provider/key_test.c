/* SPDX-License-Identifier: Apache-2.0 */
/* Key management: what a key says of itself, and what it gives to nobody. */
#include "program.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include <string.h>

static const struct {
    const char *type;
    const char *size;
} kinds[] = {
    {"EC", "P-256"},     {"EC", "P-384"},     {"EC", "P-521"}, {"RSA", "2048"},
    {"RSA", "3072"},     {"RSA-PSS", "2048"}, /* bound to a hash */
    {"RSA-PSS", "3072"}, {"ED25519", NULL},
};

static void a_key_measures_as_its_public_half_does(void **state)
{
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY *pkey =
            device_key(program->ctx, kinds[i].type, kinds[i].size, NULL);
        EVP_PKEY *half = public_half(program->ctx, pkey);
        char ours[64];
        char theirs[64];

        assert_int_equal(EVP_PKEY_get_bits(pkey), EVP_PKEY_get_bits(half));
        assert_int_equal(EVP_PKEY_get_size(pkey), EVP_PKEY_get_size(half));
        assert_int_equal(EVP_PKEY_get_security_bits(pkey),
                         EVP_PKEY_get_security_bits(half));
        assert_int_equal(EVP_PKEY_get_id(pkey), EVP_PKEY_get_id(half));
        /* 2: mandatory */
        assert_int_equal(EVP_PKEY_get_default_digest_name(pkey, ours, 64),
                         EVP_PKEY_get_default_digest_name(half, theirs, 64));
        assert_ptr_equal(devid_hash_by_name(ours), devid_hash_by_name(theirs));
        EVP_PKEY_free(half);
        EVP_PKEY_free(pkey);
    }
    expect_no_error();
}

static void expect_same_number(EVP_PKEY *a, EVP_PKEY *b, const char *name)
{
    BIGNUM *number_a = NULL;
    BIGNUM *number_b = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(a, name, &number_a), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(b, name, &number_b), 1);
    assert_int_equal(BN_cmp(number_a, number_b), 0);
    BN_free(number_a);
    BN_free(number_b);
}

static void an_ec_key_gives_its_group_and_point(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-384", NULL);
    EVP_PKEY *half = public_half(program->ctx, pkey);
    unsigned char *ours = NULL;
    unsigned char *theirs = NULL;
    char group[32];
    size_t len;

    assert_int_equal(EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len),
                     1);
    assert_string_equal(group, "secp384r1");
    len = EVP_PKEY_get1_encoded_public_key(pkey, &ours);
    assert_int_equal(len, 97);
    assert_int_equal(EVP_PKEY_get1_encoded_public_key(half, &theirs), len);
    assert_memory_equal(ours, theirs, len);
    expect_same_number(pkey, half, OSSL_PKEY_PARAM_EC_PUB_X);
    expect_same_number(pkey, half, OSSL_PKEY_PARAM_EC_PUB_Y);
    assert_int_equal(EVP_PKEY_get_ec_point_conv_form(pkey),
                     POINT_CONVERSION_UNCOMPRESSED);
    OPENSSL_free(ours);
    OPENSSL_free(theirs);
    EVP_PKEY_free(half);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void an_rsa_key_gives_modulus_and_exponent(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "RSA", "2048", NULL);
    EVP_PKEY *half = public_half(program->ctx, pkey);

    expect_same_number(pkey, half, OSSL_PKEY_PARAM_RSA_N);
    expect_same_number(pkey, half, OSSL_PKEY_PARAM_RSA_E);
    EVP_PKEY_free(half);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void a_private_export_is_refused(void **state)
{
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY *pkey =
            device_key(program->ctx, kinds[i].type, kinds[i].size, NULL);
        OSSL_PARAM *params = NULL;
        BIGNUM *secret = NULL;

        assert_int_not_equal(EVP_PKEY_todata(pkey, EVP_PKEY_KEYPAIR, &params),
                             1);
        expect_error("never leaves its device");
        assert_int_not_equal(
            EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &secret), 1);
        ERR_clear_error();
        EVP_PKEY_free(pkey);
    }
}

static void a_public_export_makes_an_ordinary_key(void **state)
{
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY *pkey =
            device_key(program->ctx, kinds[i].type, kinds[i].size, NULL);
        EVP_PKEY_CTX *from =
            EVP_PKEY_CTX_new_from_name(program->ctx, kinds[i].type, NULL);
        OSSL_PARAM *params = NULL;
        EVP_PKEY *copy = NULL;

        assert_int_equal(EVP_PKEY_todata(pkey, EVP_PKEY_PUBLIC_KEY, &params),
                         1);
        assert_int_equal(EVP_PKEY_fromdata_init(from), 1);
        assert_int_equal(
            EVP_PKEY_fromdata(from, &copy, EVP_PKEY_PUBLIC_KEY, params), 1);
        assert_string_equal(offered_by(copy), "default");
        assert_int_equal(EVP_PKEY_eq(copy, pkey), 1);
        OSSL_PARAM_free(params);
        EVP_PKEY_CTX_free(from);
        EVP_PKEY_free(copy);
        EVP_PKEY_free(pkey);
    }
    expect_no_error();
}

/* From the parameters of an ordinary key; NULL: refused. */
static EVP_PKEY *import(OSSL_LIB_CTX *ctx, const char *type, int selection,
                        EVP_PKEY *ordinary)
{
    EVP_PKEY_CTX *from =
        EVP_PKEY_CTX_new_from_name(ctx, type, "provider=devid");
    OSSL_PARAM *params = NULL;
    EVP_PKEY *copy = NULL;

    assert_int_equal(EVP_PKEY_todata(ordinary, selection, &params), 1);
    if (EVP_PKEY_fromdata_init(from) == 1)
        (void)EVP_PKEY_fromdata(from, &copy, selection, params);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(from);
    return copy;
}

static void no_private_key_is_ever_imported(void **state)
{
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY *ordinary =
            ordinary_key(program->ctx, kinds[i].type, kinds[i].size);

        assert_null(
            import(program->ctx, kinds[i].type, EVP_PKEY_KEYPAIR, ordinary));
        ERR_clear_error();
        EVP_PKEY_free(ordinary);
    }
}

static void a_public_ec_key_is_imported_and_only_verifies(void **state)
{
    struct program *program = *state;
    EVP_PKEY *ordinary = ordinary_key(program->ctx, "EC", "P-256");
    EVP_PKEY *copy = import(program->ctx, "EC", EVP_PKEY_PUBLIC_KEY, ordinary);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char *sig = NULL;
    size_t len = 0;

    assert_non_null(copy);
    assert_string_equal(offered_by(copy), "devid");
    assert_int_equal(EVP_PKEY_eq(copy, ordinary), 1);
    sign_message(program->ctx, ordinary, "SHA256", &sig, &len);
    assert_int_equal(verify_message(program->ctx, copy, "SHA256", sig, len), 1);
    expect_no_error();
    assert_int_equal(EVP_DigestSignInit_ex(md, NULL, "SHA256", program->ctx,
                                           NULL, copy, NULL),
                     1);
    assert_int_not_equal(EVP_DigestSign(md, sig, &len, sig, len), 1);
    ERR_clear_error();
    EVP_MD_CTX_free(md);
    OPENSSL_free(sig);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(ordinary);
}

static void keys_are_compared_either_way_and_leave_no_error(void **state)
{
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        EVP_PKEY *pkey =
            device_key(program->ctx, kinds[i].type, kinds[i].size, NULL);
        EVP_PKEY *half = public_half(program->ctx, pkey);
        EVP_PKEY *other =
            ordinary_key(program->ctx, kinds[i].type, kinds[i].size);

        assert_int_equal(EVP_PKEY_eq(half, pkey), 1);
        assert_int_equal(EVP_PKEY_eq(pkey, half), 1);
        assert_int_equal(EVP_PKEY_eq(pkey, pkey), 1);
        assert_int_equal(EVP_PKEY_eq(other, pkey), 0);
        assert_int_equal(EVP_PKEY_eq(pkey, other), 0);
        expect_no_error();
        EVP_PKEY_free(other);
        EVP_PKEY_free(half);
        EVP_PKEY_free(pkey);
    }
    assert_int_equal(fake_calls().sign, 0);
}

static void a_copy_signs_after_the_first_is_gone(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    EVP_PKEY *copy = EVP_PKEY_dup(pkey);
    unsigned char *sig = NULL;
    size_t len = 0;

    assert_non_null(copy);
    assert_int_equal(EVP_PKEY_eq(copy, pkey), 1);
    EVP_PKEY_free(pkey);
    sign_message(program->ctx, copy, "SHA256", &sig, &len);
    assert_int_equal(verify_message(program->ctx, copy, "SHA256", sig, len), 1);
    OPENSSL_free(sig);
    EVP_PKEY_free(copy);
    expect_no_error();
}

/* ---- making keys ----------------------------------------------------- */

static void expect_no_key(struct program *program, const char *type,
                          const char *option, const char *value,
                          const char *sentence)
{
    EVP_PKEY_CTX *gen =
        EVP_PKEY_CTX_new_from_name(program->ctx, type, "provider=devid");
    EVP_PKEY *pkey = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(gen), 1);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, option, value), 1);
    assert_int_not_equal(EVP_PKEY_generate(gen, &pkey), 1);
    assert_null(pkey);
    expect_error(sentence);
    EVP_PKEY_CTX_free(gen);
}

static void what_cannot_be_made_is_said_in_a_sentence(void **state)
{
    struct program *program = *state;

    expect_no_key(program, "EC", "group", "brainpoolP256r1",
                  "take P-256, P-384 or P-521");
    expect_no_key(program, "RSA", "bits", "1024", "take 2048, 3072 or 4096");
    expect_no_key(program, "EC", "parent", "0x81ffffff", "0x81ffffff");
    expect_no_key(program, "EC", "persist", "0x01000000",
                  "is no persistent handle");
    fake_fail_next(DEVID_ERR_NO_DEVICE, 0, "the device is on holiday");
    expect_no_key(program, "EC", "group", "P-256", "the device is on holiday");
}

static void openssls_own_names_of_options_work(void **state)
{
    struct program *program = *state;
    EVP_PKEY_CTX *gen =
        EVP_PKEY_CTX_new_from_name(program->ctx, "EC", "provider=devid");
    EVP_PKEY *pkey = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(gen), 1);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, "ec_paramgen_curve", "P-384"),
                     1);
    assert_int_equal(EVP_PKEY_generate(gen, &pkey), 1);
    assert_int_equal(EVP_PKEY_get_bits(pkey), 384);
    EVP_PKEY_CTX_free(gen);
    EVP_PKEY_free(pkey);

    gen = EVP_PKEY_CTX_new_from_name(program->ctx, "RSA", "provider=devid");
    pkey = NULL;
    assert_int_equal(EVP_PKEY_keygen_init(gen), 1);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, "rsa_keygen_bits", "3072"), 1);
    assert_int_equal(EVP_PKEY_generate(gen, &pkey), 1);
    assert_int_equal(EVP_PKEY_get_bits(pkey), 3072);
    EVP_PKEY_CTX_free(gen);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_ORDERS(a_key_measures_as_its_public_half_does),
        IN_BOTH_ORDERS(an_ec_key_gives_its_group_and_point),
        IN_BOTH_ORDERS(an_rsa_key_gives_modulus_and_exponent),
        IN_BOTH_ORDERS(a_private_export_is_refused),
        IN_BOTH_ORDERS(a_public_export_makes_an_ordinary_key),
        IN_BOTH_ORDERS(no_private_key_is_ever_imported),
        IN_BOTH_ORDERS(a_public_ec_key_is_imported_and_only_verifies),
        IN_BOTH_ORDERS(keys_are_compared_either_way_and_leave_no_error),
        IN_BOTH_ORDERS(a_copy_signs_after_the_first_is_gone),
        IN_BOTH_ORDERS(what_cannot_be_made_is_said_in_a_sentence),
        IN_BOTH_ORDERS(openssls_own_names_of_options_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
