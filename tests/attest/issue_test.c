/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of IDevIDs and IAKs. issuing.sh has the openssl program. */
#include "factory.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The certificate, and its number as the ledger gets it. */
static X509 *issue_this(const struct factory *f, const struct devid_issue *what)
{
    const ASN1_INTEGER *number;
    struct devid_issued issued;
    struct devid_error err = {0};
    const unsigned char *p;
    BIGNUM *value;
    X509 *cert;

    assert_int_equal(devid_issuer_issue(f->issuer, what, &issued, &err),
                     DEVID_OK);
    p = issued.der;
    cert = d2i_X509(NULL, &p, (long)issued.len);
    assert_non_null(cert);
    assert_ptr_equal(p, issued.der + issued.len);
    value = BN_bin2bn(issued.number, sizeof(issued.number), NULL);
    assert_int_equal(BN_num_bits(value), 8 * 20 - 1);
    BN_free(value);
    number = X509_get0_serialNumber(cert);
    assert_int_equal(ASN1_STRING_length(number), 20);
    assert_memory_equal(ASN1_STRING_get0_data(number), issued.number, 20);
    OPENSSL_free(issued.der);
    return cert;
}

static X509 *issue(const struct factory *f, enum devid_cert_kind kind)
{
    const struct devid_issue what = {.kind = kind,
                                     .pub = &f->pub,
                                     .serial = "SN-123",
                                     .module = &factory_module,
                                     .shard = 7,
                                     .not_before = NOW};

    return issue_this(f, &what);
}

static void expect_in_text(X509 *cert, const char *const *wanted)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;
    char *copy;

    assert_int_equal(X509_print_ex(bio, cert, XN_FLAG_ONELINE, 0), 1);
    len = BIO_get_mem_data(bio, &text);
    copy = strndup(text, (size_t)len);
    for (; *wanted != NULL; wanted++) {
        if (strstr(copy, *wanted) == NULL)
            print_error("no '%s'\n", *wanted);
        assert_non_null(strstr(copy, *wanted));
    }
    free(copy);
    BIO_free(bio);
}

/* Its one extended use, by OID: newer versions of OpenSSL have a name for it.
 */
static void expect_usage(X509 *cert, const char *oid)
{
    EXTENDED_KEY_USAGE *uses =
        X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    char text[64];

    if (oid == NULL) {
        assert_null(uses);
        return;
    }
    assert_non_null(uses);
    assert_int_equal(sk_ASN1_OBJECT_num(uses), 1);
    OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(uses, 0), 1);
    assert_string_equal(text, oid);
    sk_ASN1_OBJECT_pop_free(uses, ASN1_OBJECT_free);
}

static void certificates_have_the_profile_and_verify(void **state)
{
    static const char *const keys[] = {"ec-p256", "ec-p384", "rsa-2048"};
    static const char *const both[] = {
        "Issuer: CN = Factory",
        "Subject: O = Acme, serialNumber = SN-123",
        "Not Before: Jan 15 08:00:00 2027 GMT",
        "Not After : Dec 31 23:59:59 9999 GMT",
        "X509v3 Basic Constraints: critical\n                CA:FALSE",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "Policy: 2.23.133.11.1.1",
        "URI:http://ca.example/7.crl",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
        NULL};
    static const char *const idevid[] = {"Policy: 2.23.133.11.1.2", NULL};
    static const char *const iak[] = {"Policy: 2.23.133.11.1.3", NULL};

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        for (int kind = 0; kind < 2; kind++) {
            struct factory f;
            X509 *cert;

            open_factory(&f, keys[i]);
            cert = issue(&f, (enum devid_cert_kind)kind);
            expect_in_text(cert, both);
            expect_in_text(cert, kind == DEVID_CERT_IDEVID ? idevid : iak);
            expect_usage(cert,
                         kind == DEVID_CERT_IDEVID ? NULL : "2.23.133.8.3");
            assert_int_equal(X509_verify(cert, f.key), 1);
            assert_int_equal(X509_check_issued(f.ca, cert), X509_V_OK);
            assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), f.device_key),
                             1);
            X509_free(cert);
            close_factory(&f);
        }
    }
}

/* otherName of that type: its value's DER, borrowed from the names. */
static const ASN1_STRING *other_name(const GENERAL_NAMES *names,
                                     const char *oid)
{
    char text[64];

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        ASN1_OBJECT *type = NULL;
        ASN1_TYPE *value = NULL;

        if (GENERAL_NAME_get0_otherName(sk_GENERAL_NAME_value(names, i), &type,
                                        &value) != 1)
            continue;
        (void)OBJ_obj2txt(text, sizeof(text), type, 1);
        if (strcmp(text, oid) == 0)
            return value->value.sequence;
    }
    return NULL;
}

