/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of endorsement keys: what holds them, what they say. */
#include "vendor.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct devid_attest_policy strict = {0};

/* ---- wrappers and padding ---------------------------------------------- */

static void wrappers_and_padding_are_taken_off(void **state)
{
    static const uint8_t pads[] = {0x00, 0x11, 0xff};
    struct cert_spec spec = ek_spec();
    X509 *cert = make_cert(&spec);
    size_t cert_len = (size_t)i2d_X509(cert, NULL);

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        const size_t wrapper = i % 3 == 0 ? 0 : i % 3 == 1 ? 5 : 7;
        const size_t counted = cert_len + (wrapper == 7 ? 2 : 0);
        const uint8_t head[] = {
            0x10, 1, 0, (uint8_t)(counted >> 8), (uint8_t)counted, 0x10, 2};
        struct devid_bytes nv = {NULL, 0};
        struct devid_bytes der;
        uint8_t *data = cert_der(cert, wrapper, 100, &nv.len);

        nv.data = data;
        memcpy(data, head, wrapper);
        memset(data + nv.len - 100, pads[i / 3], 100);
        assert_int_equal(devid_ek_unwrap(nv, &der, NULL), DEVID_OK);
        assert_ptr_equal(der.data, nv.data + wrapper);
        assert_int_equal(der.len, cert_len);
        vendor_expect(nv, strict, DEVID_ATTEST_TRUSTED, NULL);
        free(data);
    }
    X509_free(cert);
}

static void what_is_neither_certificate_nor_padding_is_refused(void **state)
{
    struct cert_spec spec = ek_spec();
    X509 *cert = make_cert(&spec);
    char text[128];
    size_t len = 0;
    uint8_t *data = cert_der(cert, 5, 100, &len);
    size_t cert_len = len - 105;

    (void)state;
    vendor_expect((struct devid_bytes){NULL, 0}, strict,
                  DEVID_ATTEST_EK_MISSING, "nobody vouches for this TPM");
    /* padding that changes, and that is of another byte */
    data[len - 1] = 0x11;
    (void)snprintf(text, sizeof(text),
                   "stands 0x11 at offset %zu: only padding", len - 6);
    vendor_expect((struct devid_bytes){data + 5, len - 5}, strict,
                  DEVID_ATTEST_EK_MALFORMED, text);
    memset(data + len - 100, 0x30, 100);
    (void)snprintf(text, sizeof(text), "stands 0x30 at offset %zu", cert_len);
    vendor_expect((struct devid_bytes){data + 5, len - 5}, strict,
                  DEVID_ATTEST_EK_MALFORMED, text);
    /* cut short */
    vendor_expect((struct devid_bytes){data + 5, cert_len - 1}, strict,
                  DEVID_ATTEST_EK_MALFORMED,
                  "no certificate begins at offset 0");
    /* wrappers that lie */
    memcpy(data, "\x10\1\0\xff\xff", 5);
    vendor_expect((struct devid_bytes){data, len}, strict,
                  DEVID_ATTEST_EK_MALFORMED,
                  "says at offset 3 that 65535 bytes follow");
    data[3] = (uint8_t)((cert_len + 1) >> 8);
    data[4] = (uint8_t)(cert_len + 1);
    vendor_expect((struct devid_bytes){data, len}, strict,
                  DEVID_ATTEST_EK_MALFORMED, "bytes where its wrapper says");
    /* a SEQUENCE that is no certificate */
    vendor_expect((struct devid_bytes){(const uint8_t *)"\x30\2\5\0", 4},
                  strict, DEVID_ATTEST_EK_MALFORMED, "is no X.509 certificate");
    X509_free(cert);
    free(data);
}

/* ---- what the certificate says of itself ------------------------------- */

static bool is_allowed(void *arg, const char *digest)
{
    return strcmp(arg, digest) == 0;
}

static void a_certificate_for_something_else_is_refused(void **state)
{
    const struct devid_attest_policy lenient = {.allow_no_eku = true};
    struct cert_spec spec = ek_spec();

    (void)state;
    spec.usage = "clientAuth";
    vendor_expect_cert(make_cert(&spec), lenient, DEVID_ATTEST_EK_PURPOSE,
                       "is for something else");
    spec.usage = NULL;
    vendor_expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_PURPOSE,
                       "must hold 2.23.133.8.1");
    vendor_expect_cert(make_cert(&spec), lenient, DEVID_ATTEST_TRUSTED, NULL);
    spec.basic = CA;
    vendor_expect_cert(make_cert(&spec), lenient, DEVID_ATTEST_EK_PURPOSE,
                       "is that of a CA");
    spec = ek_spec();
    spec.critical = "1.2.3.4";
    vendor_expect_cert(make_cert(&spec), lenient,
                       DEVID_ATTEST_EK_CRITICAL_EXTENSION,
                       "critical extension");
}

static void an_ek_off_the_list_is_refused(void **state)
{
    char digest[DEVID_EK_DIGEST_SIZE] = "";
    struct devid_attest_policy policy = {
        .trust = v.trust, .now = NOW, .ek_allowed = is_allowed, .arg = digest};
    struct devid_attest_verdict verdict;
    struct cert_spec spec = ek_spec();
    struct devid_bytes nv = {NULL, 0};
    X509 *cert = make_cert(&spec);
    uint8_t *der = cert_der(cert, 0, 0, &nv.len);

    (void)state;
    nv.data = der;
    assert_int_equal(devid_ek_verify(nv, &policy, &verdict),
                     DEVID_ATTEST_EK_NOT_ALLOWED);
    expect_text(&verdict.error, verdict.ek_digest);
    memcpy(digest, verdict.ek_digest, sizeof(digest));
    assert_int_equal(devid_ek_verify(nv, &policy, &verdict),
                     DEVID_ATTEST_TRUSTED);
    X509_free(cert);
    free(der);
}

static EVP_PKEY *rsa_pss_key(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void keys_that_no_tpm_makes_are_refused(void **state)
{
    struct cert_spec spec = ek_spec();

    (void)state;
    spec.key = EVP_RSA_gen(1024);
    vendor_expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_KEY,
                       "no template for an EK of RSA with 1024 bits");
    EVP_PKEY_free(spec.key);
    spec.key = rsa_pss_key();
    vendor_expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_KEY,
                       "no template for an EK of RSA-PSS with 2048 bits");
    EVP_PKEY_free(spec.key);
    spec.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    vendor_expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_KEY,
                       "there is no template for an EK of ED25519");
    EVP_PKEY_free(spec.key);
}

static void an_ek_that_can_be_computed_is_refused(void **state)
{
    struct cert_spec spec = ek_spec();
    BIGNUM *n = weak_number(7);
    struct devid_public pub;

    (void)state;
    software_public(v.ek_key, &pub);
    assert_int_equal(BN_bn2binpad(n, pub.modulus, 256), 256);
    assert_int_equal(devid_public_to_pkey(&pub, NULL, &spec.key, NULL),
                     DEVID_OK);
    vendor_expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_ROCA,
                       "CVE-2017-15361");
    EVP_PKEY_free(spec.key);
    BN_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrappers_and_padding_are_taken_off),
        cmocka_unit_test(what_is_neither_certificate_nor_padding_is_refused),
        cmocka_unit_test(a_certificate_for_something_else_is_refused),
        cmocka_unit_test(an_ek_off_the_list_is_refused),
        cmocka_unit_test(keys_that_no_tpm_makes_are_refused),
        cmocka_unit_test(an_ek_that_can_be_computed_is_refused),
    };

    return cmocka_run_group_tests_name("ek", tests, vendor_set_up,
                                       vendor_tear_down);
}
