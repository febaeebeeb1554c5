/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"
#include "backend.h"
#include "libcrypto.h"

#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <string.h>

#define SUBJECT_MAX 4096 /* bytes */
#define EXAMPLE "/O=Acme/CN=unit-0001"

struct reader {
    const char *text;
    const char *p;
    X509_NAME *name;
    struct devid_error *err;
};

/* The character of a byte, from 1, as a person counts. */
static size_t column(const struct reader *r, const char *at)
{
    size_t n = 1;
    const char *p;

    for (p = r->text; p < at; p++) {
        if (((unsigned char)*p & 0xc0) != 0x80)
            n++;
    }
    return n;
}

static enum devid_err check_text(const struct reader *r)
{
    const char *p = r->text;
    size_t left = strlen(p);

    if (left > SUBJECT_MAX) {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "the subject has %zu bytes; %d are the most", left,
                          SUBJECT_MAX);
    }
    while (left > 0) {
        unsigned long c = 0;
        int n = UTF8_getc((const unsigned char *)p, (int)left, &c);

        if (n <= 0) {
            return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                              "the subject is no UTF-8 at character %zu: save "
                              "or type it in UTF-8",
                              column(r, p));
        }
        if (c < 0x20 || c == 0x7f) {
            return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                              "the subject has a control character (0x%02lx) "
                              "at character %zu: take it out",
                              c, column(r, p));
        }
        p += n;
        left -= (size_t)n;
    }
    return DEVID_OK;
}

/* Up to the '='; the object is the caller's. */
static enum devid_err read_type(struct reader *r, ASN1_OBJECT **type)
{
    const char *start = r->p;
    size_t len = strcspn(start, "=/+");
    char name[64];

    if (len == 0) {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "the subject lacks an attribute at character %zu: "
                          "write it such as " EXAMPLE
                          ", and a '/' or '+' inside a value as '\\/' or '\\+'",
                          column(r, start));
    }
    if (start[len] != '=') {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "the subject lacks a '=' after '%.*s' at character "
                          "%zu: write it such as " EXAMPLE
                          ", and a '/' or '+' inside a value as '\\/' or '\\+'",
                          len > 60 ? 60 : (int)len, start,
                          column(r, start + len));
    }
    r->p = start + len + 1;
    if (len < sizeof(name)) {
        memcpy(name, start, len);
        name[len] = '\0';
        *type = OBJ_txt2obj(name, 0);
    }
    if (*type != NULL)
        return DEVID_OK;
    return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                      "the subject has an unknown attribute '%.*s' at "
                      "character %zu: CN, O, OU, C, ST, L, serialNumber, "
                      "emailAddress, DC, UID or a dotted OID are known, in "
                      "this case",
                      len > 60 ? 60 : (int)len, start, column(r, start));
}

/* Up to an unescaped '/' or '+'; `value` has room for the whole text. */
static enum devid_err read_value(struct reader *r, char *value, size_t *len)
{
    const char *start = r->p;

    *len = 0;
    while (*r->p != '\0' && *r->p != '/' && *r->p != '+') {
        if (*r->p == '\\') {
            r->p++;
            if (*r->p == '\0') {
                return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                                  "the subject ends in a backslash at "
                                  "character %zu: write a backslash itself as "
                                  "'\\\\'",
                                  column(r, r->p - 1));
            }
        }
        value[(*len)++] = *r->p++;
    }
    if (*len > 0)
        return DEVID_OK;
    return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                      "the subject has an empty value at character %zu: give "
                      "it one, or take the attribute out",
                      column(r, start));
}

/* Why libcrypto did not take a value: its length or its characters. */
static enum devid_err refuse_value(const struct reader *r, int nid,
                                   const char *value, size_t len,
                                   const char *at)
{
    const ASN1_STRING_TABLE *limits = ASN1_STRING_TABLE_get(nid);
    const char *type = OBJ_nid2sn(nid);
    struct reader count = {.text = value};
    size_t n = column(&count, value + len) - 1;

    if (limits == NULL)
        return devid_no_memory(r->err);
    if ((limits->minsize > 0 && n < (size_t)limits->minsize) ||
        (limits->maxsize > 0 && n > (size_t)limits->maxsize)) {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "the subject's %s at character %zu has %zu "
                          "characters, and takes %ld to %ld",
                          type, column(r, at), n, limits->minsize,
                          limits->maxsize);
    }
    return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                      "the subject's %s at character %zu has a character that "
                      "it does not take: %s",
                      type, column(r, at),
                      limits->mask == B_ASN1_IA5STRING
                          ? "only ASCII is allowed"
                          : "only A to Z, a to z, 0 to 9, space and "
                            "' ( ) + , - . / : = ? are allowed");
}

/* One "type=value"; `set` is -1 to join the one before. */
static enum devid_err read_attribute(struct reader *r, char *value, int set)
{
    ASN1_OBJECT *type = NULL;
    const char *at;
    size_t len = 0;
    enum devid_err e = read_type(r, &type);

    at = r->p;
    if (e == DEVID_OK)
        e = read_value(r, value, &len);
    if (e == DEVID_OK &&
        X509_NAME_add_entry_by_OBJ(r->name, type, MBSTRING_UTF8,
                                   (const unsigned char *)value, (int)len, -1,
                                   set) != 1)
        e = refuse_value(r, OBJ_obj2nid(type), value, len, at);
    ASN1_OBJECT_free(type);
    return e;
}

static enum devid_err read_subject(struct reader *r)
{
    enum devid_err e = check_text(r);
    char *value;
    int set = 0;

    if (e != DEVID_OK)
        return e;
    if (*r->p != '/') {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "the subject '%.60s' does not begin with a '/': "
                          "write it such as " EXAMPLE,
                          r->text);
    }
    if (r->p[1] == '\0')
        return DEVID_OK;
    value = OPENSSL_malloc(strlen(r->text) + 1);
    if (value == NULL)
        return devid_no_memory(r->err);
    while (e == DEVID_OK && *r->p != '\0') {
        set = *r->p == '+' ? -1 : 0;
        r->p++;
        e = read_attribute(r, value, set);
    }
    OPENSSL_free(value);
    return e;
}

enum devid_err devid_subject_parse(const char *text, X509_NAME **name,
                                   struct devid_error *err)
{
    struct reader r = {.text = text != NULL ? text : "/", .err = err};
    enum devid_err e;

    *name = NULL;
    r.p = r.text;
    r.name = X509_NAME_new();
    if (r.name == NULL)
        return devid_no_memory(err);
    devid_quiet_begin();
    e = read_subject(&r);
    devid_quiet_end();
    if (e != DEVID_OK) {
        X509_NAME_free(r.name);
        return e;
    }
    *name = r.name;
    return DEVID_OK;
}
