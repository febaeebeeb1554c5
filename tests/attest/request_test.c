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

static void expect(const struct device *d,
                   const struct devid_attest_policy *policy,
                   enum devid_attest_reason reason, const char *text)
{
    struct devid_attest_verdict verdict;

    if (devid_attest_verify(&d->request, policy, &verdict) != reason)
        print_error("%s: %s\n", devid_attest_reason_name(verdict.reason),
                    verdict.error.text);
    assert_int_equal(verdict.reason, reason);
    if (reason != DEVID_ATTEST_TRUSTED)
        expect_text(&verdict.error, text);
}

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
    uint8_t *data = d->owned[d->owned_count - 1];

    /* parentNameAlg, behind no PCRs, an empty digest and the locality */
    data[7] = 0x00;
    data[8] = 0x0b;
    assert_int_equal(
        EVP_Q_digest(NULL, "SHA256", NULL, data, d->request.creation.len,
                     d->creation.attested.creation.creationHash.buffer, NULL),
        1);
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
    {STATED, no_serial, DEVID_ATTEST_SERIAL, "prodSerial has 0 characters"},
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
        expect(&d, &policy, cases[i].reason, cases[i].text);
        device_free(&d);
    }
}

/* ---- what may be wrong with the bytes ---------------------------------- */

static void cut_public(struct device *d, struct devid_tcg_csr *csr)
{
    (void)d;
    csr->attestPub.len--;
}

static void swap_signatures(struct device *d, struct devid_tcg_csr *csr)
{
    struct devid_bytes sig = csr->atCertifyInfoSig;

    (void)d;
    csr->atCertifyInfoSig = csr->sgnCertifyInfoSig;
    csr->sgnCertifyInfoSig = sig;
}

static void garble_certify_signature(struct device *d,
                                     struct devid_tcg_csr *csr)
{
    (void)d;
    csr->sgnCertifyInfoSig = csr->atCertifyInfoSig;
}

static void lengthen_info(struct device *d, struct devid_tcg_csr *csr)
{
    uint8_t *longer = device_keep(d, calloc(1, csr->sgnCertifyInfo.len + 3));

    memcpy(longer, csr->sgnCertifyInfo.data, csr->sgnCertifyInfo.len);
    csr->sgnCertifyInfo.data = longer;
    csr->sgnCertifyInfo.len += 3;
}

static void drop_certify(struct device *d, struct devid_tcg_csr *csr)
{
    (void)d;
    csr->sgnCertifyInfo.len = 0;
}

static void drop_ticket(struct device *d, struct devid_tcg_csr *csr)
{
    (void)d;
    csr->atCreateTkt.len = 0;
}

static void drop_iak_proof(struct device *d, struct devid_tcg_csr *csr)
{
    (void)d;
    csr->atCreateTkt.len = 0;
    csr->atCertifyInfo.len = 0;
    csr->atCertifyInfoSig.len = 0;
}

static void drop_ek(struct device *d, struct devid_tcg_csr *csr)
{
    (void)d;
    csr->ekCert.len = 0;
}

static const struct {
    void (*edit)(struct device *d, struct devid_tcg_csr *csr);
    enum devid_attest_reason reason;
    const char *text;
} edits[] = {
    {cut_public, DEVID_ATTEST_IAK_MALFORMED, "attestPub (119 bytes) is no"},
    {swap_signatures, DEVID_ATTEST_IAK_INFO_SIGNATURE,
     "atCertifyInfoSig is not the IAK's over atCertifyInfo: "},
    {garble_certify_signature, DEVID_ATTEST_IDEVID_INFO_SIGNATURE,
     "sgnCertifyInfoSig is not the IAK's over sgnCertifyInfo: "},
    {lengthen_info, DEVID_ATTEST_IDEVID_INFO,
     "sgnCertifyInfo is followed by 3 bytes"},
    {drop_certify, DEVID_ATTEST_IDEVID_PROOF_MISSING, "lacks sgnCertifyInfo"},
    {drop_ticket, DEVID_ATTEST_IAK_PROOF_MISSING, "lacks atCreateTkt"},
    {drop_iak_proof, DEVID_ATTEST_IAK_PROOF_MISSING, "lacks atCreateTkt"},
    {drop_ek, DEVID_ATTEST_EK_MISSING, "there is no EK certificate"},
};

