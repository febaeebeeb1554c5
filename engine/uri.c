/* SPDX-License-Identifier: Apache-2.0 */
#include "uri.h"
#include "backend.h"

#include <string.h>

/* TPM 2.0 Part 2, 7.2 TPM_HT: the uppermost byte of a handle. */
#define HT_NV_INDEX 0x01U
#define HT_PERSISTENT 0x81U
#define HANDLE_TYPE(handle) ((handle) >> 24)

/* More than 0x and eight digits is refused: "0x0000000081000001". */
#define HANDLE_DIGITS 8

#define SCHEME_TPM2 "tpm2:"
#define SCHEME_HANDLE "handle:"
#define SCHEME_PKCS11 "pkcs11:"

/* In lower case alone, as OSSL_STORE hands a scheme on. */
static bool has_scheme(const char *text, const char *scheme)
{
    return strncmp(text, scheme, strlen(scheme)) == 0;
}

bool devid_is_uri(const char *text)
{
    return has_scheme(text, SCHEME_TPM2) || has_scheme(text, SCHEME_HANDLE) ||
           has_scheme(text, SCHEME_PKCS11);
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* As devid_handle_parse, of the first `len` bytes. */
static enum devid_err parse_handle(const char *text, size_t len,
                                   const char *what, uint32_t *handle,
                                   struct devid_error *err)
{
    int shown = len > 60 ? 60 : (int)len;
    uint32_t n = 0;
    size_t i;

    if (len < 3 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%s '%.*s' is no handle: write it in hexadecimal "
                          "with 0x before it, such as 0x81000001",
                          what, shown, text);
    }
    if (len > 2 + HANDLE_DIGITS) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%s '%.*s' is too long for a handle: 0x takes 1 to "
                          "%d hexadecimal digits",
                          what, shown, text, HANDLE_DIGITS);
    }
    for (i = 2; i < len; i++) {
        int digit = digit_value(text[i]);

        if (digit < 0) {
            return devid_fail(err, DEVID_ERR_INPUT, 0,
                              "%s '%.*s' has no hexadecimal digit at "
                              "character %zu: write it such as 0x81000001",
                              what, shown, text, i + 1);
        }
        n = n << 4 | (uint32_t)digit;
    }
    *handle = n;
    return DEVID_OK;
}

enum devid_err devid_handle_parse(const char *text, const char *what,
                                  uint32_t *handle, struct devid_error *err)
{
    *handle = 0;
    return parse_handle(text, strlen(text), what, handle, err);
}

/* What stands in a URI, with a handle of the range that it takes. */
struct attribute {
    const char *name; /* with its '=' */
    enum devid_tpm2_uri_kind kind;
    uint32_t type; /* the handle's */
    const char *range;
};

static const struct attribute attributes[] = {
    {"handle=", DEVID_TPM2_KEY, HT_PERSISTENT,
     "a persistent handle (0x81000000 to 0x81ffffff)"},
    {"nv=", DEVID_TPM2_NV, HT_NV_INDEX,
     "an NV index (0x01000000 to 0x01ffffff)"},
};

#define N_ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

static const struct attribute *find_attribute(const char *segment, size_t len)
{
    size_t i;

    for (i = 0; i < N_ATTRIBUTES; i++) {
        size_t n = strlen(attributes[i].name);

        if (len >= n && memcmp(segment, attributes[i].name, n) == 0)
            return &attributes[i];
    }
    return NULL;
}

/* Stands behind a handle: the key there has an auth value. */
static bool is_auth_required(const char *segment, size_t len)
{
    static const char text[] = "auth=required";

    return len == sizeof(text) - 1 && memcmp(segment, text, len) == 0;
}

/* One "name=value" between two semicolons. */
static enum devid_err parse_segment(const char *segment, size_t len, size_t at,
                                    struct devid_tpm2_uri *uri,
                                    struct devid_error *err)
{
    const struct attribute *a = find_attribute(segment, len);
    int shown = len > 60 ? 60 : (int)len;
    size_t n;
    enum devid_err e;

