/* SPDX-License-Identifier: Apache-2.0 */
#include "body.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A sentence about what a client sent, which may hold anything. */
static enum devid_err malformed(struct devid_error *err, const char *format,
                                ...) __attribute__((format(printf, 2, 3)));

static enum devid_err malformed(struct devid_error *err, const char *format,
                                ...)
{
    va_list values;

    va_start(values, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, values);
    va_end(values);
    return DEVID_ERR_INPUT;
}

static enum devid_err no_memory(struct devid_error *err)
{
    snprintf(err->text, sizeof(err->text), "out of memory");
    return DEVID_ERR_SYSTEM;
}

/* ---- base64 ------------------------------------------------------------ */

/* By whole groups of four: what EVP_DecodeBlock passes over is refused. */
static bool is_base64(const char *text, size_t len)
{
    size_t digits = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/");
    size_t padding = strspn(text + digits, "=");

    return len > 0 && len % 4 == 0 && padding <= 2 && digits + padding == len;
}

bool body_unbase64(const char *text, size_t len, uint8_t **data, size_t *size)
{
    int n = -1;

    *data = NULL;
    if (!is_base64(text, len))
        return false;
    *data = OPENSSL_malloc(len / 4 * 3 + 1);
    if (*data)
        n = EVP_DecodeBlock(*data, (const unsigned char *)text, (int)len);
    if (n < 0) {
        OPENSSL_free(*data);
        *data = NULL;
        return false;
    }
    *size = (size_t)n - (text[len - 1] == '=') - (text[len - 2] == '=');
    return true;
}

static enum devid_err take_bytes(const json_t *value, const char *name,
                                 struct devid_bytes *out,
                                 struct devid_error *err)
{
    const char *text = json_string_value(value);
    uint8_t *data = NULL;

    if (!text ||
        !body_unbase64(text, json_string_length(value), &data, &out->len))
        return malformed(err, "\"%s\" is not base64 on one line", name);
    out->data = data;
    return DEVID_OK;
}

json_t *body_base64(const void *data, size_t len)
{
    size_t size = (len + 2) / 3 * 4 + 1;
    char *text = OPENSSL_malloc(size);
    json_t *value = NULL;

    if (text) {
        int n = EVP_EncodeBlock((unsigned char *)text, data, (int)len);
        value = json_stringn_nocheck(text, (size_t)n);
    }
    OPENSSL_free(text);
    return value;
}

/* ---- members ----------------------------------------------------------- */

static enum devid_err take_text(const json_t *value, const char *name,
                                char **out, struct devid_error *err)
{
    const char *text = json_string_value(value);

    if (!text || *text == '\0')
        return malformed(err, "\"%s\" is not text", name);
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return malformed(err, "\"%s\" holds a control character", name);
    }
    *out = OPENSSL_strdup(text);
    return *out ? DEVID_OK : no_memory(err);
}

static enum devid_err take_list(const json_t *value, const char *name,
                                struct body_list *out, struct devid_error *err)
{
    enum devid_err e = DEVID_OK;
    const json_t *item;
    size_t i;

    if (!json_is_array(value) || json_array_size(value) > BODY_LIST_MAX)
        return malformed(err, "\"%s\" is not a list of at most %d", name,
                         BODY_LIST_MAX);
    json_array_foreach(value, i, item)
    {
        if (e == DEVID_OK)
            e = take_bytes(item, name, &out->items[i], err);
        if (e == DEVID_OK)
            out->count = i + 1;
    }
    return e;
}

static enum devid_err take(const json_t *value,
                           const struct body_member *member, void *out,
                           struct devid_error *err)
{
    void *at = (char *)out + member->offset;

    switch (member->kind) {
    case BODY_TEXT:
        return take_text(value, member->name, at, err);
    case BODY_BYTES:
        return take_bytes(value, member->name, at, err);
    case BODY_LIST:
        return take_list(value, member->name, at, err);
    case BODY_FLAG:
        break;
    }
    if (!json_is_boolean(value))
        return malformed(err, "\"%s\" is neither true nor false", member->name);
    *(bool *)at = json_is_true(value);
    return DEVID_OK;
}

static const struct body_member *find(const struct body_member *table,
                                      const char *name)
{
    for (; table->name; table++) {
        if (strcmp(table->name, name) == 0)
            return table;
    }
    return NULL;
}

static enum devid_err take_all(json_t *object, const struct body_member *table,
                               void *out, struct devid_error *err)
{
    enum devid_err e = DEVID_OK;
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        const struct body_member *member = find(table, name);
        if (e == DEVID_OK && !member)
            e = malformed(err, "there is no member \"%.60s\" in this body",
                          name);
        if (e == DEVID_OK && member)
            e = take(value, member, out, err);
    }
    for (; e == DEVID_OK && table->name; table++) {
        if (table->required && !json_object_get(object, table->name))
            e = malformed(err, "the member \"%s\" is missing", table->name);
    }
    return e;
}

enum devid_err body_parse(const void *data, size_t len,
                          const struct body_member *table, void *out,
                          struct devid_error *err)
{
    json_error_t why;
    json_t *object = json_loadb(data, len, JSON_REJECT_DUPLICATES, &why);
    enum devid_err e;

    if (!object) {
        /* Not what it stands near to: that may be a secret. */
        char *near = strstr(why.text, " near ");
        if (near)
            *near = '\0';
        return malformed(err, "the body is no JSON: line %d, column %d: %s",
                         why.line, why.column, why.text);
    }
    if (json_is_object(object))
        e = take_all(object, table, out, err);
    else
        e = malformed(err, "the body is JSON, but no object");
    json_decref(object);
    return e;
}

static void free_bytes(struct devid_bytes *bytes)
{
    OPENSSL_free((void *)(uintptr_t)bytes->data);
    *bytes = (struct devid_bytes){0};
}

void body_clear(const struct body_member *table, void *out)
{
    for (; table->name; table++) {
        void *at = (char *)out + table->offset;
        struct body_list *list = at;

        switch (table->kind) {
        case BODY_TEXT:
            OPENSSL_free(*(char **)at);
            *(char **)at = NULL;
            break;
        case BODY_BYTES:
            free_bytes(at);
            break;
        case BODY_LIST:
            for (size_t i = 0; i < list->count; i++)
                free_bytes(&list->items[i]);
            list->count = 0;
            break;
        case BODY_FLAG:
            break;
        }
    }
}
