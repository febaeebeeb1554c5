/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate requests, over the fake: OpenSSL is the judge. */
#include "fake_engine.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string.h>

/* Make a request, parse it strictly, verify it; the caller frees it. */
static X509_REQ *make(struct devid_key *key, const struct devid_csr_spec *spec)
{
    struct devid_error err = {0};
    EVP_PKEY *pkey = NULL;
    X509_REQ *req;
    uint8_t *der = NULL;
    uint8_t *again = NULL;
    const uint8_t *p;
    size_t len = 0;

    assert_int_equal(devid_csr_create(key, spec, &der, &len, &err), DEVID_OK);
    p = der;
    req = d2i_X509_REQ(NULL, &p, (long)len);
    assert_non_null(req);
    assert_ptr_equal(p, der + len);
    assert_int_equal(i2d_X509_REQ(req, &again), len);
    assert_memory_equal(again, der, len);
    assert_int_equal(
        devid_public_to_pkey(devid_key_public(key), NULL, &pkey, &err),
        DEVID_OK);
    assert_int_equal(X509_REQ_verify(req, pkey), 1);
    assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(req), pkey), 1);
    EVP_PKEY_free(pkey);
    OPENSSL_free(again);
    OPENSSL_free(der);
    return req;
}

static void every_algorithm_signs_with_the_hash_that_fits_it(void **state)
{
    static const struct {
        const char *algorithm;
        const char *hash;
        int nid;
        int parameter;
    } rows[] = {
        {"ec-p256", NULL, NID_ecdsa_with_SHA256, V_ASN1_UNDEF},
        {"ec-p384", NULL, NID_ecdsa_with_SHA384, V_ASN1_UNDEF},
        {"ec-p521", NULL, NID_ecdsa_with_SHA512, V_ASN1_UNDEF},
        {"ec-p256", "SHA512", NID_ecdsa_with_SHA512, V_ASN1_UNDEF},
        {"rsa-2048", NULL, NID_sha256WithRSAEncryption, V_ASN1_NULL},
        {"rsa-4096", "sha384", NID_sha384WithRSAEncryption, V_ASN1_NULL},
        {"rsa-pss-2048", NULL, NID_rsassaPss, V_ASN1_SEQUENCE},
        {"rsa-pss-3072", "SHA512", NID_rsassaPss, V_ASN1_SEQUENCE},
        {"ed25519", NULL, NID_ED25519, V_ASN1_UNDEF},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const struct devid_csr_spec spec = {.subject = "/O=Acme/CN=unit-0001",
                                            .hash = rows[i].hash};
        struct devid_key *key = new_key(rows[i].algorithm);
        const X509_ALGOR *algorithm = NULL;
        int parameter = -1;
        X509_REQ *req = make(key, &spec);

        assert_int_equal(X509_REQ_get_signature_nid(req), rows[i].nid);
        X509_REQ_get0_signature(req, NULL, &algorithm);
        X509_ALGOR_get0(NULL, &parameter, NULL, algorithm);
        assert_int_equal(parameter, rows[i].parameter);
        X509_REQ_free(req);
        devid_key_free(&key);
    }
}

static void a_request_takes_over_the_names_of_a_certificate(void **state)
{
    /* TeletexString, which no subject that is typed comes to. */
    static const uint8_t teletex[] = {'G', 0xe4, 't', 'e'};
    struct devid_key *key = new_key("ec-p256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_NAME_new();
    X509_EXTENSION *san = X509V3_EXT_conf_nid(
        NULL, NULL, NID_subject_alt_name, "critical,DNS:a.local,RID:1.2.3.4");
    struct devid_csr_spec spec = {.name = name, .like = cert};
    STACK_OF(X509_EXTENSION) * exts;
    X509_REQ *req;

    (void)state;
    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName,
                                                V_ASN1_TELETEXSTRING, teletex,
                                                sizeof(teletex), -1, 0),
                     1);
    assert_int_equal(X509_add_ext(cert, san, -1), 1);
    req = make(key, &spec);
    assert_int_equal(
        ASN1_STRING_type(X509_NAME_ENTRY_get_data(
            X509_NAME_get_entry(X509_REQ_get_subject_name(req), 0))),
        V_ASN1_TELETEXSTRING);
    exts = X509_REQ_get_extensions(req);
    assert_int_equal(sk_X509_EXTENSION_num(exts), 1);
    assert_int_equal(
        ASN1_OCTET_STRING_cmp(
            X509_EXTENSION_get_data(sk_X509_EXTENSION_value(exts, 0)),
            X509_EXTENSION_get_data(san)),
        0);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_REQ_free(req);
    X509_EXTENSION_free(san);
    X509_NAME_free(name);
    X509_free(cert);
    devid_key_free(&key);
}

