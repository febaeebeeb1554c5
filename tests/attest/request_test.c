/* SPDX-License-Identifier: Apache-2.0 */
/* A request as a whole: each way in which it may not hang together. */
#include "device.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum stage {
    AREAS,  /* the keys' public areas */
    STATED, /* what the IAK states of them */
};

static void keys_of_each_kind_are_trusted(void **state)
{
    static const struct {
        const char *iak, *idevid;
        size_t salt_len;
    } cases[] = {
        {"ec-p256", "ec-p256", 0},  {"ec-p384", "ec-p384", 0},
        {"ec-p384", "ec-p256", 0},  {"rsa-2048", "rsa-3072", 0},
        {"rsa-2048", "ec-p256", 0}, {"rsa-2048", "ec-p256", 256 - 32 - 2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct devid_attest_verdict verdict;
        struct devid_attest_policy policy;
        struct devid_public pub;
        struct device d;

        device_new(&d, cases[i].iak, cases[i].idevid);
        d.iak.salt_len = cases[i].salt_len;
        device_state(&d);
        device_request(&d, NULL);
        policy = device_policy(&d);
        assert_int_equal(devid_attest_verify(&d.request, &policy, &verdict),
                         DEVID_ATTEST_TRUSTED);
        assert_string_equal(verdict.error.text, "");
        software_public(d.iak.pkey, &pub);
        assert_true(devid_public_equal(&verdict.iak, &pub));
        software_public(d.idevid.pkey, &pub);
        assert_true(devid_public_equal(&verdict.idevid, &pub));
        assert_int_equal(verdict.iak_name.len, d.iak.name.size);
        assert_memory_equal(verdict.iak_name.data, d.iak.name.name,
                            d.iak.name.size);
        assert_memory_equal(verdict.idevid_name.data, d.idevid.name.name,
                            d.idevid.name.size);
        assert_true(verdict.iak_proven);
        device_free(&d);
    }
}

/* A scheme of its own makes an RSA key another type of key, not a safer one. */
static void an_rsa_idevid_may_be_bound_to_pss_but_not_be_weak(void **state)
{
    BIGNUM *n = weak_number(7);

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct devid_attest_policy policy;
        TPMT_RSA_SCHEME *scheme;
        struct device d;

        device_new(&d, "ec-p256", "rsa-2048");
        scheme = &d.idevid.area.parameters.rsaDetail.scheme;
        if (i % 2 == 1) {
            scheme->scheme = TPM2_ALG_RSAPSS;
            d.idevid.scheme = TPM2_ALG_RSAPSS;
        }
        if (i >= 2)
            assert_int_equal(
                BN_bn2binpad(n, d.idevid.area.unique.rsa.buffer, 256), 256);
        device_state(&d);
        device_request(&d, NULL);
        policy = device_policy(&d);
        device_expect(&d, &policy,
                      i < 2 ? DEVID_ATTEST_TRUSTED : DEVID_ATTEST_IDEVID_KEY,
                      "the IDevID's RSA key of 2048 bits is weak");
        device_free(&d);
    }
    BN_free(n);
}

/* ---- what may be wrong with the keys ----------------------------------- */

static void iak_signs_anything(struct device *d)
{
    d->iak.area.objectAttributes &= ~TPMA_OBJECT_RESTRICTED;
}

static void iak_may_be_moved(struct device *d)
{
    d->iak.area.objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_FIXEDTPM;
}

static void iak_came_from_outside(struct device *d)
{
    d->iak.area.objectAttributes &=
        ~(TPMA_OBJECT)TPMA_OBJECT_SENSITIVEDATAORIGIN;
}

static void iak_decrypts(struct device *d)
{
    d->iak.area.objectAttributes |= TPMA_OBJECT_DECRYPT;
}

static void iak_has_no_admin_policy(struct device *d)
{
    d->iak.area.objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_ADMINWITHPOLICY;
}

static void iak_has_another_policy(struct device *d)
{
    d->iak.area.authPolicy.buffer[0] ^= 1;
}

/* Bound to RSA-PSS, and so of a type of its own. */
static void idevid_is_short_pss(struct device *d)
{
    TPMT_PUBLIC *area = &d->idevid.area;
    TPMS_RSA_PARMS *rsa = &area->parameters.rsaDetail;

    area->type = TPM2_ALG_RSA;
    rsa->symmetric.algorithm = TPM2_ALG_NULL;
    rsa->scheme.scheme = TPM2_ALG_RSAPSS;
    rsa->scheme.details.rsapss.hashAlg = TPM2_ALG_SHA256;
    rsa->keyBits = 1024;
    rsa->exponent = 0;
    area->unique.rsa.size = 128;
    memset(area->unique.rsa.buffer, 0xc1, 128);
}

