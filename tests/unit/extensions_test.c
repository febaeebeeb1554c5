/* SPDX-License-Identifier: Apache-2.0 */
/* Subject alternative names and key usages. */
#include "support.h"

#include "extensions.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/x509v3.h>

#include <string.h>

static void good_names_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *printed; /* by OpenSSL */
    } rows[] = {
        {"DNS:unit-0001.example.com", "DNS:unit-0001.example.com"},
        {"DNS:*.example.com", "DNS:*.example.com"},
        {"DNS:a_b", "DNS:a_b"},
        {"dns:x", "DNS:x"},
        {"IP:192.0.2.1", "IP Address:192.0.2.1"},
        {"IP:2001:db8::1", "IP Address:2001:DB8:0:0:0:0:0:1"},
        {"URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
         "URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
        {"URI:spiffe://example.org/x,DNS:evil.example",
         "URI:spiffe://example.org/x,DNS:evil.example"},
        {"email:unit@example.com", "email:unit@example.com"},
        {"Email:unit@example.com", "email:unit@example.com"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        GENERAL_NAME *name = NULL;
        struct devid_error err = {0};
        char text[200] = "";
        BIO *bio = BIO_new(BIO_s_mem());
        int n;

        assert_int_equal(devid_san_parse(rows[i].text, &name, &err), DEVID_OK);
        assert_int_equal(GENERAL_NAME_print(bio, name), 1);
        n = BIO_read(bio, text, sizeof(text) - 1);
        text[n] = '\0';
        assert_string_equal(text, rows[i].printed);
        BIO_free(bio);
        GENERAL_NAME_free(name);
    }
}

static const struct {
    const char *text;
    const char *sentence;
} bad_names[] = {
    {"", "is of no known kind: it begins with DNS:, IP:, URI:, email: or "
         "otherName:"},
    {"unit.example.com", "'unit.example.com' is of no known kind"},
    {"RID:1.2.3", "'RID:1.2.3' is of no known kind"},
    {"dirName:x", "is of no known kind"},
    {"DNS:", "DNS: is not valid: labels of letters"},
    {"DNS:a..b", "DNS:a..b is not valid"},
    {"DNS:a.", "DNS:a. is not valid"},
    {"DNS:.a", "DNS:.a is not valid"},
    {"DNS:-a", "DNS:-a is not valid"},
    {"DNS:a-.b", "DNS:a-.b is not valid"},
    {"DNS:a*.b", "DNS:a*.b is not valid"},
    {"DNS:*", "DNS:* is not valid"},
    {"DNS:a,IP:192.0.2.1", "DNS:a,IP:192.0.2.1 is not valid"},
    {"DNS:a b", "DNS:a b is not valid"},
    {"DNS:@section", "DNS:@section is not valid"},
    {"DNS:m\xc3\xbcller.de", "other scripts in their xn-- form"},
    {"DNS:0123456789012345678901234567890123456789012345678901234567890123",
     "is not valid"},
    {"IP:", "IP: is not valid: an address is wanted"},
    {"IP:192.0.2", "such as 192.0.2.1 or 2001:db8::1"},
    {"IP:192.0.2.256", "IP:192.0.2.256 is not valid"},
    {"IP:192.0.2.1/24", "IP:192.0.2.1/24 is not valid"},
    {"IP:192.0.2.1 ", "is not valid"},
    {"IP:2001:db8::g", "is not valid"},
    {"URI:", "URI: is not valid: an absolute URI in ASCII"},
    {"URI:/path", "URI:/path is not valid"},
    {"URI:http:", "URI:http: is not valid"},
    {"URI:1http:x", "URI:1http:x is not valid"},
    {"URI:http://a b", "URI:http://a b is not valid"},
    {"URI:http://\xc3\xbc", "is not valid"},
    {"email:", "email: is not valid"},
    {"email:x", "email:x is not valid: an address in ASCII"},
    {"email:@x", "email:@x is not valid"},
    {"email:x@", "email:x@ is not valid"},
    {"email:copy", "email:copy is not valid"},
    {"email:a@b,c@d", "email:a@b,c@d is not valid"},
    {"otherName:1.2.3", "otherName:1.2.3 is not valid: a dotted OID"},
    {"otherName:1.2.3;UTF8:", "is not valid"},
    {"otherName:;UTF8:x", "is not valid"},
    {"otherName:1.2.3;IA5:x", "is not valid"},
    {"otherName:commonName;UTF8:x", "is not valid"},
    {"otherName:9.9;UTF8:x", "is not valid"},
    {"otherName:1.2.3;UTF8:\xff", "is not valid"},
};

static void bad_names_are_refused_with_what_would_be_right(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bad_names); i++) {
        GENERAL_NAME *name = NULL;
        struct devid_error err = {0};

        assert_int_equal(devid_san_parse(bad_names[i].text, &name, &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, bad_names[i].sentence);
        assert_null(name);
    }
}

