/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#11 URIs. p11-kit parses and matches them; what it lets pass in silence,
 * so that another key than the one meant would match, is refused here first.
 */
#include "pkcs11.h" /* P11_ID_MAX, P11_LABEL_MAX */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define SCHEME "pkcs11:"

static const struct attribute {
    const char *name;
    unsigned seen; /* of enum p11_seen, or 0 */
    bool in_query;
} attributes[] = {
    {"token", P11_SEEN_TOKEN, false},
    {"manufacturer", 0, false},
    {"serial", P11_SEEN_SERIAL, false},
    {"model", 0, false},
    {"library-manufacturer", P11_SEEN_LIBRARY, false},
    {"library-description", P11_SEEN_LIBRARY, false},
    {"library-version", P11_SEEN_LIBRARY, false},
    {"object", P11_SEEN_OBJECT, false},
    {"type", P11_SEEN_TYPE, false},
    {"id", P11_SEEN_ID, false},
    {"slot-manufacturer", P11_SEEN_SLOT_INFO, false},
    {"slot-description", P11_SEEN_SLOT_INFO, false},
    {"slot-id", P11_SEEN_SLOT_ID, false},
    {"pin-source", 0, true},
    {"pin-value", 0, true},
    {"module-name", 0, true},
    {"module-path", 0, true},
};

#define N_ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

static size_t find_attribute(const char *name, size_t len)
{
    size_t i = 0;

    while (i < N_ATTRIBUTES && (strlen(attributes[i].name) != len ||
                                memcmp(attributes[i].name, name, len) != 0))
        i++;
    return i;
}

/* p11-kit takes what overflows for another number. */
static bool is_slot_id(const char *value, size_t len)
{
    char text[24] = "";
    char *end = NULL;

    if (len == 0 || len >= sizeof(text) || strspn(value, "0123456789") < len)
        return false;
    memcpy(text, value, len);
    errno = 0;
    (void)strtoul(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* A part of a URI while it is looked at. */
struct scan {
    const char *text; /* of the whole URI */
    bool in_query;
    uint32_t had; /* a bit for each row of the table */
    unsigned seen;
};

/* One "name=value". The value of a query may be a PIN: it is never shown. */
static enum devid_err check_segment(struct scan *scan, const char *segment,
                                    size_t len, struct devid_error *err)
{
    size_t at = (size_t)(segment - scan->text) + 1;
    size_t name_len = strcspn(segment, "=");
    int shown;
    size_t i;

    if (len == 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI has an empty segment at character %zu: "
                          "take out the separator",
                          at);
    if (name_len > len)
        name_len = len;
    shown = name_len > 40 ? 40 : (int)name_len;
    i = find_attribute(segment, name_len);
    if (i == N_ATTRIBUTES)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI has an unknown attribute '%.*s' at "
                          "character %zu: RFC 7512 has token, serial, id, "
                          "object, type, pin-source, module-path and others",
                          scan->in_query ? 0 : shown, segment, at);
    if (attributes[i].in_query != scan->in_query)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI's %s stands on the wrong side of the "
                          "question mark: it belongs %s it",
                          attributes[i].name,
                          scan->in_query ? "before" : "after");
    if ((scan->had & 1u << i) != 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI has %s twice, again at character %zu",
                          attributes[i].name, at);
    if (name_len + 1 >= len)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI's %s at character %zu has no value",
                          attributes[i].name, at);
    if (attributes[i].seen == P11_SEEN_SLOT_ID &&
        !is_slot_id(segment + name_len + 1, len - name_len - 1))
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI's slot-id at character %zu is no decimal "
                          "number that a slot could have",
                          at);
    scan->had |= 1u << i;
    scan->seen |= attributes[i].seen;
    return DEVID_OK;
}

static enum devid_err check_part(struct scan *scan, const char *part,
                                 size_t len, char separator,
                                 struct devid_error *err)
{
    const char *end = part + len;
    enum devid_err e = DEVID_OK;

    while (e == DEVID_OK) {
        const char *next = memchr(part, separator, (size_t)(end - part));
        size_t n = (size_t)((next != NULL ? next : end) - part);

        e = check_segment(scan, part, n, err);
        if (next == NULL)
            break;
        part = next + 1;
    }
    return e;
}

static enum devid_err check(const char *text, unsigned *seen,
                            struct devid_error *err)
{
    const char *path = text + strlen(SCHEME);
    size_t len = strcspn(path, "?");
    size_t blank = strcspn(text, " \t\r\n\v\f");
    struct scan scan = {.text = text};
    enum devid_err e = DEVID_OK;

