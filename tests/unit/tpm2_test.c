/* SPDX-License-Identifier: Apache-2.0 */
/* The TPM back end's pure parts: response codes, public areas, parents. */
#include "support.h"

#include "tpm2/tcg.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <tss2/tss2_mu.h>

#include <string.h>

/* ---- response codes -------------------------------------------------- */

static void each_response_code_gets_its_action_and_its_error(void **state)
{
    static const struct {
        TSS2_RC rc;
        enum tpm2_action action;
        enum devid_err error;
        const char *text;
    } cases[] = {
        /* what passes by itself */
        {TPM2_RC_RETRY, TPM2_ACTION_WAIT, DEVID_ERR_BUSY, "did not sign"},
        {TPM2_RC_YIELDED, TPM2_ACTION_WAIT, DEVID_ERR_BUSY, "(0x908)"},
        {TPM2_RC_TESTING, TPM2_ACTION_WAIT, DEVID_ERR_BUSY, "(0x90a)"},
        {TPM2_RC_OBJECT_MEMORY, TPM2_ACTION_WAIT, DEVID_ERR_BUSY,
         "use /dev/tpmrm0"},
        {TPM2_RC_SESSION_MEMORY, TPM2_ACTION_WAIT, DEVID_ERR_BUSY,
         "tpm2_flushcontext -l"},
        {TPM2_RC_SESSION_HANDLES, TPM2_ACTION_WAIT, DEVID_ERR_BUSY,
         "tpm2_flushcontext -s"},
        /* what was loaded is gone, or the link is */
        {TPM2_RC_REFERENCE_H0, TPM2_ACTION_RECONNECT, DEVID_ERR_DEVICE, ""},
        {TPM2_RC_REFERENCE_S0, TPM2_ACTION_RECONNECT, DEVID_ERR_DEVICE, ""},
        {TPM2_RC_VALUE + TPM2_RC_S + TPM2_RC_1, TPM2_ACTION_RECONNECT,
         DEVID_ERR_DEVICE, ""},
        {TPM2_RC_VALUE + TPM2_RC_P + TPM2_RC_1, TPM2_ACTION_FAIL,
         DEVID_ERR_DEVICE, ""},
        {TPM2_RC_HANDLE + TPM2_RC_P + TPM2_RC_1, TPM2_ACTION_RECONNECT,
         DEVID_ERR_DEVICE, ""},
        {TPM2_RC_INITIALIZE, TPM2_ACTION_RECONNECT, DEVID_ERR_DEVICE,
         "tpm2_startup"},
        {TSS2_TCTI_RC_IO_ERROR, TPM2_ACTION_RECONNECT, DEVID_ERR_DEVICE, ""},
        {TSS2_ESYS_RC_BAD_SEQUENCE, TPM2_ACTION_RECONNECT, DEVID_ERR_DEVICE,
         ""},
        /* a resource manager's wrapping of the TPM's own */
        {TSS2_RESMGR_TPM_RC_LAYER | TPM2_RC_RETRY, TPM2_ACTION_WAIT,
         DEVID_ERR_BUSY, ""},
        {TSS2_RESMGR_RC_LAYER | TPM2_RC_OBJECT_MEMORY, TPM2_ACTION_WAIT,
         DEVID_ERR_BUSY, ""},
        /* never tried again: the dictionary-attack counter */
        {TPM2_RC_LOCKOUT, TPM2_ACTION_FAIL, DEVID_ERR_LOCKED, "lockout"},
        {TPM2_RC_AUTH_FAIL + TPM2_RC_S + TPM2_RC_1, TPM2_ACTION_FAIL,
         DEVID_ERR_AUTH, "authorisation value is wrong"},
        {TPM2_RC_BAD_AUTH + TPM2_RC_S + TPM2_RC_1, TPM2_ACTION_FAIL,
         DEVID_ERR_AUTH, "authorisation value is wrong"},
        {TPM2_RC_FAILURE, TPM2_ACTION_FAIL, DEVID_ERR_DEVICE, "power-cycle"},
        {TPM2_RC_NV_SPACE, TPM2_ACTION_FAIL, DEVID_ERR_DEVICE,
         "memory is full"},
        {TPM2_RC_HIERARCHY + TPM2_RC_H + TPM2_RC_1, TPM2_ACTION_FAIL,
         DEVID_ERR_DEVICE, "is disabled"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct devid_error err = {0};

        assert_int_equal(tpm2_rc_action(cases[i].rc), cases[i].action);
        assert_int_equal(tpm2_fail(&err, cases[i].rc, "sign"), cases[i].error);
        assert_int_equal(err.device_rc, cases[i].rc);
        expect_text(&err, cases[i].text);
    }
}

static void other_layers_have_no_code_of_the_tpm(void **state)
{
    (void)state;
    assert_int_equal(tpm2_rc_base(TSS2_TCTI_RC_IO_ERROR), 0);
    assert_int_equal(tpm2_rc_base(TPM2_RC_HANDLE + TPM2_RC_P + TPM2_RC_2),
                     TPM2_RC_HANDLE);
    assert_int_equal(tpm2_rc_action(TSS2_RC_SUCCESS), TPM2_ACTION_FAIL);
}

/* ---- public areas ---------------------------------------------------- */

static void a_short_coordinate_gets_its_leading_zeros_back(void **state)
{
    TPMT_PUBLIC area = {.type = TPM2_ALG_ECC};
    struct devid_public known;
    struct devid_public pub;

    (void)state;
    do { /* every 256th key is one */
        EVP_PKEY *pkey = EVP_EC_gen("P-256");

        software_public(pkey, &known);
        EVP_PKEY_free(pkey);
    } while (known.x[0] != 0);
    area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    area.unique.ecc.x.size = 31;
    memcpy(area.unique.ecc.x.buffer, known.x + 1, 31);
    area.unique.ecc.y.size = 33; /* and one too many is taken off */
    memcpy(area.unique.ecc.y.buffer + 1, known.y, 32);
    assert_int_equal(tpm2_public_to_devid(&area, &pub, NULL), DEVID_OK);
    assert_string_equal(pub.alg->name, "ec-p256");
    assert_true(devid_public_equal(&pub, &known));
}

static void what_is_no_key_for_tls_is_refused_with_its_reason(void **state)
{
    TPMT_PUBLIC area = {.type = TPM2_ALG_ECC};
    struct devid_error err = {0};
    struct devid_public pub;

    (void)state;
    area.parameters.eccDetail.curveID = TPM2_ECC_BN_P256;
    assert_int_equal(tpm2_public_to_devid(&area, &pub, &err), DEVID_ERR_ALG);
    expect_text(&err, "P-256, P-384 and P-521");

    area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    area.unique.ecc.x.size = 32;
    memset(area.unique.ecc.x.buffer, 1, 32);
    area.unique.ecc.y = area.unique.ecc.x;
    assert_int_equal(tpm2_public_to_devid(&area, &pub, &err), DEVID_ERR_INPUT);
    expect_text(&err, "its point is not on the curve P-256");

    area.unique.ecc.x.size = 40;
    memset(area.unique.ecc.x.buffer, 1, 40);
    assert_int_equal(tpm2_public_to_devid(&area, &pub, &err), DEVID_ERR_INPUT);
    expect_text(&err, "longer than its curve P-256");

    area.type = TPM2_ALG_RSA;
    area.parameters.rsaDetail.keyBits = 2048;
    area.unique.rsa.size = 255;
    assert_int_equal(tpm2_public_to_devid(&area, &pub, &err), DEVID_ERR_INPUT);
    expect_text(&err, "255 bytes where RSA-2048 takes 256");

    area.unique.rsa.size = 256;
    memset(area.unique.rsa.buffer, 0x7f, 256);
    assert_int_equal(tpm2_public_to_devid(&area, &pub, &err), DEVID_ERR_INPUT);
    expect_text(&err, "its modulus has not the 2048 bits");
    memset(area.unique.rsa.buffer, 0xfe, 256);
    assert_int_equal(tpm2_public_to_devid(&area, &pub, &err), DEVID_ERR_INPUT);
    expect_text(&err, "its modulus is an even number");
    area.parameters.rsaDetail.keyBits = 512;
    area.unique.rsa.size = 64;
    assert_int_equal(tpm2_public_to_devid(&area, &pub, &err), DEVID_ERR_ALG);
    expect_text(&err, "has 512 bits; devid takes 1024 to 4096");

    area.type = TPM2_ALG_KEYEDHASH;
    assert_int_equal(tpm2_public_to_devid(&area, &pub, &err), DEVID_ERR_ALG);
    expect_text(&err, "neither an EC nor an RSA key");
}

static void attributes_become_words_and_limits(void **state)
{
    const struct devid_key_spec spec = {.algorithm = "rsa-2048",
                                        .decrypt = true};
    struct devid_key_limits limits = {0};
    TPM2B_PUBLIC pub;
    char words[256];
    char cut[12];

    (void)state;
    tpm2_template_key(&spec, devid_algorithm_by_name("rsa-2048"), &pub);
    tpm2_public_words(&pub.publicArea, words, sizeof(words));
    assert_string_equal(words, "fixedTPM, fixedParent, sensitiveDataOrigin, "
                               "userWithAuth, noDA, decrypt, sign");
    tpm2_public_words(&pub.publicArea, cut, sizeof(cut));
    assert_true(strlen(cut) < sizeof(cut));
    tpm2_public_limits(&pub.publicArea, &limits);
    assert_true(limits.sign && limits.decrypt && !limits.restricted);

    tpm2_template_storage(&pub);
    tpm2_public_limits(&pub.publicArea, &limits);
    assert_true(limits.restricted && !limits.sign);
}

static void a_primary_of_ours_is_told_from_those_of_others(void **state)
{
    TPM2B_PUBLIC pub;

    (void)state;
    tpm2_template_storage(&pub);
    pub.publicArea.unique.ecc.x.size = 32;
    memset(pub.publicArea.unique.ecc.x.buffer, 0xaa, 32);
    assert_true(tpm2_public_is_storage(&pub.publicArea));
    pub.publicArea.objectAttributes &= ~(uint32_t)TPMA_OBJECT_NODA;
    assert_false(tpm2_public_is_storage(&pub.publicArea));
    tpm2_template_storage(&pub);
    pub.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P384;
    assert_false(tpm2_public_is_storage(&pub.publicArea));
    tpm2_template_storage(&pub);
    pub.publicArea.authPolicy.size = 32;
    assert_false(tpm2_public_is_storage(&pub.publicArea));
    assert_int_equal(tpm2_template_ek(&tpm2_ek_kinds[0], NULL, &pub, NULL),
                     DEVID_OK);
    assert_false(tpm2_public_is_storage(&pub.publicArea));
}

static void a_key_whose_scheme_is_pss_is_of_a_type_of_its_own(void **state)
{
    const struct devid_key_spec spec = {.algorithm = "rsa-pss-3072",
                                        .hash = "sha384"};
    struct devid_public pub;
    struct devid_error err = {0};
    TPM2B_PUBLIC area;
    TPMT_PUBLIC *tpm = &area.publicArea;

    (void)state;
    tpm2_template_key(&spec, devid_algorithm_by_name("rsa-pss-3072"), &area);
    tpm->unique.rsa.size = 384;
    memset(tpm->unique.rsa.buffer, 0xcd, 384);
    assert_int_equal(tpm2_public_to_devid(tpm, &pub, &err), DEVID_OK);
    assert_int_equal(pub.type, DEVID_KEY_RSA_PSS);
    assert_string_equal(pub.alg->name, "rsa-pss-3072");
    assert_string_equal(pub.hash->name, "SHA2-384");
    assert_int_equal(pub.salt_len, 48);

    tpm->parameters.rsaDetail.scheme.details.rsapss.hashAlg = TPM2_ALG_SM3_256;
    assert_int_equal(tpm2_public_to_devid(tpm, &pub, &err), DEVID_ERR_ALG);
    expect_text(&err, "bound to a hash (0x12) that devid does not know");

    /* An attestation key: its certificates say rsaEncryption. */
    tpm->objectAttributes |= TPMA_OBJECT_RESTRICTED;
    assert_int_equal(tpm2_public_to_devid(tpm, &pub, &err), DEVID_OK);
    assert_int_equal(pub.type, DEVID_KEY_RSA);
    tpm->objectAttributes &= ~TPMA_OBJECT_RESTRICTED;
    tpm->parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
    assert_int_equal(tpm2_public_to_devid(tpm, &pub, &err), DEVID_OK);
    assert_int_equal(pub.type, DEVID_KEY_RSA);
}

/* ---- parents --------------------------------------------------------- */

static void a_parent_is_a_hierarchy_or_a_persistent_handle(void **state)
{
    static const struct {
        const char *text;
        uint32_t parent;
        const char *wrong;
    } cases[] = {
        {"owner", TPM2_RH_OWNER, NULL},
        {"endorsement", TPM2_RH_ENDORSEMENT, NULL},
        {"platform", TPM2_RH_PLATFORM, NULL},
        {"null", TPM2_RH_NULL, NULL},
        {"0x81000001", 0x81000001, NULL},
        {"0x40000001", TPM2_RH_OWNER, NULL},
        {"nobody", 0, "'nobody' is no parent"},
        {"", 0, "is no parent"},
        {"0x80000000", 0, "those run from 0x81000000"},
        {"0x8100000g", 0, "no hexadecimal digit at character 10"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct devid_error err = {0};
        uint32_t parent = 0;
        enum devid_err e = tpm2_parent_parse(cases[i].text, &parent, &err);

        if (cases[i].wrong == NULL) {
            assert_int_equal(e, DEVID_OK);
            assert_int_equal(parent, cases[i].parent);
        } else {
            assert_int_equal(e, DEVID_ERR_INPUT);
            expect_text(&err, cases[i].wrong);
        }
    }
}

/* ---- key files that the back end refuses ----------------------------- */

static void an_rsa_primary_as_parent_is_refused_before_the_tpm_is(void **state)
{
    struct devid_keyfile file = {.format = DEVID_KEYFILE_TSS2,
                                 .rsa_parent = true,
                                 .parent = TPM2_RH_OWNER};
    const struct devid_key_spec spec = {.algorithm = "ec-p256"};
    struct devid_key_limits limits = {0};
    struct devid_public pub = {0};
    struct devid *engine = NULL;
    struct devid_error err = {0};
    struct tpm2_state tpm2 = {0};
    uint8_t area[sizeof(TPM2B_PUBLIC)];
    uint8_t blob[] = {0, 1, 0};
    TPM2B_PUBLIC template;
    void *key = NULL;

    (void)state;
    tpm2_template_key(&spec, devid_algorithm_by_name("ec-p256"), &template);
    file.tpm_public = area;
    assert_int_equal(Tss2_MU_TPM2B_PUBLIC_Marshal(&template, area, sizeof(area),
                                                  &file.tpm_public_len),
                     0);
    file.tpm_private = blob;
    file.tpm_private_len = sizeof(blob);
    assert_int_equal(devid_new(NULL, &engine, &err), DEVID_OK);
    tpm2.engine = engine;
    assert_int_equal(tpm2_key_open(&tpm2, &file, &key, &pub, &limits, &err),
                     DEVID_ERR_ALG);
    expect_text(&err, "rsaParent");
    devid_free(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_response_code_gets_its_action_and_its_error),
        cmocka_unit_test(other_layers_have_no_code_of_the_tpm),
        cmocka_unit_test(a_short_coordinate_gets_its_leading_zeros_back),
        cmocka_unit_test(what_is_no_key_for_tls_is_refused_with_its_reason),
        cmocka_unit_test(attributes_become_words_and_limits),
        cmocka_unit_test(a_primary_of_ours_is_told_from_those_of_others),
        cmocka_unit_test(a_key_whose_scheme_is_pss_is_of_a_type_of_its_own),
        cmocka_unit_test(a_parent_is_a_hierarchy_or_a_persistent_handle),
        cmocka_unit_test(an_rsa_primary_as_parent_is_refused_before_the_tpm_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
