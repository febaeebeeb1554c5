/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "algorithm.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include <string.h>

static void every_algorithm_is_found_by_each_of_its_names(void **state)
{
    const struct devid_algorithm *a;

    (void)state;
    for (a = devid_algorithms(); a->name != NULL; a++) {
        assert_ptr_equal(devid_algorithm_by_name(a->name), a);
        if (a->curve != NULL)
            assert_ptr_equal(devid_algorithm_by_name(a->curve), a);
        if (a->group != NULL)
            assert_ptr_equal(devid_algorithm_by_name(a->group), a);
        assert_ptr_equal(devid_algorithm_find(a->type, a->bits), a);
    }
}

static void names_are_found_in_any_case(void **state)
{
    (void)state;
    assert_string_equal(devid_algorithm_by_name("EC-P256")->name, "ec-p256");
    assert_string_equal(devid_algorithm_by_name("p-384")->name, "ec-p384");
    assert_string_equal(devid_algorithm_by_name("Rsa-2048")->name, "rsa-2048");
}

static void unknown_algorithms_are_not_found(void **state)
{
    static const char *const names[] = {"",         "ec", "ec-p25", "ec-p2567",
                                        "rsa-1024", "P",  "ed448"};
    size_t i;

    (void)state;
    assert_null(devid_algorithm_by_name(NULL));
    for (i = 0; i < COUNT(names); i++)
        assert_null(devid_algorithm_by_name(names[i]));
    assert_null(devid_algorithm_find(DEVID_KEY_RSA, 2041));
}

static void the_table_agrees_with_openssl(void **state)
{
    const struct devid_algorithm *a;

    (void)state;
    for (a = devid_algorithms(); a->name != NULL; a++) {
        EVP_PKEY *pkey = software_key(a->name);
        char group[64] = "";
        size_t len = 0;

        assert_int_equal(EVP_PKEY_get_bits(pkey), a->bits);
        assert_int_equal(EVP_PKEY_get_security_bits(pkey), a->security_bits);
        assert_int_equal(a->coordinate_len, (a->bits + 7) / 8);
        if (a->type == DEVID_KEY_EC) {
            assert_int_equal(
                EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len), 1);
            assert_string_equal(group, a->group);
            assert_int_equal(EC_curve_nist2nid(a->curve), OBJ_sn2nid(a->group));
        }
        EVP_PKEY_free(pkey);
    }
}

static void public_keys_differ_by_any_of_their_parts(void **state)
{
    struct devid_public a = {
        .type = DEVID_KEY_EC, .bits = 256, .coordinate_len = 32};
    struct devid_public b = a;

    (void)state;
    assert_true(devid_public_equal(&a, &b));
    b.x[31] = 1;
    assert_false(devid_public_equal(&a, &b));
    b = a;
    b.y[0] = 1;
    assert_false(devid_public_equal(&a, &b));
    b = a;
    b.x[32] = 1; /* beyond the coordinate */
    assert_true(devid_public_equal(&a, &b));
    b = a;
    b.bits = 384;
    assert_false(devid_public_equal(&a, &b));

    a = (struct devid_public){.type = DEVID_KEY_RSA,
                              .bits = 2048,
                              .coordinate_len = 256,
                              .exponent = 65537};
    b = a;
    assert_true(devid_public_equal(&a, &b));
    b.exponent = 3;
    assert_false(devid_public_equal(&a, &b));
    b = a;
    b.modulus[255] = 1;
    assert_false(devid_public_equal(&a, &b));
    b = a;
    b.type = DEVID_KEY_RSA_PSS;
    assert_false(devid_public_equal(&a, &b));
    a.type = DEVID_KEY_RSA_PSS;
    b.hash = devid_hash_by_name("SHA256"); /* not of the key itself */
    assert_true(devid_public_equal(&a, &b));
}

static void every_hash_is_found_by_the_names_in_use(void **state)
{
    static const struct {
        const char *name;
        const char *known;
    } rows[] = {
        {"SHA1", "SHA1"},
        {"sha-1", "SHA1"},
        {"SHA224", "SHA2-224"},
        {"SHA256", "SHA2-256"},
        {"sha256", "SHA2-256"},
        {"SHA-256", "SHA2-256"},
        {"SHA2-256", "SHA2-256"},
        {"sha2-256", "SHA2-256"},
        {"RSA-SHA256", "SHA2-256"},
        {"2.16.840.1.101.3.4.2.1", "SHA2-256"},
        {"SHA384", "SHA2-384"},
        {"SHA-384", "SHA2-384"},
        {"SHA512", "SHA2-512"},
        {"SHA512-224", "SHA2-512/224"},
        {"SHA-512/224", "SHA2-512/224"},
        {"SHA512-256", "SHA2-512/256"},
        {"SHA2-512/256", "SHA2-512/256"},
        {"SHA3-224", "SHA3-224"},
        {"sha3-256", "SHA3-256"},
        {"SHA3-384", "SHA3-384"},
        {"SHA3-512", "SHA3-512"},
        {"MD5-SHA1", "MD5-SHA1"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const struct devid_hash *h = devid_hash_by_name(rows[i].name);

        assert_non_null(h);
        assert_string_equal(h->name, rows[i].known);
    }
}

static void hashes_agree_with_openssl(void **state)
{
    const struct devid_hash *h;

    (void)state;
    for (h = devid_hashes(); h->name != NULL; h++) {
        EVP_MD *md = EVP_MD_fetch(NULL, h->name, NULL);

        assert_non_null(md);
        assert_int_equal(EVP_MD_get_size(md), h->len);
        assert_int_equal(EVP_MD_get_type(md), h->nid);
        assert_ptr_equal(devid_hash_by_name(EVP_MD_get0_name(md)), h);
        EVP_MD_free(md);
    }
}

static void unknown_hashes_are_not_found(void **state)
{
    static const char *const names[] = {
        "", "MD5", "SHA", "SHA2", "SHA2-255", "SHAKE128", "SHA256x", "UNDEF"};
    size_t i;

    (void)state;
    assert_null(devid_hash_by_name(NULL));
    for (i = 0; i < COUNT(names); i++)
        assert_null(devid_hash_by_name(names[i]));
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_is_found_by_each_of_its_names),
        cmocka_unit_test(names_are_found_in_any_case),
        cmocka_unit_test(unknown_algorithms_are_not_found),
        cmocka_unit_test(the_table_agrees_with_openssl),
        cmocka_unit_test(public_keys_differ_by_any_of_their_parts),
        cmocka_unit_test(every_hash_is_found_by_the_names_in_use),
        cmocka_unit_test(hashes_agree_with_openssl),
        cmocka_unit_test(unknown_hashes_are_not_found),
    };

    return cmocka_run_group_tests_name("algorithm", tests, NULL, NULL);
}
