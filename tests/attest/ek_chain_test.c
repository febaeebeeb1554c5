/* SPDX-License-Identifier: Apache-2.0 */
/* From the certificate of an endorsement key up to a root. */
#include "vendor.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct devid_attest_policy strict = {0};

static void a_folder_of_vendors_is_read_whatever_its_files_are_called(void **s)
{
    struct devid_error err = {0};
    struct devid_trust *trust = NULL;
    struct devid_trust_count count;
    char path[128];

    (void)s;
    assert_int_equal(v.count.roots, 1);
    assert_int_equal(v.count.intermediates, 1);
    assert_int_equal(v.count.known, 1);
    assert_int_equal(v.count.ignored, 1);
    assert_int_equal(devid_trust_new(NULL, &trust, &err), DEVID_OK);
    (void)snprintf(path, sizeof(path), "%s/README", v.folder);
    assert_int_equal(devid_trust_add(trust, path, &count, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "there is not one certificate in");
    (void)snprintf(path, sizeof(path), "%s/nowhere", v.folder);
    assert_int_equal(devid_trust_add(trust, path, &count, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err, "nowhere: No such file");
    devid_trust_free(&trust);
}

static void an_ek_of_a_vendor_is_trusted_and_named_by_its_digest(void **state)
{
    struct cert_spec spec = ek_spec();
    const struct devid_attest_policy policy = {.trust = v.trust, .now = NOW};
    struct devid_attest_verdict plain;
    struct devid_attest_verdict oaep;
    struct devid_bytes nv = {NULL, 0};
    struct devid_public pub;

    (void)state;
    software_public(v.ek_key, &pub);
    for (int i = 0; i < 2; i++) {
        struct devid_attest_verdict *verdict = i == 0 ? &plain : &oaep;
        X509 *cert;
        uint8_t *der;

        spec.oaep = i == 1;
        cert = make_cert(&spec);
        der = cert_der(cert, 0, 0, &nv.len);
        nv.data = der;
        assert_int_equal(devid_ek_verify(nv, &policy, verdict),
                         DEVID_ATTEST_TRUSTED);
        assert_true(devid_public_equal(&verdict->ek, &pub));
        assert_int_equal(strlen(verdict->ek_digest), 64);
        X509_free(cert);
        free(der);
    }
    assert_string_equal(plain.ek_digest, oaep.ek_digest);
}

static void each_break_in_the_chain_has_its_reason(void **state)
{
    const struct devid_attest_policy nobody = {.now = NOW};
    struct devid_attest_verdict verdict;
    struct cert_spec spec = ek_spec();
    struct cert_spec below = intermediate_spec();
    struct devid_bytes nv = {NULL, 0};
    X509 *stranger = make_root(v.other_key);
    X509 *cert = make_cert(&spec);
    uint8_t *der = cert_der(cert, 0, 0, &nv.len);

    (void)state;
    nv.data = der;
    assert_int_equal(devid_ek_verify(nv, &nobody, &verdict),
                     DEVID_ATTEST_EK_ISSUER_UNKNOWN);
    expect_text(&verdict.error, "issued by 'CN = Intermediate'");
    der[nv.len - 1] ^= 1;
    vendor_expect(nv, strict, DEVID_ATTEST_EK_SIGNATURE,
                  "names 'CN = Intermediate', but that key did not sign it");
    free(der);
    X509_free(cert);

    spec.issuer_key = v.other_key; /* forged under the same name */
    vendor_expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_SIGNATURE,
                       "did not sign it");
    spec.issuer = stranger; /* a root of the right name, not trusted */
    vendor_expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_SIGNATURE,
                       "names 'CN = Root'");
    X509_free(stranger);
    /* issued by something that is no CA, though a vendor's */
    below.basic = "CA:FALSE";
    below.name = "Leaf";
    below.key_usage = NULL;
    stranger = make_cert(&below);
    spec = ek_spec();
    spec.issuer = stranger;
    vendor_expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_ISSUER_UNKNOWN,
                       "issued by 'CN = Leaf'");
    X509_free(stranger);
}

/* A trust of its own: the intermediate is `spec`'s, perhaps without a root. */
static void expect_under(const struct cert_spec *spec, bool with_root,
                         struct devid_attest_policy policy,
                         enum devid_attest_reason reason, const char *text)
{
    struct cert_spec leaf = ek_spec();
    struct devid_error err = {0};
    struct devid_trust *trust = NULL;
    X509 *above = make_cert(spec);
    char folder[64];
    char path[128];

    make_folder(folder);
    (void)snprintf(path, sizeof(path), "%s/pem", folder);
    append_pem(path, above);
    if (with_root)
        append_pem(path, v.root);
    append_pem(path, v.intermediate); /* the way of those that name it */
    assert_int_equal(devid_trust_new(NULL, &trust, &err), DEVID_OK);
    assert_int_equal(devid_trust_add(trust, folder, NULL, &err), DEVID_OK);
    leaf.issuer = above;
    leaf.issuer_key = spec->key;
    policy.trust = trust;
    vendor_expect_cert(make_cert(&leaf), policy, reason, text);
    devid_trust_free(&trust);
    remove_folder(folder);
    X509_free(above);
}