static void iak_has_no_scheme(struct device *d)
{
    d->iak.area.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
}

static void iak_has_sha1(struct device *d)
{
    d->iak.area.parameters.eccDetail.scheme.details.ecdsa.hashAlg =
        TPM2_ALG_SHA1;
}

static void iak_is_off_its_curve(struct device *d)
{
    d->iak.area.unique.ecc.y.buffer[3] ^= 1;
}

static void idevid_is_restricted(struct device *d)
{
    d->idevid.area.objectAttributes |= TPMA_OBJECT_RESTRICTED;
}

static void idevid_may_be_moved(struct device *d)
{
    d->idevid.area.objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_FIXEDPARENT;
}

static void idevid_has_the_policy_of_an_iak(struct device *d)
{
    d->idevid.area.authPolicy = d->iak.area.authPolicy;
}

static void idevid_is_named_by_sha1(struct device *d)
{
    d->idevid.area.nameAlg = TPM2_ALG_SHA1;
}

/* ---- what may be wrong with what the IAK states ------------------------ */

static void no_serial(struct device *d)
{
    d->serial = "";
}

static void serial_with_umlaut(struct device *d)
{
    d->serial = "SN\xc3\xbc";
}

static void ticket_of_nobody(struct device *d)
{
    d->ticket.hierarchy = TPM2_RH_NULL;
}

static void ticket_of_another_kind(struct device *d)
{
    d->ticket.digest.size = 0;
}

static void creation_without_magic(struct device *d)
{
    d->creation.magic = 0x12345678;
}

static void creation_of_another_kind(struct device *d)
{
    d->creation.type = TPM2_ST_ATTEST_CERTIFY;
}

static void creation_of_another_key(struct device *d)
{
    d->creation.attested.creation.objectName = d->idevid.name;
}

static void creation_signed_below_another_parent(struct device *d)
{
    d->creation.qualifiedSigner = d->iak.name;
}

static void creation_with_another_hash(struct device *d)
{
    d->creation.attested.creation.creationHash.buffer[0] ^= 1;
}

static void creation_with_a_short_hash(struct device *d)
{
    d->creation.attested.creation.creationHash.size = 20;
    d->request.creation.len = 0;
}

static void creation_under_a_storage_key(struct device *d)
{
    d->creation_data.parentNameAlg = TPM2_ALG_SHA256;
    device_creation(d);
}

static void creation_of_the_owner(struct device *d)
{
    d->creation_data.parentName.name[3] = 0x01;
    device_creation(d);
}

static void creation_below_the_owner(struct device *d)
{
    d->creation_data.parentQualifiedName.name[3] = 0x01;
    device_creation(d);
}

static void creation_with_a_word_of_somebody(struct device *d)
{
    d->creation_data.outsideInfo.size = 7;
    device_creation(d);
}

static void creation_in_locality_4(struct device *d)
{
    d->creation_data.locality = TPMA_LOCALITY_TPM2_LOC_FOUR;
    device_creation(d);
}

static void certify_without_magic(struct device *d)
{
    d->certify.magic = 0;
}

static void certify_of_another_key(struct device *d)
{
    d->certify.attested.certify.name = d->iak.name;
}

static void certify_below_another_parent(struct device *d)
{
    d->certify.attested.certify.qualifiedName.name[5] ^= 1;
}

static void certify_by_another_key(struct device *d)
{
    d->certify.qualifiedSigner = d->idevid.qualified;
}

static void certify_with_a_nonce_of_yesterday(struct device *d)
{
    d->certify.extraData.size = 9;
    memcpy(d->certify.extraData.buffer, "yesterday", 9);
    d->request.nonce = (struct devid_bytes){(const uint8_t *)"today", 5};
}