    if (len == 0) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI has an empty segment at character %zu: "
                          "take out the semicolon",
                          at);
    }
    if (is_auth_required(segment, len) && uri->kind == DEVID_TPM2_KEY &&
        !uri->auth_required) {
        uri->auth_required = true;
        return DEVID_OK;
    }
    if (a == NULL) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI has an unknown attribute '%.*s' at "
                          "character %zu: tpm2: takes handle=0x81... or "
                          "nv=0x01...",
                          shown, segment, at);
    }
    if (uri->kind != DEVID_TPM2_DEVICE) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI names a second object, '%.*s', at "
                          "character %zu: leave one handle or one nv",
                          shown, segment, at);
    }
    n = strlen(a->name);
    e = parse_handle(segment + n, len - n, "the URI's handle", &uri->handle,
                     err);
    if (e != DEVID_OK)
        return e;
    if (HANDLE_TYPE(uri->handle) != a->type) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI has '%.*s', where %s is wanted", shown,
                          segment, a->range);
    }
    uri->kind = a->kind;
    return DEVID_OK;
}

static enum devid_err parse_tpm2(const char *text, struct devid_tpm2_uri *uri,
                                 struct devid_error *err)
{
    const char *p = text + sizeof(SCHEME_TPM2) - 1;

    if (*p == '\0')
        return DEVID_OK;
    for (;;) {
        size_t len = strcspn(p, ";");
        enum devid_err e =
            parse_segment(p, len, (size_t)(p - text) + 1, uri, err);

        if (e != DEVID_OK || p[len] == '\0')
            return e;
        p += len + 1;
    }
}

/* tpm2-openssl's: the range says whether it is a key or an NV index. */
static enum devid_err parse_bare_handle(const char *text,
                                        struct devid_tpm2_uri *uri,
                                        struct devid_error *err)
{
    const char *p = text + sizeof(SCHEME_HANDLE) - 1;
    enum devid_err e =
        parse_handle(p, strlen(p), "the URI's handle", &uri->handle, err);
    size_t i;

    if (e != DEVID_OK)
        return e;
    for (i = 0; i < N_ATTRIBUTES; i++) {
        if (HANDLE_TYPE(uri->handle) == attributes[i].type) {
            uri->kind = attributes[i].kind;
            return DEVID_OK;
        }
    }
    return devid_fail(
        err, DEVID_ERR_INPUT, 0, "the URI's handle 0x%08x is neither %s nor %s",
        (unsigned)uri->handle, attributes[0].range, attributes[1].range);
}

enum devid_err devid_tpm2_uri_parse(const char *text,
                                    struct devid_tpm2_uri *uri,
                                    struct devid_error *err)
{
    enum devid_err e;

    memset(uri, 0, sizeof(*uri));
    uri->kind = DEVID_TPM2_DEVICE;
    if (has_scheme(text, SCHEME_TPM2)) {
        e = parse_tpm2(text, uri, err);
    } else if (has_scheme(text, SCHEME_HANDLE)) {
        e = parse_bare_handle(text, uri, err);
    } else {
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "'%.100s' is no URI of a TPM: write "
                       "tpm2:handle=0x81..., tpm2:nv=0x01... or tpm2:",
                       text);
    }
    if (e != DEVID_OK)
        memset(uri, 0, sizeof(*uri));
    return e;
}

/* type=cert among the attributes of the path (RFC 7512, 2.3). */
static bool pkcs11_is_cert(const char *uri)
{
    static const char wanted[] = "type=cert";
    const char *p = uri + sizeof(SCHEME_PKCS11) - 1;

    while (*p != '\0' && *p != '?') {
        size_t len = strcspn(p, ";?");

        if (len == sizeof(wanted) - 1 && memcmp(p, wanted, len) == 0)
            return true;
        p += len;
        if (*p == ';')
            p++;
    }
    return false;
}

bool devid_uri_is_cert(const char *uri)
{
    struct devid_tpm2_uri parsed;

    if (has_scheme(uri, SCHEME_PKCS11))
        return pkcs11_is_cert(uri);
    return devid_tpm2_uri_parse(uri, &parsed, NULL) == DEVID_OK &&
           parsed.kind == DEVID_TPM2_NV;
}