static void an_other_name_carries_its_oid_and_text(void **state)
{
    GENERAL_NAME *name = NULL;
    ASN1_OBJECT *oid = NULL;
    ASN1_TYPE *value = NULL;
    struct devid_error err = {0};
    char text[64] = "";

    (void)state;
    assert_int_equal(
        devid_san_parse("otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a;UTF8:\xc3\xbc",
                        &name, &err),
        DEVID_OK);
    assert_int_equal(GENERAL_NAME_get0_otherName(name, &oid, &value), 1);
    assert_true(OBJ_obj2txt(text, sizeof(text), oid, 1) > 0);
    assert_string_equal(text, "1.3.6.1.4.1.311.20.2.3");
    assert_int_equal(ASN1_TYPE_get(value), V_ASN1_UTF8STRING);
    assert_int_equal(ASN1_STRING_length(value->value.utf8string), 9);
    assert_memory_equal(ASN1_STRING_get0_data(value->value.utf8string),
                        "a;UTF8:\xc3\xbc", 9);
    GENERAL_NAME_free(name);
}

/* One extension of a stack, as OpenSSL prints it. */
static void print_extension(STACK_OF(X509_EXTENSION) * exts, int nid,
                            char *text, int size, bool *critical)
{
    int at = X509v3_get_ext_by_NID(exts, nid, -1);
    X509_EXTENSION *ext;
    BIO *bio = BIO_new(BIO_s_mem());
    int n;

    assert_true(at >= 0);
    ext = sk_X509_EXTENSION_value(exts, at);
    *critical = X509_EXTENSION_get_critical(ext) == 1;
    assert_int_equal(X509V3_EXT_print(bio, ext, 0, 0), 1);
    n = BIO_read(bio, text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    BIO_free(bio);
}

static void extensions_are_what_was_asked_for(void **state)
{
    static const char *const sans[] = {"DNS:a.example", "IP:192.0.2.1", NULL};
    const struct devid_csr_spec spec = {
        .sans = sans,
        .key_usage = "digitalSignature, keyAgreement,decipherOnly",
        .ext_key_usage = "serverAuth,clientAuth,1.3.6.1.5.5.7.3.17",
    };
    STACK_OF(X509_EXTENSION) *exts = NULL;
    struct devid_error err = {0};
    char text[256];
    bool critical = false;

    (void)state;
    assert_int_equal(devid_extensions_make(&spec, false, &exts, &err),
                     DEVID_OK);
    assert_int_equal(sk_X509_EXTENSION_num(exts), 3);
    print_extension(exts, NID_key_usage, text, sizeof(text), &critical);
    assert_string_equal(text,
                        "Digital Signature, Key Agreement, Decipher Only");
    assert_true(critical);
    print_extension(exts, NID_ext_key_usage, text, sizeof(text), &critical);
    assert_string_equal(text, "TLS Web Server Authentication, TLS Web Client "
                              "Authentication, ipsec Internet Key Exchange");
    assert_false(critical);
    print_extension(exts, NID_subject_alt_name, text, sizeof(text), &critical);
    assert_string_equal(text, "DNS:a.example, IP Address:192.0.2.1");
    assert_false(critical);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);

    assert_int_equal(devid_extensions_make(&spec, true, &exts, &err), DEVID_OK);
    print_extension(exts, NID_subject_alt_name, text, sizeof(text), &critical);
    assert_true(critical);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

static void nothing_asked_for_gives_no_extension(void **state)
{
    static const char *const none[] = {NULL};
    const struct devid_csr_spec empty = {0};
    const struct devid_csr_spec no_sans = {.sans = none};
    STACK_OF(X509_EXTENSION) *exts = NULL;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_extensions_make(&empty, false, &exts, &err),
                     DEVID_OK);
    assert_null(exts);
    assert_int_equal(devid_extensions_make(&no_sans, false, &exts, &err),
                     DEVID_OK);
    assert_null(exts);
}

static void unknown_usages_are_named(void **state)
{
    static const struct {
        const char *key_usage;
        const char *ext_key_usage;
        const char *sentence;
    } rows[] = {
        {"digitalsignature", NULL,
         "'digitalsignature' in the key usage 'digitalsignature' is not known"},
        {"digitalSignature,,keyAgreement", NULL, "'' in the key usage"},
        {"", NULL, "'' in the key usage '' is not known"},
        {"digitalSignature,", NULL, "'' in the key usage"},
        {"critical,digitalSignature", NULL, "'critical' in the key usage"},
        {"digitalSignature;keyAgreement", NULL,
         "'digitalSignature;keyAgreement' in the key usage"},
        {NULL, "serverAuth,foo",
         "'foo' in the extended key usage "
         "'serverAuth,foo' is not known: serverAuth"},
        {NULL, "sha256", "'sha256' in the extended key usage"},
        {NULL, "", "'' in the extended key usage '' is not known"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const struct devid_csr_spec spec = {.key_usage = rows[i].key_usage,
                                            .ext_key_usage =
                                                rows[i].ext_key_usage};
        STACK_OF(X509_EXTENSION) *exts = NULL;
        struct devid_error err = {0};

        assert_int_equal(devid_extensions_make(&spec, false, &exts, &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, rows[i].sentence);
        assert_null(exts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_names_are_read),
        cmocka_unit_test(bad_names_are_refused_with_what_would_be_right),
        cmocka_unit_test(an_other_name_carries_its_oid_and_text),
        cmocka_unit_test(extensions_are_what_was_asked_for),
        cmocka_unit_test(nothing_asked_for_gives_no_extension),
        cmocka_unit_test(unknown_usages_are_named),
    };

    return cmocka_run_group_tests_name("extensions", tests, NULL, NULL);
}
