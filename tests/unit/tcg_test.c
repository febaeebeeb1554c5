/* SPDX-License-Identifier: Apache-2.0 */
/* The TCG's policies and templates, against what its documents print. */
#include "support.h"

#include "tpm2/tcg.h"

#include <stdio.h>
#include <string.h>

static void hex(const TPM2B_DIGEST *digest, char text[129])
{
    for (UINT16 i = 0; i < digest->size; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest->buffer[i]);
}

static void the_policies_are_those_that_the_documents_print(void **state)
{
    static const struct {
        enum tpm2_role role;
        bool low;
        TPMI_ALG_HASH hash;
        const char *digest; /* how it begins */
    } rows[] = {
        {TPM2_ROLE_EK, true, TPM2_ALG_SHA256, "837197674484b3f81a90cc8d46a5"},
        {TPM2_ROLE_EK, false, TPM2_ALG_SHA256, "ca3d0a99a2b93906f7a3342414ef"},
        {TPM2_ROLE_EK, false, TPM2_ALG_SHA384, "b26e7d28d11a50bc53d882bcf5fd"},
        {TPM2_ROLE_EK, false, TPM2_ALG_SHA512, "b8221ca69e8550a4914de3faa6a1"},
        {TPM2_ROLE_IDEVID, false, TPM2_ALG_SHA256, "ad6b3a2284fd698a0710bf5c"},
        {TPM2_ROLE_IDEVID, false, TPM2_ALG_SHA384, "4db1aa836d0b5615df6ee53a"},
        {TPM2_ROLE_IDEVID, false, TPM2_ALG_SHA512, "7dd7500fd6c1b94f97a6af91"},
        {TPM2_ROLE_IAK, false, TPM2_ALG_SHA256, "5437182326e414fca797d5f1746"},
        {TPM2_ROLE_IAK, false, TPM2_ALG_SHA384, "129d94ebf84556652c6eef43bbb"},
        {TPM2_ROLE_IAK, false, TPM2_ALG_SHA512, "8060d1fb31716a29e48a6e5fece"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tpm2_tcg_policy policy = {.hash = rows[i].hash};
        char text[129];

        assert_int_equal(
            tpm2_tcg_policy(rows[i].role, rows[i].low, NULL, &policy, NULL),
            DEVID_OK);
        hex(&policy.digest, text);
        text[strlen(rows[i].digest)] = '\0';
        assert_string_equal(text, rows[i].digest);
    }
}

static void a_hash_without_identity_keys_is_named(void **state)
{
    struct tpm2_tcg_policy policy = {.hash = TPM2_ALG_SHA1};
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(tpm2_tcg_policy(TPM2_ROLE_IAK, false, NULL, &policy, &err),
                     DEVID_ERR_ALG);
    assert_string_equal(err.text, "the TCG has laid down no identity key with "
                                  "name algorithm 0x4");
}

static void template_of(enum tpm2_role role, const char *algorithm,
                        TPM2B_PUBLIC *pub)
{
    assert_int_equal(tpm2_template_devid(role,
                                         devid_algorithm_by_name(algorithm),
                                         NULL, pub, NULL),
                     DEVID_OK);
}

static void the_word_goes_into_unique_as_its_maker_has_it(void **state)
{
    TPM2B_PUBLIC pub;
    const TPMS_ECC_POINT *point = &pub.publicArea.unique.ecc;

    (void)state;
    template_of(TPM2_ROLE_IDEVID, "ec-p256", &pub);
    assert_int_equal(point->x.size, 6);
    assert_memory_equal(point->x.buffer, "IDEVID", 6);
    assert_memory_equal(point->y.buffer, "IDEVID", 6);
    tpm2_template_unique(TPM2_ROLE_IDEVID, TPM2_UNIQUE_X, &pub);
    assert_int_equal(point->x.size, 6);
    assert_int_equal(point->y.size, 0);
    tpm2_template_unique(TPM2_ROLE_IAK, TPM2_UNIQUE_HALVES, &pub);
    assert_int_equal(point->x.size, 1);
    assert_memory_equal(point->x.buffer, "I", 1);
    assert_int_equal(point->y.size, 2);
    assert_memory_equal(point->y.buffer, "AK", 2);
    template_of(TPM2_ROLE_IAK, "rsa-2048", &pub);
    assert_int_equal(pub.publicArea.unique.rsa.size, 3);
    assert_memory_equal(pub.publicArea.unique.rsa.buffer, "IAK", 3);
}

static void
a_key_is_one_of_its_template_but_for_unique_and_padding(void **state)
{
    TPM2B_PUBLIC template;
    TPM2B_PUBLIC found;

    (void)state;
    template_of(TPM2_ROLE_IAK, "rsa-2048", &template);
    found = template;
    found.publicArea.unique.rsa.size = 256;
    memset(found.publicArea.unique.rsa.buffer, 0xff, 256);
    assert_true(tpm2_template_matches(&template, &found));
    found.publicArea.parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
    assert_true(tpm2_template_matches(&template, &found));
    assert_true(tpm2_is_identity_key(&found, NULL));
    found.publicArea.parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
    assert_false(tpm2_template_matches(&template, &found));
    found = template;
    found.publicArea.objectAttributes |= TPMA_OBJECT_NODA;
    assert_false(tpm2_template_matches(&template, &found));
    assert_false(tpm2_is_identity_key(&found, NULL));
    found = template;
    found.publicArea.authPolicy.buffer[0] ^= 1;
    assert_false(tpm2_template_matches(&template, &found));
    template_of(TPM2_ROLE_IDEVID, "rsa-2048", &found);
    assert_false(tpm2_template_matches(&template, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policies_are_those_that_the_documents_print),
        cmocka_unit_test(a_hash_without_identity_keys_is_named),
        cmocka_unit_test(the_word_goes_into_unique_as_its_maker_has_it),
        cmocka_unit_test(
            a_key_is_one_of_its_template_but_for_unique_and_padding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
