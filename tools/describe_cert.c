/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "message.h"

enum {
    TEXT_SIZE = 1024
};

static void put_name(json_t *report, const char *member, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    /* As in RFC 2253, but in the order of the certificate, and in UTF-8. */
    if (!bio || X509_NAME_print_ex(bio, name, 0,
                                   (XN_FLAG_RFC2253 & ~XN_FLAG_DN_REV &
                                    ~(unsigned long)ASN1_STRFLGS_ESC_MSB)) < 0)
        die_no_memory();
    BIO_write(bio, "", 1);
    BIO_get_mem_data(bio, &text);
    report_text(report, member, *text ? text : "(empty)");
    BIO_free(bio);
}

static void put_serial(json_t *report, const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;

    report_text(report, "serial", hex);
    OPENSSL_free(hex);
    BN_free(number);
}

static void put_time(json_t *report, const char *member, const ASN1_TIME *when)
{
    struct tm utc;
    char text[sizeof("9999-12-31T23:59:59Z")];

    if (ASN1_TIME_to_tm(when, &utc) &&
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
        report_text(report, member, text);
}

static const char *validity(const X509 *cert)
{
    const time_t now = time(NULL);

    if (ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert), now) > 0)
        return "not yet valid";
    if (ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), now) == -1)
        return "expired";
    return "valid";
}

static void put_algorithm_name(json_t *report, const char *member,
                               const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid = NULL;
    char name[TEXT_SIZE];

    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    if (OBJ_obj2txt(name, sizeof(name), oid, 0) > 0)
        report_text(report, member, name);
}

/* Text before a string of ASN.1; a NUL within it is spelt, not an end. */
static void prefixed(char *text, const char *prefix, const ASN1_STRING *value)
{
    const unsigned char *data = ASN1_STRING_get0_data(value);
    int len = ASN1_STRING_length(value);
    size_t at = (size_t)snprintf(text, TEXT_SIZE, "%s", prefix);

    for (int i = 0; i < len && at + sizeof("\\x00") < TEXT_SIZE; i++) {
        if (data[i] == '\0')
            at += (size_t)sprintf(text + at, "\\x00");
        else
            text[at++] = (char)data[i];
    }
    text[at] = '\0';
}

static void ip_text(char *text, const ASN1_STRING *value)
{
    char address[INET6_ADDRSTRLEN] = "(malformed)";
    const unsigned char *data = ASN1_STRING_get0_data(value);
    int len = ASN1_STRING_length(value);

    if (len == 4)
        inet_ntop(AF_INET, data, address, sizeof(address));
    else if (len == 16)
        inet_ntop(AF_INET6, data, address, sizeof(address));
    snprintf(text, TEXT_SIZE, "IP:%s", address);
}

static void other_name_text(char *text, const OTHERNAME *other)
{
    char oid[80];
    char prefix[sizeof("otherName:;UTF8:") + sizeof(oid)];

    OBJ_obj2txt(oid, sizeof(oid), other->type_id, 1);
    if (other->value->type == V_ASN1_UTF8STRING) {
        snprintf(prefix, sizeof(prefix), "otherName:%s;UTF8:", oid);
        prefixed(text, prefix, other->value->value.utf8string);
    } else {
        snprintf(text, TEXT_SIZE, "otherName:%s", oid);
    }
}

/* As `devid csr --san` takes them. */
static void general_name_text(char *text, const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        prefixed(text, "DNS:", name->d.dNSName);
        break;
    case GEN_EMAIL:
        prefixed(text, "email:", name->d.rfc822Name);
        break;
    case GEN_URI:
        prefixed(text, "URI:", name->d.uniformResourceIdentifier);
        break;
    case GEN_IPADD:
        ip_text(text, name->d.iPAddress);
        break;
    case GEN_OTHERNAME:
        other_name_text(text, name->d.otherName);
        break;
    case GEN_DIRNAME:
        memcpy(text, "dirName:", sizeof("dirName:"));
        X509_NAME_oneline(name->d.directoryName, text + strlen(text),
                          TEXT_SIZE - (int)sizeof("dirName:"));
        break;
    default:
        snprintf(text, TEXT_SIZE, "(another kind of name)");
        break;
    }
}

