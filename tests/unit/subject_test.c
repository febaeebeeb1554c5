/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "subject.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <string.h>

/* A name as OpenSSL prints it: "O=Acme,CN=x", "+" in one RDN, UTF-8. */
static void print_name(const X509_NAME *name, char *text, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int n;

    assert_non_null(bio);
    assert_true(X509_NAME_print_ex(bio, name, 0,
                                   XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_FN_SN |
                                       ASN1_STRFLGS_UTF8_CONVERT) >= 0);
    n = BIO_read(bio, text, (int)size - 1);
    text[n > 0 ? n : 0] = '\0';
    BIO_free(bio);
}

static void good_subjects_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *printed;
    } rows[] = {
        {NULL, ""},
        {"/", ""},
        {"/CN=unit-0001", "CN=unit-0001"},
        {"/O=Acme/CN=unit-0001", "O=Acme,CN=unit-0001"},
        {"/C=DE/O=M\xc3\xbcller & S\xc3\xb6hne/CN=\xe6\xb3\xb5",
         "C=DE,O=M\xc3\xbcller & S\xc3\xb6hne,CN=\xe6\xb3\xb5"},
        {"/CN=a\\/b", "CN=a/b"},
        {"/CN=a\\=b", "CN=a=b"},
        {"/CN=a=b", "CN=a=b"},
        {"/CN=a\\+b", "CN=a+b"},
        {"/CN=a\\\\b", "CN=a\\b"},
        {"/CN=a,b", "CN=a,b"},
        {"/CN=@a", "CN=@a"},
        {"/O=Acme/CN=x+serialNumber=7", "O=Acme,CN=x+serialNumber=7"},
        {"/OU=a/OU=b", "OU=a,OU=b"},
        {"/2.5.4.3=dotted", "CN=dotted"},
        {"/1.3.6.1.4.1.99999.1=own", "1.3.6.1.4.1.99999.1=own"},
        {"/commonName=long", "CN=long"},
        {"/emailAddress=a@b", "emailAddress=a@b"},
        {"/DC=example/DC=com/UID=7", "DC=example,DC=com,UID=7"},
        {"/CN= x ", "CN= x "},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        X509_NAME *name = NULL;
        struct devid_error err = {0};
        char text[256];

        assert_int_equal(devid_subject_parse(rows[i].text, &name, &err),
                         DEVID_OK);
        print_name(name, text, sizeof(text));
        assert_string_equal(text, rows[i].printed);
        X509_NAME_free(name);
    }
}

static void bad_subjects_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *text;
        const char *sentence;
    } rows[] = {
        {"", "the subject '' does not begin with a '/'"},
        {"CN=x", "the subject 'CN=x' does not begin with a '/': write it such "
                 "as /O=Acme/CN=unit-0001"},
        {"O=Acme/CN=x", "does not begin with a '/'"},
        {"//CN=x", "lacks an attribute at character 2"},
        {"/O=Acme/", "lacks an attribute at character 9"},
        {"/O=Acme//CN=x", "lacks an attribute at character 9"},
        {"/=x", "lacks an attribute at character 2"},
        {"/CN=x+", "lacks an attribute at character 7"},
        {"/CN", "lacks a '=' after 'CN' at character 4"},
        {"/O=a/b/CN=x", "lacks a '=' after 'b' at character 7: write it such "
                        "as /O=Acme/CN=unit-0001, and a '/' or '+' inside a "
                        "value as '\\/' or '\\+'"},
        {"/O=\xc3\xbc/b", "lacks a '=' after 'b' at character 7"},
        {"/CN=x+y", "lacks a '=' after 'y' at character 8"},
        {"/CN=", "an empty value at character 5"},
        {"/O=/CN=x", "an empty value at character 4"},
        {"/CN=x\\", "ends in a backslash at character 6"},
        {"/cn=x", "an unknown attribute 'cn' at character 2: CN, O, OU"},
        {"/O=Acme/Common=x", "an unknown attribute 'Common' at character 9"},
        {"/9.9=x", "an unknown attribute '9.9' at character 2"},
        {"/CN=\xff", "is no UTF-8 at character 5"},
        {"/O=\xc3\xbc/CN=\xc3", "is no UTF-8 at character 9"},
        {"/CN=\xed\xa0\x80", "is no UTF-8 at character 5"},
        {"/CN=a\nb", "a control character (0x0a) at character 6"},
        {"/CN=a\x7f", "a control character (0x7f) at character 6"},
        {"/C=Germany", "the subject's C at character 4 has 7 characters, and "
                       "takes 2 to 2"},
        {"/C=D\xc3\x96", "the subject's C at character 4 has a character that "
                         "it does not take: only A to Z"},
        {"/CN=x/serialNumber=a_b",
         "the subject's serialNumber at character 20 has a character that it "
         "does not take"},
        {"/emailAddress=\xc3\xbc@b", "only ASCII is allowed"},
        {"/CN=0123456789012345678901234567890123456789012345678901234567890"
         "12345",
         "the subject's CN at character 5 has 66 characters, and takes 1 to "
         "64"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        X509_NAME *name = NULL;
        struct devid_error err = {0};

        assert_int_equal(devid_subject_parse(rows[i].text, &name, &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, rows[i].sentence);
        assert_null(name);
    }
}

static void characters_are_counted_and_not_bytes(void **state)
{
    static const char character[] = "\xe6\xb3\xb5";
    char text[4 + 3 * 64 + 1] = "/CN=";
    X509_NAME *name = NULL;
    struct devid_error err = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(text) - 5; i++) /* 64 characters fit a CN */
        text[4 + i] = character[i % 3];
    assert_int_equal(devid_subject_parse(text, &name, &err), DEVID_OK);
    X509_NAME_free(name);
}

static void too_long_a_subject_is_refused(void **state)
{
    static char text[5000];
    X509_NAME *name = NULL;
    struct devid_error err = {0};

    (void)state;
    (void)snprintf(text, sizeof(text), "/CN=%04990d", 0);
    assert_int_equal(devid_subject_parse(text, &name, &err), DEVID_ERR_INPUT);
    expect_text(&err, "the subject has 4994 bytes; 4096 are the most");
}

static void each_type_of_value_is_the_one_that_x509_wants(void **state)
{
    X509_NAME *name = NULL;
    struct devid_error err = {0};
    static const int types[] = {V_ASN1_PRINTABLESTRING, V_ASN1_UTF8STRING,
                                V_ASN1_PRINTABLESTRING, V_ASN1_IA5STRING};
    int i;

    (void)state;
    assert_int_equal(
        devid_subject_parse("/C=DE/CN=x/serialNumber=7/emailAddress=a@b", &name,
                            &err),
        DEVID_OK);
    for (i = 0; i < (int)COUNT(types); i++)
        assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(
                             X509_NAME_get_entry(name, i))),
                         types[i]);
    X509_NAME_free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_subjects_are_read),
        cmocka_unit_test(bad_subjects_are_refused_with_their_place),
        cmocka_unit_test(characters_are_counted_and_not_bytes),
        cmocka_unit_test(too_long_a_subject_is_refused),
        cmocka_unit_test(each_type_of_value_is_the_one_that_x509_wants),
    };

    return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}
