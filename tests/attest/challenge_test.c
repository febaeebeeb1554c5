/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges: their form, and what none is made for. activation.sh has TPMs. */
#include "support.h"

#include "attest.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <string.h>

static const uint8_t secret[65] = "0123456789abcdef0123456789abcdef";
static const struct devid_tpm_name name = {34, {0x00, 0x0b, 1, 2, 3}};

static enum devid_err make(const struct devid_public *ek, size_t secret_len,
                           struct devid_credential *credential,
                           struct devid_error *err)
{
    const struct devid_challenge challenge = {
        .ek = ek, .name = &name, .secret = {secret, secret_len}};

    return devid_make_credential(&challenge, credential, err);
}

static void a_credential_has_the_sizes_of_its_ek_and_is_new_each_time(void **s)
{
    static const struct {
        const char *key;
        size_t hash_len, secret_len;
    } cases[] = {
        {"rsa-2048", 32, 2 + 256},         {"rsa-3072", 48, 2 + 384},
        {"rsa-4096", 48, 2 + 512},         {"ec-p256", 32, 2 + 2 * (2 + 32)},
        {"ec-p384", 48, 2 + 2 * (2 + 48)}, {"ec-p521", 64, 2 + 2 * (2 + 66)},
    };

    (void)s;
    for (size_t i = 0; i < COUNT(cases); i++) {
        EVP_PKEY *pkey = software_key(cases[i].key);
        struct devid_credential one;
        struct devid_credential two;
        struct devid_error err = {0};
        struct devid_public ek;

        software_public(pkey, &ek);
        assert_int_equal(make(&ek, 32, &one, &err), DEVID_OK);
        assert_int_equal(make(&ek, 32, &two, &err), DEVID_OK);
        assert_int_equal(one.id_object_len, 2 + 2 + cases[i].hash_len + 2 + 32);
        assert_int_equal(one.id_object[1], one.id_object_len - 2);
        assert_int_equal(one.id_object[3], cases[i].hash_len);
        assert_int_equal(one.secret_len, cases[i].secret_len);
        assert_int_equal(one.secret[0] << 8 | one.secret[1],
                         cases[i].secret_len - 2);
        assert_memory_not_equal(one.secret, two.secret, one.secret_len);
        assert_memory_not_equal(one.id_object, two.id_object,
                                one.id_object_len);
        EVP_PKEY_free(pkey);
    }
}

static void a_secret_longer_than_the_ek_s_hash_is_refused(void **state)
{
    EVP_PKEY *pkey = software_key("ec-p256");
    struct devid_credential credential;
    struct devid_error err = {0};
    struct devid_public ek;

    (void)state;
    software_public(pkey, &ek);
    assert_int_equal(make(&ek, 33, &credential, &err), DEVID_ERR_USAGE);
    expect_text(&err, "the secret has 33 bytes: 1 to 32 go into");
    assert_int_equal(make(&ek, 0, &credential, &err), DEVID_ERR_USAGE);
    assert_int_equal(credential.id_object_len, 0);
    EVP_PKEY_free(pkey);
}

static void keys_that_are_no_eks_are_refused(void **state)
{
    EVP_PKEY *pkey = software_key("ec-p256");
    struct devid_credential credential;
    struct devid_error err = {0};
    struct devid_ek_area area;
    struct devid_public ek;

    (void)state;
    software_public(pkey, &ek);
    ek.y[5] ^= 1;
    assert_int_equal(make(&ek, 32, &credential, &err), DEVID_ERR_INPUT);
    expect_text(&err, "point");
    EVP_PKEY_free(pkey);
    pkey = EVP_RSA_gen(1024);
    software_public(pkey, &ek);
    assert_int_equal(make(&ek, 32, &credential, &err), DEVID_ERR_ALG);
    expect_text(&err, "no template for an EK of RSA with 1024 bits");
    EVP_PKEY_free(pkey);
    pkey = software_key("ec-p384");
    software_public(pkey, &ek);
    assert_int_equal(devid_ek_public_area(&ek, DEVID_EK_LOW, NULL, &area, &err),
                     DEVID_ERR_ALG);
    expect_text(&err, "the low range of EK templates has RSA-2048 and P-256");
    EVP_PKEY_free(pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_credential_has_the_sizes_of_its_ek_and_is_new_each_time),
        cmocka_unit_test(a_secret_longer_than_the_ek_s_hash_is_refused),
        cmocka_unit_test(keys_that_are_no_eks_are_refused),
    };

    return cmocka_run_group_tests_name("challenge", tests, NULL, NULL);
}