    if (text[blank] != '\0') /* p11-kit would take it out */
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the URI has a blank at character %zu: write it as "
                          "%%20",
                          blank + 1);
    if (len > 0)
        e = check_part(&scan, path, len, ';', err);
    if (e == DEVID_OK && path[len] == '?') {
        scan.in_query = true;
        e = check_part(&scan, path + len + 1, strlen(path + len + 1), '&', err);
    }
    *seen = scan.seen;
    return e;
}

enum devid_err p11_uri_parse(const char *text, struct p11_uri *uri,
                             struct devid_error *err)
{
    enum devid_err e;
    int result;

    memset(uri, 0, sizeof(*uri));
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "this is no URI of a token: it must start with "
                          "pkcs11: in small letters");
    e = check(text, &uri->seen, err);
    if (e != DEVID_OK)
        return e;
    uri->kit = p11_kit_uri_new();
    if (uri->kit == NULL)
        return devid_no_memory(err);
    result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri->kit);
    if (result != P11_KIT_URI_OK)
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the URI of the token is malformed (%s): RFC 7512 has "
                       "the form pkcs11:token=NAME;id=%%01;type=private",
                       p11_kit_uri_message(result));
    else if (p11_kit_uri_any_unrecognized(uri->kit))
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the URI of the token has a value that RFC 7512 does "
                       "not know: type is private, public, cert, secret-key "
                       "or data");
    if (e != DEVID_OK)
        p11_uri_clear(uri);
    return e;
}

void p11_uri_clear(struct p11_uri *uri)
{
    p11_kit_uri_free(uri->kit);
    memset(uri, 0, sizeof(*uri));
}

void p11_uri_show(const char *text, char *out, size_t size)
{
    static const char name[] = "pin-value=";
    const char *pin = strstr(text, name);
    const char *rest = pin == NULL ? NULL : pin + strcspn(pin, "&");
    int n;

    if (pin == NULL)
        n = snprintf(out, size, "%s", text);
    else
        n = snprintf(out, size, "%.*s%s%s", (int)(pin - text), text, name,
                     *rest == '&' ? rest : "");
    if (n < 0 || (size_t)n >= size)
        out[size - 1] = '\0';
}

/* The attributes of an object, for p11-kit to write. */
static bool put_object(P11KitUri *kit, const struct p11_reference *ref)
{
    CK_OBJECT_CLASS class = ref->class;
    CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof(class)};
    uint8_t id[P11_ID_MAX];
    char label[P11_LABEL_MAX];

    if (p11_kit_uri_set_attribute(kit, &attribute) != P11_KIT_URI_OK)
        return false;
    if (ref->id_len > 0 && ref->id_len <= sizeof(id)) {
        memcpy(id, ref->id, ref->id_len);
        attribute.type = CKA_ID;
        attribute.pValue = id;
        attribute.ulValueLen = ref->id_len;
        return p11_kit_uri_set_attribute(kit, &attribute) == P11_KIT_URI_OK;
    }
    if (ref->label == NULL || *ref->label == '\0')
        return true;
    (void)snprintf(label, sizeof(label), "%s", ref->label);
    attribute.type = CKA_LABEL;
    attribute.pValue = label;
    attribute.ulValueLen = strlen(label);
    return p11_kit_uri_set_attribute(kit, &attribute) == P11_KIT_URI_OK;
}

/* A field that is all blanks would give an attribute without a value. */
static void put_padded(CK_UTF8CHAR *to, const CK_UTF8CHAR *from, size_t size)
{
    if (p11_kit_space_strlen(from, size) > 0)
        memcpy(to, from, size);
}

enum devid_err p11_uri_format(const struct p11_reference *ref, char **text,
                              struct devid_error *err)
{
    P11KitUri *kit = p11_kit_uri_new();
    CK_TOKEN_INFO *token;
    char *made = NULL;

    *text = NULL;
    if (kit == NULL)
        return devid_no_memory(err);
    token = p11_kit_uri_get_token_info(kit);
    put_padded(token->label, ref->token->label, sizeof(token->label));
    put_padded(token->serialNumber, ref->token->serialNumber,
               sizeof(token->serialNumber));
    p11_kit_uri_set_module_path(kit, ref->module_path);
    p11_kit_uri_set_module_name(kit, ref->module_name);
    p11_kit_uri_set_pin_source(kit, ref->pin_source);
    if (put_object(kit, ref) &&
        p11_kit_uri_format(kit, P11_KIT_URI_FOR_ANY, &made) == P11_KIT_URI_OK)
        *text = OPENSSL_strdup(made);
    free(made); /* p11-kit's, of malloc */
    p11_kit_uri_free(kit);
    return *text != NULL ? DEVID_OK : devid_no_memory(err);
}
