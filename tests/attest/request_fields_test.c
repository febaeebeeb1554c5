/* SPDX-License-Identifier: Apache-2.0 */
/* A request's fields: cut, swapped, missing; and what a policy lets pass. */
#include "device.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        device_expect(&d, &policy, edits[i].reason, edits[i].text);
        device_free(&d);
    }
}

/* A quote whose list of PCRs is out of bounds, in place of a certification. */
static void quote(struct device *d, struct devid_tcg_csr *csr)
{
    static const uint8_t bytes[] = {
        0xff, 0x54, 0x43, 0x47, 0x80, 0x18, 0, 0, 0, 0, 0, 0, 0, 0,
        0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0,
        0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0, 9, 9, 9};

    (void)d;
    csr->sgnCertifyInfo = (struct devid_bytes){bytes, sizeof(bytes)};
}

/* Standard error in a file, until the descriptor that is returned is back. */
static int silence(FILE *f)
{
    int saved = dup(STDERR_FILENO);

    assert_true(saved >= 0);
    assert_int_equal(fflush(stderr), 0);
    assert_int_equal(dup2(fileno(f), STDERR_FILENO), STDERR_FILENO);
    return saved;
}

static void lists_of_pcrs_out_of_bounds_are_refused_in_silence(void **state)
{
    static const uint8_t lists[][9] = {
        {0, 0, 0, 99, 0, 11, 3, 0, 0},  /* more banks than there are hashes */
        {0, 0, 0, 1, 0, 11, 200, 0, 0}, /* more PCRs than any TPM has */
        {0, 0, 0, 1, 0, 11, 4, 0, 0},   /* cut short */
    };
    struct devid_attest_verdict verdict;
    struct devid_attest_policy policy;
    FILE *f = tmpfile();
    struct device d;
    int saved;

    (void)state;
    assert_non_null(f);
    saved = silence(f);
    device_new(&d, "ec-p256", "ec-p256");
    device_state(&d);
    device_request(&d, quote);
    policy = device_policy(&d);
    assert_int_equal(devid_attest_verify(&d.request, &policy, &verdict),
                     DEVID_ATTEST_IDEVID_INFO);
    expect_text(&verdict.error, "begins with 0xff5443478018");
    for (size_t i = 0; i < COUNT(lists); i++) {
        d.request.creation = (struct devid_bytes){lists[i], sizeof(lists[i])};
        assert_int_equal(devid_attest_verify(&d.request, &policy, &verdict),
                         DEVID_ATTEST_IAK_CREATION);
        expect_text(&verdict.error, "creation data (9 bytes) is no TPMS_");
    }
    device_free(&d);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(close(saved), 0);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    assert_int_equal(ftell(f), 0);
    assert_int_equal(fclose(f), 0);
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
    device_expect(
        &d, &policy, DEVID_ATTEST_REQUEST_SIGNATURE,
        "the request's signature is not the IDevID's over its contents");
    d.csr.signature.len = 0;
    device_expect(&d, &policy, DEVID_ATTEST_REQUEST_SIGNATURE,
                  "signature (0 bytes)");
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
    device_expect(&d, &policy, DEVID_ATTEST_IAK_PROOF_MISSING,
                  "lacks atCreateTkt");
    device_free(&d);
}

static void other_templates_pass_only_by_the_policy(void **state)
{
    struct devid_attest_policy policy;
    struct device d;

    (void)state;
    device_new(&d, "ec-p256", "ec-p256");
    d.iak.area.authPolicy.buffer[0] ^= 1;
    d.idevid.area.authPolicy.size = 0;
    d.idevid.area.objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_ADMINWITHPOLICY;
    device_state(&d);
    device_request(&d, NULL);
    policy = device_policy(&d);
    device_expect(&d, &policy, DEVID_ATTEST_IAK_TEMPLATE, "authPolicy");
    policy.allow_other_templates = true;
    device_expect(&d, &policy, DEVID_ATTEST_TRUSTED, NULL);
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
        cmocka_unit_test(fields_that_are_cut_swapped_or_missing_are_refused),
        cmocka_unit_test(lists_of_pcrs_out_of_bounds_are_refused_in_silence),
        cmocka_unit_test(the_contents_signed_by_another_key_are_refused),
        cmocka_unit_test(an_iak_without_proof_passes_only_by_the_policy),
        cmocka_unit_test(other_templates_pass_only_by_the_policy),
        cmocka_unit_test(every_reason_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests_name("request fields", tests, NULL, NULL);
}
