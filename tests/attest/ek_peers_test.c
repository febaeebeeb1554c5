/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates of real devices and their vendors. They are no part of this
 * project: DEVID_PEER_DATA says where they are; without it the tests are
 * skipped.
 */
#include "authority.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum devid_attest_reason strict, lenient;
} samples[] = {
    {"ctgo_ifx_rsaesoaep.pem", DEVID_ATTEST_EK_PURPOSE, DEVID_ATTEST_EK_CHAIN},
    {"gcp_pca_tpm_ecc_enc_cert.pem", DEVID_ATTEST_EK_PURPOSE,
     DEVID_ATTEST_TRUSTED},
    {"gcp_pca_tpm_rsa_enc_cert.pem", DEVID_ATTEST_EK_PURPOSE,
     DEVID_ATTEST_TRUSTED},
    {"gcp_uca_tpm_ecc_enc_cert.pem", DEVID_ATTEST_EK_ISSUER_UNKNOWN,
     DEVID_ATTEST_EK_ISSUER_UNKNOWN},
    {"hirs_ab21ccf2.pem", DEVID_ATTEST_EK_SHA1, DEVID_ATTEST_TRUSTED},
    {"hirs_ci_ek.der", DEVID_ATTEST_EK_KEY, DEVID_ATTEST_EK_KEY},
    {"hirs_nuc1.pem", DEVID_ATTEST_EK_SHA1, DEVID_ATTEST_TRUSTED},
    {"hirs_nuc1_7byte_wrapper.bin", DEVID_ATTEST_EK_SHA1, DEVID_ATTEST_TRUSTED},
    {"hirs_nuc1_wrapper_removed.bin", DEVID_ATTEST_EK_SHA1,
     DEVID_ATTEST_TRUSTED},
    {"hirs_nuc2.pem", DEVID_ATTEST_EK_SHA1, DEVID_ATTEST_TRUSTED},
    {"hirs_padded.bin", DEVID_ATTEST_EK_ISSUER_UNKNOWN,
     DEVID_ATTEST_EK_ISSUER_UNKNOWN},
    {"hirs_security_assertions_wrapped_padded.bin", DEVID_ATTEST_EK_PURPOSE,
     DEVID_ATTEST_EK_ISSUER_UNKNOWN},
    {"keylime_nuvoton_ecdsa_sha256.bin", DEVID_ATTEST_EK_PURPOSE,
     DEVID_ATTEST_EK_PURPOSE},
    {"keylime_nuvoton_npct75x_malformed.der", DEVID_ATTEST_TRUSTED,
     DEVID_ATTEST_TRUSTED},
    {"keylime_registrar_0.pem", DEVID_ATTEST_EK_PURPOSE,
     DEVID_ATTEST_EK_PURPOSE},
    {"keylime_st_ecdsa_sha256.bin", DEVID_ATTEST_TRUSTED, DEVID_ATTEST_TRUSTED},
    {"keylime_st_sha256_with_rsa.bin", DEVID_ATTEST_TRUSTED,
     DEVID_ATTEST_TRUSTED},
    {"bad/hirs_fakeCA.pem", DEVID_ATTEST_EK_PURPOSE, DEVID_ATTEST_EK_PURPOSE},
    {"bad/hirs_fake_stm_int02.pem", DEVID_ATTEST_EK_PURPOSE,
     DEVID_ATTEST_EK_PURPOSE},
};

/* An NV index's bytes: a PEM's are its DER. The caller frees. */
static uint8_t *read_nv(const char *dir, const char *name,
                        struct devid_bytes *nv)
{
    uint8_t *data = (uint8_t *)read_file(dir, name, &nv->len);
    BIO *bio;
    X509 *cert;

    if (data != NULL && memmem(data, nv->len, "-----BEGIN", 10) != NULL) {
        bio = BIO_new_mem_buf(data, (int)nv->len);
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        assert_non_null(cert);
        free(data);
        data = cert_der(cert, 0, 0, &nv->len);
        X509_free(cert);
        BIO_free(bio);
    }
    nv->data = data;
    return data;
}

static void eks_of_real_devices_get_their_verdicts(void **state)
{
    static const char *const folders[] = {"roots", "roots/keylime", "ek/chain",
                                          NULL};
    struct devid_trust *trust = NULL;
    char dir[1024];

    (void)state;
    if (!trust_peers(&trust, folders))
        skip();
    (void)snprintf(dir, sizeof(dir), "%s/ek", getenv("DEVID_PEER_DATA"));
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct devid_attest_policy policy = {.trust = trust};
        struct devid_bytes nv = {NULL, 0};
        uint8_t *data = read_nv(dir, samples[i].name, &nv);

        assert_non_null(data);
        print_message("%s\n", samples[i].name);
        expect_ek(nv, policy, samples[i].strict, "EK");
        policy.allow_expired = true;
        policy.allow_no_eku = true;
        policy.allow_sha1 = true;
        expect_ek(nv, policy, samples[i].lenient, "EK");
        free(data);
    }
    devid_trust_free(&trust);
}

static void a_forged_intermediate_vouches_for_nobody(void **state)
{
    static const char *const forged[] = {
        "ek/bad/hirs_fake_stm_int02.pem", "ek/chain/hirs_stm_root.crt",
        "ek/chain/hirs_globalsign_tpm_root.crt", NULL};
    static const char *const both[] = {"ek/bad/hirs_fake_stm_int02.pem",
                                       "ek/chain/hirs_stm_root.crt",
                                       "ek/chain/hirs_globalsign_tpm_root.crt",
                                       "ek/chain/hirs_stm_int02.crt", NULL};
    struct devid_attest_policy policy = {.allow_sha1 = true,
                                         .allow_expired = true};
    struct devid_trust *trust = NULL;
    struct devid_bytes nv = {NULL, 0};
    uint8_t *data;
    char dir[1024];

    (void)state;
    if (!trust_peers(&trust, forged))
        skip();
    (void)snprintf(dir, sizeof(dir), "%s/ek", getenv("DEVID_PEER_DATA"));
    data = read_nv(dir, "hirs_nuc1.pem", &nv);
    policy.trust = trust;
    expect_ek(nv, policy, DEVID_ATTEST_EK_CHAIN, "leads to no root");
    devid_trust_free(&trust);
    assert_true(trust_peers(&trust, both));
    policy.trust = trust;
    expect_ek(nv, policy, DEVID_ATTEST_TRUSTED, NULL);
    devid_trust_free(&trust);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eks_of_real_devices_get_their_verdicts),
        cmocka_unit_test(a_forged_intermediate_vouches_for_nobody),
    };

    return cmocka_run_group_tests_name("ek peers", tests, NULL, NULL);
}
