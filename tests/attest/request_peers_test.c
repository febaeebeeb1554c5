/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of real devices. They are no part of this project: DEVID_PEER_DATA
 * says where they are; without it the tests are skipped.
 */
#include "authority.h"

#include <stdio.h>
#include <stdlib.h>

static struct devid_bytes read_peer(const char *name)
{
    char dir[1024];
    struct devid_bytes b = {NULL, 0};

    (void)snprintf(dir, sizeof(dir), "%s/tcgcsr", getenv("DEVID_PEER_DATA"));
    b.data = (const uint8_t *)read_file(dir, name, &b.len);
    assert_non_null(b.data);
    return b;
}

static void drop(struct devid_bytes b)
{
    free((void *)(uintptr_t)b.data);
}

static void expect(const struct devid_tcg_csr *csr,
                   const struct devid_attest_policy *policy,
                   enum devid_attest_reason reason, bool proven)
{
    const struct devid_attest_request request = {.csr = csr};
    struct devid_attest_verdict verdict;

    if (devid_attest_verify(&request, policy, &verdict) != reason)
        print_error("%s: %s\n", devid_attest_reason_name(verdict.reason),
                    verdict.error.text);
    assert_int_equal(verdict.reason, reason);
    assert_int_equal(verdict.iak_proven, proven);
}

/* ECDSA P-256 keys of a software TPM, with an EK of RSA-2048 or P-384. */
static void requests_with_all_fields_are_trusted(void **state)
{
    static const char *const vendor[] = {"tcgcsr/made", NULL};
    static const char *const names[] = {"made/request_p256_rsaek.bin",
                                        "made/request_p256_eccek.bin"};
    struct devid_attest_policy policy = {.now = NOW};
    struct devid_trust *trust = NULL;

    (void)state;
    if (!trust_peers(&trust, vendor))
        skip();
    policy.trust = trust;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct devid_bytes data = read_peer(names[i]);
        struct devid_tcg_csr csr;

        assert_int_equal(devid_tcg_csr_decode(data, NULL, &csr, NULL),
                         DEVID_OK);
        expect(&csr, &policy, DEVID_ATTEST_TRUSTED, true);
        csr.signature = csr.sgnCertifyInfoSig;
        expect(&csr, &policy, DEVID_ATTEST_REQUEST_SIGNATURE, false);
        drop(data);
    }
    devid_trust_free(&trust);
}

/* Of a switch: P-384, SHA-384, an ST33, and no proof of its IAK. */
static void a_request_without_proof_of_the_iak_needs_the_policy(void **state)
{
    static const char *const vendors[] = {"roots", "roots/keylime", "ek/chain",
                                          NULL};
    struct devid_attest_policy policy = {.now = NOW};
    struct devid_trust *trust = NULL;
    struct devid_bytes data;
    struct devid_bytes signature;
    struct devid_tcg_csr csr;

    (void)state;
    if (!trust_peers(&trust, vendors))
        skip();
    policy.trust = trust;
    data = read_peer("csrResponse-csr_contents.bin");
    signature = read_peer("csrResponse-idevid_signature_csr.bin");
    assert_int_equal(devid_tcg_csr_decode_contents(data, NULL, &csr, NULL),
                     DEVID_OK);
    csr.signature = signature;
    expect(&csr, &policy, DEVID_ATTEST_IAK_PROOF_MISSING, false);
    policy.allow_no_iak_proof = true;
    expect(&csr, &policy, DEVID_ATTEST_TRUSTED, false);
    drop(data);
    drop(signature);
    devid_trust_free(&trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_with_all_fields_are_trusted),
        cmocka_unit_test(a_request_without_proof_of_the_iak_needs_the_policy),
    };

    return cmocka_run_group_tests_name("request peers", tests, NULL, NULL);
}