static void what_stands_above_must_be_allowed_to(void **state)
{
    struct cert_spec spec = intermediate_spec();

    (void)state;
    spec.name = "Above";
    spec.key = v.other_key;
    expect_under(&spec, true, strict, DEVID_ATTEST_TRUSTED, NULL);
    expect_under(&spec, false, strict, DEVID_ATTEST_EK_CHAIN,
                 "the EK's issuer 'CN = Above' leads to no root");
    spec.basic = "CA:FALSE";
    expect_under(&spec, true, strict, DEVID_ATTEST_EK_CHAIN,
                 "goes through 'CN = Above', which may not issue");
    spec.basic = CA;
    spec.key_usage = "digitalSignature";
    expect_under(&spec, true, strict, DEVID_ATTEST_EK_CHAIN,
                 "goes through 'CN = Above', which may not issue");
    spec.key_usage = "keyCertSign";
    spec.names = "Nobody";
    expect_under(&spec, true, strict, DEVID_ATTEST_EK_CHAIN,
                 "'CN = Above', which allows other names than the EK's");
    spec.names = "EK";
    expect_under(&spec, true, strict, DEVID_ATTEST_TRUSTED, NULL);
    spec.names = NULL;
    spec.key = EVP_RSA_gen(1024);
    expect_under(&spec, true, strict, DEVID_ATTEST_EK_CHAIN,
                 "'CN = Above', which has too short a key");
    EVP_PKEY_free(spec.key);
    spec.key = v.other_key;
    spec.issuer = v.intermediate; /* which allows no CA below it */
    spec.issuer_key = v.int_key;
    expect_under(&spec, true, strict, DEVID_ATTEST_EK_CHAIN,
                 "'CN = Intermediate', which allows fewer CAs below it");
}

static void old_hashes_and_dates_pass_only_where_the_policy_says_so(void **s)
{
    const struct devid_attest_policy sha1 = {.allow_sha1 = true};
    const struct devid_attest_policy old = {.allow_expired = true};
    struct cert_spec above = intermediate_spec();
    struct cert_spec spec = ek_spec();

    (void)s;
    spec.digest = "SHA1";
    vendor_expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_SHA1,
                       "'CN = EK' on the EK's chain is signed over SHA1");
    vendor_expect_cert(make_cert(&spec), sha1, DEVID_ATTEST_TRUSTED, NULL);
    above.name = "Above";
    above.key = v.other_key;
    above.digest = "SHA1";
    expect_under(&above, true, old, DEVID_ATTEST_EK_SHA1, "'CN = Above'");
    expect_under(&above, true, sha1, DEVID_ATTEST_TRUSTED, NULL);

    spec = ek_spec();
    spec.not_after = -1;
    vendor_expect_cert(make_cert(&spec), sha1, DEVID_ATTEST_EK_EXPIRED,
                       "'CN = EK' on the EK's chain expired on Jan 14");
    vendor_expect_cert(make_cert(&spec), old, DEVID_ATTEST_TRUSTED, NULL);
    above = intermediate_spec();
    above.name = "Above";
    above.key = v.other_key;
    above.not_after = -1;
    expect_under(&above, true, strict, DEVID_ATTEST_EK_EXPIRED, "'CN = Above'");
    expect_under(&above, true, old, DEVID_ATTEST_TRUSTED, NULL);

    spec = ek_spec();
    spec.not_before = 1;
    vendor_expect_cert(make_cert(&spec), old, DEVID_ATTEST_EK_NOT_YET_VALID,
                       "not valid before Jan 16");
}

static void *verify_many(void *arg)
{
    struct devid_bytes nv = *(const struct devid_bytes *)arg;

    for (int i = 0; i < 20; i++)
        vendor_expect(nv, strict, DEVID_ATTEST_TRUSTED, NULL);
    return NULL;
}

static void threads_share_the_vendors(void **state)
{
    struct cert_spec spec = ek_spec();
    struct devid_bytes nv = {NULL, 0};
    X509 *cert = make_cert(&spec);
    uint8_t *der = cert_der(cert, 0, 0, &nv.len);
    pthread_t threads[4];

    (void)state;
    nv.data = der;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_many, &nv),
                         0);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    X509_free(cert);
    free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_folder_of_vendors_is_read_whatever_its_files_are_called),
        cmocka_unit_test(an_ek_of_a_vendor_is_trusted_and_named_by_its_digest),
        cmocka_unit_test(each_break_in_the_chain_has_its_reason),
        cmocka_unit_test(what_stands_above_must_be_allowed_to),
        cmocka_unit_test(
            old_hashes_and_dates_pass_only_where_the_policy_says_so),
        cmocka_unit_test(threads_share_the_vendors),
    };

    return cmocka_run_group_tests_name("ek chain", tests, vendor_set_up,
                                       vendor_tear_down);
}