static void a_request_costs_one_signature(void **state)
{
    const struct devid_csr_spec spec = {.subject = "/CN=x"};
    struct devid_key *key = new_key("ec-p256");

    (void)state;
    X509_REQ_free(make(key, &spec));
    assert_int_equal(fake_calls().sign, 1);
    devid_key_free(&key);
}

static void subject_and_extensions_arrive(void **state)
{
    static const char *const sans[] = {"DNS:a.example", "URI:urn:x:1,y", NULL};
    const struct devid_csr_spec spec = {.subject = "/O=Acme/CN=unit-0001",
                                        .sans = sans,
                                        .key_usage = "digitalSignature",
                                        .ext_key_usage = "clientAuth"};
    struct devid_key *key = new_key("ec-p256");
    X509_REQ *req = make(key, &spec);
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
    GENERAL_NAMES *names;
    char text[64];

    (void)state;
    assert_int_equal(X509_REQ_get_version(req), X509_REQ_VERSION_1);
    assert_string_equal(
        X509_NAME_oneline(X509_REQ_get_subject_name(req), text, sizeof(text)),
        "/O=Acme/CN=unit-0001");
    assert_int_equal(sk_X509_EXTENSION_num(exts), 3);
    names = X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 2);
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_REQ_free(req);
    devid_key_free(&key);
}

static void an_empty_subject_makes_the_names_critical(void **state)
{
    static const char *const sans[] = {"DNS:a.example", NULL};
    const struct devid_csr_spec spec = {.subject = "/", .sans = sans};
    struct devid_key *key = new_key("ec-p256");
    X509_REQ *req = make(key, &spec);
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);

    (void)state;
    assert_int_equal(
        X509_EXTENSION_get_critical(sk_X509_EXTENSION_value(exts, 0)), 1);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_REQ_free(req);
    devid_key_free(&key);
}

static void bad_specs_are_refused_before_the_device_is_asked(void **state)
{
    static const char *const bad_san[] = {"DNS:a.example", "IP:x", NULL};
    static const struct {
        struct devid_csr_spec spec;
        enum devid_err code;
        const char *sentence;
    } rows[] = {
        {{.subject = NULL}, DEVID_ERR_INPUT, "the request names nobody"},
        {{.subject = "/"}, DEVID_ERR_INPUT, "give a subject such as /O=Acme"},
        {{.subject = "CN=x"}, DEVID_ERR_INPUT, "does not begin with a '/'"},
        {{.subject = "/CN=x", .sans = bad_san},
         DEVID_ERR_INPUT,
         "name IP:x is not valid"},
        {{.subject = "/CN=x", .key_usage = "sign"},
         DEVID_ERR_INPUT,
         "'sign' in the key usage"},
        {{.subject = "/CN=x", .ext_key_usage = "web"},
         DEVID_ERR_INPUT,
         "'web' in the extended key usage"},
        {{.subject = "/CN=x", .hash = "SHA257"},
         DEVID_ERR_INPUT,
         "the hash 'SHA257' is not known: SHA256, SHA384 and SHA512 are"},
        {{.subject = "/CN=x", .hash = "MD5-SHA1"},
         DEVID_ERR_ALG,
         "no certificate or request can name ECDSA with MD5-SHA1"},
    };
    struct devid_key *key = new_key("ec-p256");
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_error err = {0};
        uint8_t *der = NULL;
        size_t len = 9;

        assert_int_equal(devid_csr_create(key, &rows[i].spec, &der, &len, &err),
                         rows[i].code);
        expect_text(&err, rows[i].sentence);
        assert_null(der);
        assert_int_equal(len, 0);
    }
    assert_int_equal(fake_calls().sign, 0);
    devid_key_free(&key);
}

static void what_the_device_answers_reaches_the_caller(void **state)
{
    const struct devid_csr_spec spec = {.subject = "/CN=x"};
    struct devid_key *key = new_key("ec-p256");
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    fake_fail_next(DEVID_ERR_LOCKED, 0x921, "locked for 10 minutes");
    assert_int_equal(devid_csr_create(key, &spec, &der, &len, &err),
                     DEVID_ERR_LOCKED);
    assert_int_equal(err.device_rc, 0x921);
    expect_text(&err, "locked for 10 minutes");
    assert_null(der);
    devid_key_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(every_algorithm_signs_with_the_hash_that_fits_it),
        FAKE_TEST(a_request_takes_over_the_names_of_a_certificate),
        FAKE_TEST(a_request_costs_one_signature),
        FAKE_TEST(subject_and_extensions_arrive),
        FAKE_TEST(an_empty_subject_makes_the_names_critical),
        FAKE_TEST(bad_specs_are_refused_before_the_device_is_asked),
        FAKE_TEST(what_the_device_answers_reaches_the_caller),
    };

    return cmocka_run_group_tests_name("csr", tests, NULL, NULL);
}
