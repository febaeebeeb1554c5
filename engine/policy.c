/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"
#include "backend.h"

#include <openssl/crypto.h>

#include <string.h>

enum devid_err devid_policy_append(struct devid_policy *policy, uint32_t code,
                                   const void *arguments, size_t len,
                                   struct devid_error *err)
{
    size_t size = (policy->count + 1) * sizeof(*policy->commands);
    struct devid_policy_command *grown =
        OPENSSL_realloc(policy->commands, size);
    struct devid_policy_command *last;

    if (grown == NULL)
        return devid_no_memory(err);
    policy->commands = grown;
    last = &grown[policy->count];
    last->code = code;
    last->len = len;
    last->arguments = OPENSSL_malloc(len + 1); /* +1: never of no size */
    if (last->arguments == NULL)
        return devid_no_memory(err);
    if (len > 0)
        memcpy(last->arguments, arguments, len);
    policy->count++;
    return DEVID_OK;
}

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/* One line of hex as bytes; false where it is none. */
static bool unhex(const char *line, size_t len, uint8_t *bytes)
{
    for (size_t i = 0; i < len; i += 2) {
        int high = digit_of(line[i]);
        int low = i + 1 < len ? digit_of(line[i + 1]) : -1;

        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

enum devid_err devid_policy_from_text(const char *text,
                                      struct devid_policy *policy,
                                      struct devid_error *err)
{
    unsigned number = 1;

    for (const char *line = text; *line != '\0'; number++) {
        size_t len = strcspn(line, "\r\n");
        uint8_t bytes[2048];
        enum devid_err e;

        if (len > 0) {
            if (len < 8 || len / 2 > sizeof(bytes) || !unhex(line, len, bytes))
                return devid_fail(err, DEVID_ERR_INPUT, 0,
                                  "line %u of the policy is no TPM command in "
                                  "hex, its code in eight digits and then its "
                                  "arguments",
                                  number);
            e = devid_policy_append(policy,
                                    (uint32_t)bytes[0] << 24 |
                                        (uint32_t)bytes[1] << 16 |
                                        (uint32_t)bytes[2] << 8 | bytes[3],
                                    bytes + 4, len / 2 - 4, err);
            if (e != DEVID_OK)
                return e;
        }
        line += len;
        line += strspn(line, "\r");
        line += *line == '\n' ? 1 : 0;
    }
    return DEVID_OK;
}

enum devid_err devid_policies_prepend(struct devid_policies *list,
                                      struct devid_policy *policy,
                                      struct devid_error *err)
{
    size_t size = (list->count + 1) * sizeof(*list->items);
    struct devid_policy *grown = OPENSSL_realloc(list->items, size);

    if (grown == NULL) {
        devid_policy_clear(policy);
        return devid_no_memory(err);
    }
    memmove(grown + 1, grown, list->count * sizeof(*grown));
    grown[0] = *policy;
    memset(policy, 0, sizeof(*policy));
    list->items = grown;
    list->count++;
    return DEVID_OK;
}

void devid_policy_clear(struct devid_policy *policy)
{
    for (size_t i = 0; i < policy->count; i++)
        OPENSSL_free(policy->commands[i].arguments);
    OPENSSL_free(policy->commands);
    OPENSSL_free(policy->name);
    memset(policy, 0, sizeof(*policy));
}

void devid_policies_clear(struct devid_policies *list)
{
    for (size_t i = 0; i < list->count; i++)
        devid_policy_clear(&list->items[i]);
    OPENSSL_free(list->items);
    memset(list, 0, sizeof(*list));
}
