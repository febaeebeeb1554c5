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