static void put_sans(json_t *report,
                     const STACK_OF(X509_EXTENSION) * extensions)
{
    GENERAL_NAMES *names =
        X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    json_t *array = report_array();
    char text[TEXT_SIZE];

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        general_name_text(text, sk_GENERAL_NAME_value(names, i));
        report_append_text(array, text);
    }
    report_value(report, "subject_alt_names", array);
    GENERAL_NAMES_free(names);
}

static void put_key_usage(json_t *report,
                          const STACK_OF(X509_EXTENSION) * extensions)
{
    /* RFC 5280, 4.2.1.3: in the order of their bits. */
    static const char *const names[] = {
        "digitalSignature", "nonRepudiation", "keyEncipherment",
        "dataEncipherment", "keyAgreement",   "keyCertSign",
        "cRLSign",          "encipherOnly",   "decipherOnly"};
    ASN1_BIT_STRING *bits =
        X509V3_get_d2i(extensions, NID_key_usage, NULL, NULL);
    json_t *array = report_array();

    for (int i = 0; bits && i < (int)(sizeof(names) / sizeof(*names)); i++) {
        if (ASN1_BIT_STRING_get_bit(bits, i))
            report_append_text(array, names[i]);
    }
    report_value(report, "key_usage", array);
    ASN1_BIT_STRING_free(bits);
}

static void put_ext_key_usage(json_t *report,
                              const STACK_OF(X509_EXTENSION) * extensions)
{
    EXTENDED_KEY_USAGE *usages =
        X509V3_get_d2i(extensions, NID_ext_key_usage, NULL, NULL);
    json_t *array = report_array();
    char oid[80];

    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        const ASN1_OBJECT *usage = sk_ASN1_OBJECT_value(usages, i);
        int nid = OBJ_obj2nid(usage);
        OBJ_obj2txt(oid, sizeof(oid), usage, 1);
        report_append_text(array, nid == NID_undef ? oid : OBJ_nid2sn(nid));
    }
    report_value(report, "ext_key_usage", array);
    EXTENDED_KEY_USAGE_free(usages);
}

static void put_extensions(json_t *report,
                           const STACK_OF(X509_EXTENSION) * extensions)
{
    put_sans(report, extensions);
    put_key_usage(report, extensions);
    put_ext_key_usage(report, extensions);
}

static void put_public_key(json_t *report, const X509_PUBKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(key, &der);

    if (len > 0)
        describe_spki(report, der, (size_t)len);
    OPENSSL_free(der);
}

static void put_fingerprint(json_t *report, const X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);

    if (len > 0)
        describe_sha256(report, "sha256", der, (size_t)len);
    OPENSSL_free(der);
}

void describe_cert(json_t *report, X509 *cert)
{
    put_name(report, "subject", X509_get_subject_name(cert));
    put_name(report, "issuer", X509_get_issuer_name(cert));
    put_serial(report, X509_get0_serialNumber(cert));
    put_time(report, "not_before", X509_get0_notBefore(cert));
    put_time(report, "not_after", X509_get0_notAfter(cert));
    report_text(report, "validity", validity(cert));
    put_extensions(report, X509_get0_extensions(cert));
    report_flag(report, "is_ca", X509_check_ca(cert) != 0);
    put_public_key(report, X509_get_X509_PUBKEY(cert));
    put_algorithm_name(report, "signature_algorithm",
                       X509_get0_tbs_sigalg(cert));
    put_fingerprint(report, cert);
}

bool describe_cert_der(json_t *report, const uint8_t *der, size_t len)
{
    X509 *cert = d2i_X509(NULL, &der, (long)len);

    if (cert)
        describe_cert(report, cert);
    X509_free(cert);
    return cert != NULL;
}

void describe_csr(json_t *report, X509_REQ *csr)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);
    const X509_ALGOR *algorithm = NULL;
    EVP_PKEY *key = X509_REQ_get0_pubkey(csr);
    bool verifies = key && X509_REQ_verify(csr, key) == 1;

    put_name(report, "subject", X509_REQ_get_subject_name(csr));
    put_extensions(report, extensions);
    put_public_key(report, X509_REQ_get_X509_PUBKEY(csr));
    X509_REQ_get0_signature(csr, NULL, &algorithm);
    put_algorithm_name(report, "signature_algorithm", algorithm);
    report_text(report, "signature", verifies ? "verifies" : "DOES NOT VERIFY");
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
