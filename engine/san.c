/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subject alternative names, built as GENERAL_NAMEs: OpenSSL's own parser of
 * extensions takes a comma in a value for the next name, and "@" for a section
 * of a configuration file.
 */
#include "backend.h"
#include "extensions.h"
#include "libcrypto.h"

#include <openssl/objects.h>

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define DNS_MAX 253 /* RFC 1035, 2.3.4, without the root's dot */
#define LABEL_MAX 63
#define NAME_MAX_LEN 2048

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
    return is_alpha(c) || (c >= '0' && c <= '9');
}

/* ASCII, printable, no space. */
static bool is_visible(const char *text)
{
    const char *p;

    for (p = text; *p != '\0'; p++) {
        if (*p <= ' ' || *p >= 0x7f)
            return false;
    }
    return p != text && p - text <= NAME_MAX_LEN;
}

static enum devid_err refuse(const char *type, const char *value,
                             const char *wanted, struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the subject alternative name %s:%.100s is not valid: "
                      "%s",
                      type, value, wanted);
}

static enum devid_err set_string(GENERAL_NAME *name, int type, int asn1_type,
                                 const void *data, size_t len,
                                 struct devid_error *err)
{
    ASN1_STRING *s = ASN1_STRING_type_new(asn1_type);

    if (s == NULL || ASN1_STRING_set(s, data, (int)len) != 1) {
        ASN1_STRING_free(s);
        return devid_no_memory(err);
    }
    GENERAL_NAME_set0_value(name, type, s);
    return DEVID_OK;
}

static enum devid_err set_ia5(GENERAL_NAME *name, int type, const char *text,
                              struct devid_error *err)
{
    return set_string(name, type, V_ASN1_IA5STRING, text, strlen(text), err);
}

/* Letters, digits, hyphens; an underscore, which people do use. */
static bool is_label(const char *label, size_t len)
{
    size_t i;

    if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (i = 0; i < len; i++) {
        if (!is_alnum(label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    }
    return true;
}

static enum devid_err put_dns(GENERAL_NAME *name, const char *text,
                              struct devid_error *err)
{
    const char *p = strncmp(text, "*.", 2) == 0 ? text + 2 : text;
    bool ok = strlen(text) <= DNS_MAX;

    while (ok) {
        size_t len = strcspn(p, ".");

        ok = is_label(p, len);
        if (p[len] == '\0')
            break;
        p += len + 1;
    }
    if (!ok)
        return refuse("DNS", text,
                      "labels of letters, digits and hyphens with dots between "
                      "them are wanted, '*' as the whole first one, other "
                      "scripts in their xn-- form",
                      err);
    return set_ia5(name, GEN_DNS, text, err);
}

static enum devid_err put_ip(GENERAL_NAME *name, const char *text,
                             struct devid_error *err)
{
    uint8_t address[16];

    if (inet_pton(AF_INET, text, address) == 1)
        return set_string(name, GEN_IPADD, V_ASN1_OCTET_STRING, address, 4,
                          err);
    if (inet_pton(AF_INET6, text, address) == 1)
        return set_string(name, GEN_IPADD, V_ASN1_OCTET_STRING, address, 16,
                          err);
    return refuse("IP", text,
                  "an address is wanted, such as 192.0.2.1 or 2001:db8::1",
                  err);
}

static enum devid_err put_uri(GENERAL_NAME *name, const char *text,
                              struct devid_error *err)
{
    const char *p = text;

    /* RFC 3986, 3.1: scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) */
    while (is_alnum(*p) || *p == '+' || *p == '-' || *p == '.')
        p++;
    if (!is_visible(text) || !is_alpha(text[0]) || *p != ':' || p[1] == '\0')
        return refuse("URI", text,
                      "an absolute URI in ASCII is wanted, such as "
                      "https://example.com/x or urn:uuid:...",
                      err);
    return set_ia5(name, GEN_URI, text, err);
}

static enum devid_err put_email(GENERAL_NAME *name, const char *text,
                                struct devid_error *err)
{
    const char *at = strrchr(text, '@');

    if (!is_visible(text) || at == NULL || at == text || at[1] == '\0' ||
        strpbrk(text, "<>,;") != NULL)
        return refuse("email", text,
                      "an address in ASCII is wanted, such as "
                      "device@example.com",
                      err);
    return set_ia5(name, GEN_EMAIL, text, err);
}

static bool is_utf8(const char *text)
{
    int left = (int)strlen(text);

    while (left > 0) {
        unsigned long c = 0;
        int n = UTF8_getc((const unsigned char *)text, left, &c);

        if (n <= 0 || c < 0x20)
            return false;
        text += n;
        left -= n;
    }
    return true;
}

static int set_othername(GENERAL_NAME *name, const char *oid, const char *text)
{
    ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
    ASN1_TYPE *value = ASN1_TYPE_new();
    ASN1_UTF8STRING *s = ASN1_UTF8STRING_new();

    if (type != NULL && value != NULL && s != NULL &&
        ASN1_STRING_set(s, text, -1) == 1) {
        ASN1_TYPE_set(value, V_ASN1_UTF8STRING, s);
        s = NULL;
        if (GENERAL_NAME_set0_othername(name, type, value) == 1)
            return 1;
    }
    ASN1_OBJECT_free(type);
    ASN1_TYPE_free(value);
    ASN1_UTF8STRING_free(s);
    return 0;
}

static enum devid_err put_othername(GENERAL_NAME *name, const char *text,
                                    struct devid_error *err)
{
    static const char utf8[] = ";UTF8:";
    const char *type = strstr(text, utf8);
    const char *value = type == NULL ? "" : type + sizeof(utf8) - 1;
    char oid[128] = "";

    if (type != NULL && (size_t)(type - text) < sizeof(oid))
        memcpy(oid, text, (size_t)(type - text));
    if (oid[0] == '\0' || value[0] == '\0' || strlen(value) > NAME_MAX_LEN ||
        !is_utf8(value) || !set_othername(name, oid, value))
        return refuse("otherName", text,
                      "a dotted OID and a text in UTF-8 are wanted, such as "
                      "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:unit@example.com",
                      err);
    return DEVID_OK;
}

static const struct {
    const char *prefix;
    enum devid_err (*put)(GENERAL_NAME *name, const char *text,
                          struct devid_error *err);
} kinds[] = {
    {"DNS:", put_dns},
    {"IP:", put_ip},
    {"URI:", put_uri},
    {"email:", put_email},
    {"otherName:", put_othername},
};

enum devid_err devid_san_parse(const char *text, GENERAL_NAME **name,
                               struct devid_error *err)
{
    enum devid_err e;
    size_t i;

    *name = NULL;
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].prefix);

        if (strncasecmp(text, kinds[i].prefix, len) != 0)
            continue;
        *name = GENERAL_NAME_new();
        if (*name == NULL)
            return devid_no_memory(err);
        devid_quiet_begin();
        e = kinds[i].put(*name, text + len, err);
        devid_quiet_end();
        if (e != DEVID_OK) {
            GENERAL_NAME_free(*name);
            *name = NULL;
        }
        return e;
    }
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the subject alternative name '%.100s' is of no known "
                      "kind: it begins with DNS:, IP:, URI:, email: or "
                      "otherName:",
                      text);
}
