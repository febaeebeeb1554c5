/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a URI names, as far as its text says: enough to know which question to
 * put to the engine, which parses it and says what is wrong with it.
 */
#include "prov.h"

#include <string.h>

#define TOKEN_SCHEME "pkcs11:"

/* The value of an attribute of the path, with its length; NULL: none. */
static const char *attribute(const char *uri, const char *name, size_t *len)
{
    const char *at = uri + strlen(TOKEN_SCHEME);
    size_t name_len = strlen(name);

    while (*at != '\0' && *at != '?') {
        *len = strcspn(at, ";?");
        if (*len > name_len && at[name_len] == '=' &&
            memcmp(at, name, name_len) == 0) {
            *len -= name_len + 1;
            return at + name_len + 1;
        }
        at += *len;
        at += *at == ';';
    }
    return NULL;
}

static bool is_text(const char *value, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(value, text, len) == 0;
}

/* RFC 7512: the type says it, where it is given. */
static enum prov_uri_kind token_uri_kind(const char *uri)
{
    size_t len = 0;
    const char *type = attribute(uri, "type", &len);

    if (type != NULL && is_text(type, len, "public"))
        return PROV_URI_PUBLIC;
    if (type != NULL)
        return PROV_URI_KEY;
    if (attribute(uri, "object", &len) != NULL ||
        attribute(uri, "id", &len) != NULL)
        return PROV_URI_OBJECT;
    return PROV_URI_TOKEN;
}

enum prov_uri_kind prov_uri_kind(const char *uri)
{
    const char *rest = strchr(uri, ':');

    if (devid_uri_is_cert(uri))
        return PROV_URI_CERT;
    if (strncmp(uri, TOKEN_SCHEME, strlen(TOKEN_SCHEME)) == 0)
        return token_uri_kind(uri);
    return rest != NULL && rest[1] == '\0' ? PROV_URI_DEVICE : PROV_URI_KEY;
}