static const struct {
    enum stage stage;
    void (*change)(struct device *d);
    enum devid_attest_reason reason;
    const char *text;
} cases[] = {
    {AREAS, iak_signs_anything, DEVID_ATTEST_IAK_ATTRIBUTES,
     "it lacks restricted, and has nothing"},
    {AREAS, iak_may_be_moved, DEVID_ATTEST_IAK_ATTRIBUTES, "lacks fixedTPM"},
    {AREAS, iak_came_from_outside, DEVID_ATTEST_IAK_ATTRIBUTES,
     "lacks sensitiveDataOrigin"},
    {AREAS, iak_decrypts, DEVID_ATTEST_IAK_ATTRIBUTES,
     "lacks nothing, and has decrypt that it must not have"},
    {AREAS, iak_has_no_admin_policy, DEVID_ATTEST_IAK_TEMPLATE,
     "adminWithPolicy are wanted"},
    {AREAS, iak_has_another_policy, DEVID_ATTEST_IAK_TEMPLATE,
     "the IAK's authPolicy is not that of the TCG's template"},
    {AREAS, idevid_is_short_pss, DEVID_ATTEST_IDEVID_KEY,
     "the IDevID's RSA key of 1024 bits is weak"},
    {AREAS, iak_has_no_scheme, DEVID_ATTEST_IAK_KEY, "the IAK's scheme"},
    {AREAS, iak_has_sha1, DEVID_ATTEST_IAK_KEY, "the IAK's scheme"},
    {AREAS, iak_is_off_its_curve, DEVID_ATTEST_IAK_KEY, "the IAK: "},
    {AREAS, idevid_is_restricted, DEVID_ATTEST_IDEVID_ATTRIBUTES,
     "has restricted that it must not have"},
    {AREAS, idevid_may_be_moved, DEVID_ATTEST_IDEVID_ATTRIBUTES,
     "lacks fixedParent"},
    {AREAS, idevid_has_the_policy_of_an_iak, DEVID_ATTEST_IDEVID_TEMPLATE,
     "the IDevID's authPolicy"},
    {AREAS, idevid_is_named_by_sha1, DEVID_ATTEST_IDEVID_KEY, "nameAlg is 0x4"},
    {STATED, no_serial, DEVID_ATTEST_SERIAL, "(prodSerial) has 0 characters"},
    {STATED, serial_with_umlaut, DEVID_ATTEST_SERIAL, "0xc3 at character 3"},
    {STATED, ticket_of_nobody, DEVID_ATTEST_IAK_TICKET, "hierarchy 0x40000007"},
    {STATED, ticket_of_another_kind, DEVID_ATTEST_IAK_TICKET,
     "0 bytes of digest"},
    {STATED, creation_without_magic, DEVID_ATTEST_IAK_INFO,
     "begins with 0xff544347801a"},
    {STATED, creation_of_another_kind, DEVID_ATTEST_IAK_INFO,
     "TPM2_CertifyCreation of a TPM"},
    {STATED, creation_of_another_key, DEVID_ATTEST_IAK_INFO_NAME,
     "creation of another key than attestPub"},
    {STATED, creation_signed_below_another_parent, DEVID_ATTEST_IAK_INFO_NAME,
     "the qualifiedSigner in the request's atCertifyInfo"},
    {STATED, creation_with_another_hash, DEVID_ATTEST_IAK_CREATION,
     "is not the SHA2-256 of the creation data"},
    {STATED, creation_with_a_short_hash, DEVID_ATTEST_IAK_CREATION,
     "has 20 bytes where SHA2-256 takes 32"},
    {STATED, creation_under_a_storage_key, DEVID_ATTEST_IAK_CREATION,
     "is no primary key of the endorsement hierarchy"},
    {STATED, creation_of_the_owner, DEVID_ATTEST_IAK_CREATION,
     "is no primary key of the endorsement hierarchy"},
    {STATED, creation_below_the_owner, DEVID_ATTEST_IAK_CREATION,
     "is no primary key of the endorsement hierarchy"},
    {STATED, creation_with_a_word_of_somebody, DEVID_ATTEST_IAK_CREATION,
     "the outsideInfo in the IAK's creation data has 7 bytes"},
    {STATED, creation_in_locality_4, DEVID_ATTEST_IAK_CREATION,
     "the locality in the IAK's creation data is 0x10"},
    {STATED, certify_without_magic, DEVID_ATTEST_IDEVID_INFO,
     "begins with 0xff5443478017"},
    {STATED, certify_of_another_key, DEVID_ATTEST_IDEVID_INFO_NAME,
     "certifies another key than signingPub"},
    {STATED, certify_below_another_parent, DEVID_ATTEST_IDEVID_INFO_NAME,
     "the qualifiedName in the request's sgnCertifyInfo"},
    {STATED, certify_by_another_key, DEVID_ATTEST_IDEVID_INFO_NAME,
     "the qualifiedSigner in the request's sgnCertifyInfo"},
    {STATED, certify_with_a_nonce_of_yesterday, DEVID_ATTEST_IDEVID_NONCE,
     "(9 bytes) is not the station's nonce (5)"},
};

static void what_does_not_hang_together_is_refused_by_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct devid_attest_policy policy;
        struct device d;

        device_new(&d, "ec-p256", "ec-p256");
        if (cases[i].stage == AREAS)
            cases[i].change(&d);
        device_state(&d);
        if (cases[i].stage == STATED)
            cases[i].change(&d);
        device_request(&d, NULL);
        policy = device_policy(&d);
        device_expect(&d, &policy, cases[i].reason, cases[i].text);
        device_free(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_each_kind_are_trusted),
        cmocka_unit_test(an_rsa_idevid_may_be_bound_to_pss_but_not_be_weak),
        cmocka_unit_test(what_does_not_hang_together_is_refused_by_its_reason),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
