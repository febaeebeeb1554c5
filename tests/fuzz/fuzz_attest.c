/* SPDX-License-Identifier: Apache-2.0 */
/* What a device sends beside its request's frame: certificates, structures. */
#include "fuzz.h"

#include "attest/attest_internal.h"

#include <openssl/crypto.h>

static void as_ek_certificate(struct devid_bytes in)
{
    const struct devid_attest_policy policy = {.now = 1800000000};
    struct devid_attest_verdict verdict;

    must(devid_ek_verify(in, &policy, &verdict) != DEVID_ATTEST_TRUSTED);
    must(verdict.error.text[0] != '\0');
}

static void as_keys(struct devid_bytes in)
{
    const struct devid_attest_policy policy = {.allow_other_templates = true};
    struct devid_attest_verdict verdict = {0};
    struct attest_key key;

    if (attest_iak_check(in, &policy, &key, &verdict) == DEVID_ATTEST_TRUSTED)
        must(attest_idevid_check(in, &policy, &key, &verdict) !=
             DEVID_ATTEST_TRUSTED);
    must(verdict.error.text[0] != '\0');
}

static void as_signature(struct devid_bytes in)
{
    struct devid_public pub = {.type = DEVID_KEY_EC,
                               .bits = 256,
                               .alg = devid_algorithm_by_name("ec-p256"),
                               .coordinate_len = 32};
    struct devid_error err = {0};
    TPMT_SIGNATURE signature;

    if (attest_parse_signature(in, "signature", &signature, &err) == DEVID_OK)
        must(attest_signature_verify(&pub, NULL, in, &signature, &err) !=
             DEVID_OK);
    must(err.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct devid_bytes in = {data, size};
    struct devid_error err = {0};
    TPMS_CREATION_DATA creation;
    struct attest_kind kind;
    TPMT_TK_CREATION ticket;
    TPMS_ATTEST attest;

    as_ek_certificate(in);
    as_keys(in);
    as_signature(in);
    if (attest_parse_kind(in, &kind) && kind.type != TPM2_ST_ATTEST_QUOTE &&
        attest_parse_attest(in, "info", &attest, &err) == DEVID_OK)
        must(attest.magic == kind.magic && attest.type == kind.type);
    if (attest_parse_ticket(in, "ticket", &ticket, &err) != DEVID_OK &&
        attest_parse_creation(in, "creation", &creation, &err) != DEVID_OK)
        must(err.text[0] != '\0');
    must_leave_no_error();
    return 0;
}