static void fields_that_are_cut_swapped_or_missing_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(edits); i++) {
        struct devid_attest_policy policy;
        struct device d;

        device_new(&d, "ec-p256", "ec-p256");
        device_state(&d);
        device_request(&d, edits[i].edit);
        policy = device_policy(&d);
        expect(&d, &policy, edits[i].reason, edits[i].text);
        device_free(&d);
    }
}

static void the_contents_signed_by_another_key_are_refused(void **state)
{
    struct devid_attest_policy policy;
    struct device d;
    EVP_PKEY *own;

    (void)state;
    device_new(&d, "ec-p256", "ec-p384");
    device_state(&d);
    own = d.idevid.pkey;
    d.idevid.pkey = d.iak.pkey; /* the area keeps the IDevID's own */
    device_request(&d, NULL);
    d.idevid.pkey = own;
    policy = device_policy(&d);
    expect(&d, &policy, DEVID_ATTEST_REQUEST_SIGNATURE,
           "the request's signature is not the IDevID's over its contents");
    d.csr.signature.len = 0;
    expect(&d, &policy, DEVID_ATTEST_REQUEST_SIGNATURE, "signature (0 bytes)");
    device_free(&d);
}

/* ---- what a policy may let pass ---------------------------------------- */

static void an_iak_without_proof_passes_only_by_the_policy(void **state)
{
    struct devid_attest_verdict verdict;
    struct devid_attest_policy policy;
    struct device d;

    (void)state;
    device_new(&d, "ec-p256", "ec-p256");
    device_state(&d);
    device_request(&d, drop_iak_proof);
    policy = device_policy(&d);
    policy.allow_no_iak_proof = true;
    assert_int_equal(devid_attest_verify(&d.request, &policy, &verdict),
                     DEVID_ATTEST_TRUSTED);
    assert_false(verdict.iak_proven);
    device_free(&d);

    /* A part of it is no proof, and no lack of it either. */
    device_new(&d, "ec-p256", "ec-p256");
    device_state(&d);
    device_request(&d, drop_ticket);
    policy = device_policy(&d);
    policy.allow_no_iak_proof = true;
    expect(&d, &policy, DEVID_ATTEST_IAK_PROOF_MISSING, "lacks atCreateTkt");
    device_free(&d);
}

static void other_templates_pass_only_by_the_policy(void **state)
{
    struct devid_attest_policy policy;
    struct device d;

    (void)state;
    device_new(&d, "ec-p256", "ec-p256");
    iak_has_another_policy(&d);
    d.idevid.area.authPolicy.size = 0;
    d.idevid.area.objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_ADMINWITHPOLICY;
    device_state(&d);
    device_request(&d, NULL);
    policy = device_policy(&d);
    expect(&d, &policy, DEVID_ATTEST_IAK_TEMPLATE, "authPolicy");
    policy.allow_other_templates = true;
    expect(&d, &policy, DEVID_ATTEST_TRUSTED, NULL);
    device_free(&d);
}

static void every_reason_has_a_name_of_its_own(void **state)
{
    const char *names[64];
    size_t count = 0;

    (void)state;
    for (; strcmp(devid_attest_reason_name((enum devid_attest_reason)count),
                  "unknown") != 0;
         count++) {
        assert_true(count < COUNT(names));
        names[count] =
            devid_attest_reason_name((enum devid_attest_reason)count);
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(names[i], names[count]);
    }
    assert_int_equal(count, DEVID_ATTEST_IDEVID_NONCE + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_each_kind_are_trusted),
        cmocka_unit_test(what_does_not_hang_together_is_refused_by_its_reason),
        cmocka_unit_test(fields_that_are_cut_swapped_or_missing_are_refused),
        cmocka_unit_test(the_contents_signed_by_another_key_are_refused),
        cmocka_unit_test(an_iak_without_proof_passes_only_by_the_policy),
        cmocka_unit_test(other_templates_pass_only_by_the_policy),
        cmocka_unit_test(every_reason_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
