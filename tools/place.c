/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "message.h"

#define TOKEN_SCHEME "pkcs11:"

static bool is_on_token(const struct devid_key_info *info)
{
    return strncasecmp(info->uri, TOKEN_SCHEME, strlen(TOKEN_SCHEME)) == 0;
}

static bool has_name(const char *attribute, const char *name)
{
    return strncmp(attribute, name, strlen(name)) == 0;
}

/* Is this attribute in the path of the URI? */
static bool has_attribute(const char *uri, const char *name)
{
    const char *at = uri + strlen(TOKEN_SCHEME);

    for (; *at && *at != '?'; at += *at == ';') {
        if (has_name(at, name))
            return true;
        at += strcspn(at, ";?");
    }
    return false;
}

void place_beside(const char *key, const char *type, char uri[PLACE_SIZE])
{
    const char *at = key + strlen(TOKEN_SCHEME);
    bool by_id = has_attribute(key, "id=");
    int used = snprintf(uri, PLACE_SIZE, TOKEN_SCHEME);

    while (*at && *at != '?') {
        size_t len = strcspn(at, ";?");
        if (!has_name(at, "type=") && !(by_id && has_name(at, "object=")))
            used += snprintf(uri + used, PLACE_SIZE - (size_t)used, "%.*s;",
                             (int)len, at);
        at += len;
        at += *at == ';';
    }
    snprintf(uri + used, PLACE_SIZE - (size_t)used, "type=%s%s", type, at);
}

static enum exit_code at_index(const struct command *command, const char *nv,
                               char uri[PLACE_SIZE])
{
    if (!nv)
        return wrong_use(command->name,
                         "option --nv INDEX is missing: a TPM keeps a "
                         "certificate at an NV index");
    if (strlen(nv) > 64)
        return fail("'%.64s...' is no NV index", nv);
    snprintf(uri, PLACE_SIZE, "tpm2:nv=%s", nv);
    return EXIT_DONE;
}

enum exit_code place_to_write(const struct command *command,
                              const struct devid_key *key, const char *nv,
                              char uri[PLACE_SIZE])
{
    struct devid_key_info info;

    devid_key_info(key, &info);
    if (!is_on_token(&info))
        return at_index(command, nv, uri);
    if (nv)
        return wrong_use(command->name, "--nv is for a TPM: a token has the "
                                        "certificate beside its key");
    snprintf(uri, PLACE_SIZE, "%s", info.uri);
    return EXIT_DONE;
}

enum exit_code place_to_read(const struct command *command,
                             const struct devid_key *key, const char *nv,
                             char uri[PLACE_SIZE])
{
    struct devid_key_info info;
    enum exit_code code = place_to_write(command, key, nv, uri);

    devid_key_info(key, &info);
    if (code == EXIT_DONE && is_on_token(&info))
        place_beside(info.uri, "cert", uri);
    return code;
}