static void the_tpm_is_named_as_the_tcg_says(void **state)
{
    /* SEQUENCE { 2.23.133.1.2, OCTET STRING "STM :AABB:0102" } */
    static const uint8_t hardware[] = {0x30, 0x17, 0x06, 0x05, 0x67, 0x81, 0x05,
                                       0x01, 0x02, 0x04, 0x0e, 'S',  'T',  'M',
                                       ' ',  ':',  'A',  'A',  'B',  'B',  ':',
                                       '0',  '1',  '0',  '2'};
    /* SEQUENCE { UTF8String, 2.23.133.12.1 } */
    static const uint8_t head[] = {0x30, 0x49, 0x0c, 0x40, '0', '1'};
    static const uint8_t tail[] = {'e',  'f',  0x06, 0x05, 0x67,
                                   0x81, 0x05, 0x0c, 0x01};
    const ASN1_STRING *value;
    GENERAL_NAMES *names;
    struct factory f;
    X509 *cert;
    int len;

    (void)state;
    open_factory(&f, "ec-p256");
    cert = issue(&f, DEVID_CERT_IDEVID);
    names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 2);
    value = other_name(names, "1.3.6.1.5.5.7.8.4");
    assert_non_null(value);
    assert_int_equal(ASN1_STRING_length(value), sizeof(hardware));
    assert_memory_equal(ASN1_STRING_get0_data(value), hardware,
                        sizeof(hardware));
    value = other_name(names, "1.3.6.1.5.5.7.8.3");
    assert_non_null(value);
    len = ASN1_STRING_length(value);
    assert_int_equal(len, 2 + 0x49);
    assert_memory_equal(ASN1_STRING_get0_data(value), head, sizeof(head));
    assert_memory_equal(ASN1_STRING_get0_data(value) + len - sizeof(tail), tail,
                        sizeof(tail));
    GENERAL_NAMES_free(names);
    X509_free(cert);
    close_factory(&f);
}

static void a_key_without_a_tpm_is_not_called_attested(void **state)
{
    static const char *const wanted[] = {
        "Policy: X509v3 Any Policy",
        "Explicit Text: asserted by the operator",
        "Subject: O = Acme, OU = Gate, serialNumber = SN-123",
        "DNS:sn-123.acme.example",
        "URI:urn:acme:SN-123",
        NULL,
    };
    static const char *const sans[] = {"DNS:sn-123.acme.example",
                                       "URI:urn:acme:SN-123", NULL};
    struct factory f;
    struct devid_issue what = {.kind = DEVID_CERT_ASSERTED,
                               .serial = "SN-123",
                               .subject = "/O=Acme/OU=Gate",
                               .sans = sans};
    GENERAL_NAMES *names;
    X509 *cert;

    (void)state;
    open_factory(&f, "ec-p256");
    what.pub = &f.pub;
    cert = issue_this(&f, &what);
    expect_in_text(cert, wanted);
    names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 2);
    GENERAL_NAMES_free(names);
    X509_free(cert);
    what.sans = NULL;
    cert = issue_this(&f, &what);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_subject_alt_name, -1), -1);
    X509_free(cert);
    close_factory(&f);
}

static void an_ldevid_is_named_as_its_idevid_and_ends(void **state)
{
    static const char *const wanted[] = {
        "Subject: O = Acme, serialNumber = SN-123",
        "othername: ",
        "URI:http://ca.example/7.crl",
        "OCSP - URI:http://ca.example/ocsp",
        "Not After : Jan  2 00:00:00 2030 GMT",
        NULL,
    };
    struct devid_issued idevid;
    struct devid_error err = {0};
    struct factory f;
    const struct devid_issue first = {
        .pub = &f.pub, .serial = "SN-123", .module = &factory_module};
    struct devid_issue what = {.kind = DEVID_CERT_LDEVID,
                               .pub = &f.pub,
                               .shard = 7,
                               .not_after = 1893542400};
    X509 *cert;

    (void)state;
    open_factory(&f, "ec-p256");
    devid_issuer_free(&f.issuer);
    f.spec.ocsp_url = "no URL";
    assert_int_equal(devid_issuer_new(&f.spec, &f.issuer, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "'no URL' is no URL to ask for certificates' state");
    f.spec.ocsp_url = "http://ca.example/ocsp";
    assert_int_equal(devid_issuer_new(&f.spec, &f.issuer, &err), DEVID_OK);
    assert_int_equal(devid_issuer_issue(f.issuer, &first, &idevid, &err),
                     DEVID_OK);
    what.like = (struct devid_bytes){idevid.der, idevid.len};
    cert = issue_this(&f, &what);
    expect_in_text(cert, wanted);
    assert_int_equal(X509_get_ext_by_NID(cert, NID_certificate_policies, -1),
                     -1);
    X509_free(cert);
    what.like.len--;
    assert_int_equal(devid_issuer_issue(f.issuer, &what, &idevid, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "is no DER of an X.509 certificate");
    OPENSSL_free((void *)(uintptr_t)what.like.data);
    close_factory(&f);
}

static void *issue_many(void *arg)
{
    for (int i = 0; i < 50; i++)
        X509_free(issue(arg, (enum devid_cert_kind)(i % 2)));
    return NULL;
}

static void threads_share_an_issuer(void **state)
{
    pthread_t threads[4];
    struct factory f;

    (void)state;
    open_factory(&f, "ec-p256");
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, issue_many, &f), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    close_factory(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_have_the_profile_and_verify),
        cmocka_unit_test(the_tpm_is_named_as_the_tcg_says),
        cmocka_unit_test(a_key_without_a_tpm_is_not_called_attested),
        cmocka_unit_test(an_ldevid_is_named_as_its_idevid_and_ends),
        cmocka_unit_test(threads_share_an_issuer),
    };

    return cmocka_run_group_tests_name("issue", tests, NULL, NULL);
}
