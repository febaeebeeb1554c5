/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_asn1.h"
#include "backend.h"

#include <openssl/crypto.h>

#include <string.h>

/* ---- in -------------------------------------------------------------- */

static enum devid_err read_commands(const STACK_OF(TPM_POLICY) * from,
                                    struct devid_policy *to,
                                    struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    for (int i = 0; e == DEVID_OK && i < sk_TPM_POLICY_num(from); i++) {
        const TPM_POLICY *command = sk_TPM_POLICY_value(from, i);
        uint64_t code = 0;

        if (ASN1_INTEGER_get_uint64(&code, command->code) != 1 ||
            code > UINT32_MAX) {
            return devid_fail(err, DEVID_ERR_INPUT, 0,
                              "a command code in the key file's policy is no "
                              "number of 32 bits");
        }
        e = devid_policy_append(
            to, (uint32_t)code, ASN1_STRING_get0_data(command->arguments),
            (size_t)ASN1_STRING_length(command->arguments), err);
    }
    return e;
}

/* A name is for people alone: one with a NUL in it is cut there. */
static enum devid_err read_signed(const TPM_AUTH_POLICY *from,
                                  struct devid_policies *to,
                                  struct devid_error *err)
{
    struct devid_policy policy = {0};
    enum devid_err e = read_commands(from->policy, &policy, err);

    if (e == DEVID_OK && from->name != NULL) {
        policy.name =
            OPENSSL_strndup((const char *)ASN1_STRING_get0_data(from->name),
                            (size_t)ASN1_STRING_length(from->name));
        if (policy.name == NULL)
            e = devid_no_memory(err);
    }
    if (e != DEVID_OK) {
        devid_policy_clear(&policy);
        return e;
    }
    return devid_policies_prepend(to, &policy, err);
}

enum devid_err devid_policy_read(const TPM_KEY *key, struct devid_keyfile *file,
                                 struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    if (key->policy != NULL)
        e = read_commands(key->policy, &file->policy, err);
    if (key->auth_policy == NULL)
        return e;
    for (int i = sk_TPM_AUTH_POLICY_num(key->auth_policy) - 1;
         e == DEVID_OK && i >= 0; i--)
        e = read_signed(sk_TPM_AUTH_POLICY_value(key->auth_policy, i),
                        &file->signed_policies, err);
    return e;
}

/* ---- out ------------------------------------------------------------- */

static void free_command(TPM_POLICY *command)
{
    ASN1_item_free((ASN1_VALUE *)command, ASN1_ITEM_rptr(TPM_POLICY));
}

static void free_signed(TPM_AUTH_POLICY *policy)
{
    ASN1_item_free((ASN1_VALUE *)policy, ASN1_ITEM_rptr(TPM_AUTH_POLICY));
}

static bool push_command(const struct devid_policy_command *from,
                         STACK_OF(TPM_POLICY) * to)
{
    TPM_POLICY *command =
        (TPM_POLICY *)ASN1_item_new(ASN1_ITEM_rptr(TPM_POLICY));

    if (command == NULL)
        return false;
    if (from->len <= DEVID_KEYFILE_MAX &&
        ASN1_INTEGER_set_uint64(command->code, from->code) == 1 &&
        ASN1_STRING_set(command->arguments, from->arguments, (int)from->len) ==
            1 &&
        sk_TPM_POLICY_push(to, command) > 0)
        return true;
    free_command(command);
    return false;
}

static STACK_OF(TPM_POLICY) * write_commands(const struct devid_policy *from)
{
    STACK_OF(TPM_POLICY) *to = sk_TPM_POLICY_new_null();

    for (size_t i = 0; to != NULL && i < from->count; i++) {
        if (push_command(&from->commands[i], to))
            continue;
        sk_TPM_POLICY_pop_free(to, free_command);
        return NULL;
    }
    return to;
}

static bool push_signed(const struct devid_policy *from,
                        STACK_OF(TPM_AUTH_POLICY) * to)
{
    TPM_AUTH_POLICY *policy =
        (TPM_AUTH_POLICY *)ASN1_item_new(ASN1_ITEM_rptr(TPM_AUTH_POLICY));

    if (policy == NULL)
        return false;
    if (from->name != NULL) {
        policy->name = ASN1_UTF8STRING_new();
        if (policy->name == NULL ||
            ASN1_STRING_set(policy->name, from->name, -1) != 1)
            goto fail;
    }
    sk_TPM_POLICY_free(policy->policy); /* empty as made */
    policy->policy = write_commands(from);
    if (policy->policy != NULL && sk_TPM_AUTH_POLICY_push(to, policy) > 0)
        return true;
fail:
    free_signed(policy);
    return false;
}

bool devid_policy_write(const struct devid_keyfile *file, TPM_KEY *key)
{
    if (file->policy.count > 0) {
        key->policy = write_commands(&file->policy);
        if (key->policy == NULL)
            return false;
    }
    if (file->signed_policies.count == 0)
        return true;
    key->auth_policy = sk_TPM_AUTH_POLICY_new_null();
    for (size_t i = 0;
         key->auth_policy != NULL && i < file->signed_policies.count; i++) {
        if (!push_signed(&file->signed_policies.items[i], key->auth_policy))
            return false;
    }
    return key->auth_policy != NULL;
}
