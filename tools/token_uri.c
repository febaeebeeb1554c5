/* SPDX-License-Identifier: Apache-2.0 */
#include "token_uri.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#include "message.h"

#define SCHEME "pkcs11:"

static const char *const path_names[] = {
    "token", "manufacturer", "model", "serial", "slot-id", NULL,
};
static const char *const query_names[] = {
    "module-name",
    "module-path",
    NULL,
};

/* Where `name` of `len` bytes stands in a table; -1: nowhere. */
static int position(const char *const *table, const char *name, size_t len)
{
    for (int i = 0; table[i]; i++) {
        if (strlen(table[i]) == len && memcmp(table[i], name, len) == 0)
            return i;
    }
    return -1;
}

/* The attributes of one part of the URI, up to one of the bytes `end`. */
static enum exit_code check_part(const char *at, const char *end,
                                 char separator, const char *const *table)
{
    const char stops[] = {separator, end[0], '\0'};
    unsigned seen = 0;

    for (;;) {
        size_t len = strcspn(at, stops);
        size_t name_len = strcspn(at, "=");
        int which = name_len < len ? position(table, at, name_len) : -1;
        if (len == 0)
            return fail("the URI has an empty attribute: take out the '%c' too "
                        "many",
                        separator);
        if (which < 0)
            return fail("the URI's attribute '%.*s' says nothing of a token: "
                        "give token, manufacturer, model, serial or slot-id, "
                        "and behind a ? module-path or module-name",
                        (int)(name_len < len ? name_len : len), at);
        if (seen & 1U << which)
            return fail("the URI has the attribute '%s' twice", table[which]);
        seen |= 1U << which;
        if (at[len] != separator)
            return EXIT_DONE;
        at += len + 1;
    }
}

enum exit_code token_uri_parse(const char *text, P11KitUri **uri)
{
    const char *path = text + strlen(SCHEME);
    const char *query;
    enum exit_code code = EXIT_DONE;
    int result;

    *uri = p11_kit_uri_new();
    if (strncasecmp(text, SCHEME, strlen(SCHEME)) != 0)
        return fail("'%.60s' is no URI of a token, such as "
                    "pkcs11:token=factory",
                    text);
    query = strchr(path, '?');
    if (*path && *path != '?')
        code = check_part(path, "?", ';', path_names);
    if (code == EXIT_DONE && query)
        code = check_part(query + 1, "", '&', query_names);
    if (code != EXIT_DONE)
        return code;
    result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, *uri);
    if (result != P11_KIT_URI_OK)
        return fail("the token's URI cannot be read: %s",
                    p11_kit_uri_message(result));
    return EXIT_DONE;
}

char *token_uri_module(const char *text)
{
    P11KitUri *uri = p11_kit_uri_new();
    const char *path = NULL;
    char *copy = NULL;

    if (p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) == P11_KIT_URI_OK)
        path = p11_kit_uri_get_module_path(uri);
    if (path) {
        copy = OPENSSL_strdup(path);
        if (!copy)
            die_no_memory();
    }
    p11_kit_uri_free(uri);
    return copy;
}
