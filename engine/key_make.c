/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that come to be: made in a device, or from another key's file. */
#include "engine.h"
#include "key.h"

#include <string.h>

#include <openssl/crypto.h>

enum devid_err devid_key_create(struct devid *engine,
                                const struct devid_key_spec *spec,
                                struct devid_key **key, struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    struct devid_keyfile file = {0};
    void *state = NULL;
    enum devid_err e;

    *key = NULL;
    e = devid_backend_for(engine, spec->device, &be, &state, err);
    if (e != DEVID_OK)
        return e;
    e = be->key_create(state, spec, &file, err);
    if (e != DEVID_OK) {
        devid_keyfile_clear(&file);
        return e;
    }
    return devid_key_from_keyfile(engine, &file, key, err);
}

enum devid_err devid_key_import(struct devid *engine,
                                const struct devid_key_spec *spec,
                                const EVP_PKEY *pkey, struct devid_key **key,
                                struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    struct devid_keyfile file = {0};
    void *state = NULL;
    enum devid_err e;

    *key = NULL;
    e = devid_backend_for(engine, spec->device, &be, &state, err);
    if (e != DEVID_OK)
        return e;
    if (be->key_import == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0, "a %s imports no keys",
                          be->name);
    e = be->key_import(state, spec, pkey, &file, err);
    if (e != DEVID_OK) {
        devid_keyfile_clear(&file);
        return e;
    }
    return devid_key_from_keyfile(engine, &file, key, err);
}

enum devid_err devid_key_from_reference(struct devid *engine, const char *uri,
                                        const struct devid_public *pub,
                                        struct devid_key **key,
                                        struct devid_error *err)
{
    struct devid_keyfile file = {
        .format = DEVID_KEYFILE_REFERENCE,
        .uri = OPENSSL_strdup(uri),
        .has_public = true,
        .public_key = *pub,
    };

    *key = NULL;
    if (file.uri == NULL)
        return devid_no_memory(err);
    return devid_key_from_keyfile(engine, &file, key, err);
}

/* ---- signed policies ------------------------------------------------- */

/* A copy to be changed: written anew, not as it was read. */
static enum devid_err copy_file(const struct devid_keyfile *file,
                                struct devid_keyfile *copy,
                                struct devid_error *err)
{
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e = devid_keyfile_encode(file, &der, &len, err);

    if (e == DEVID_OK)
        e = devid_keyfile_parse(der, len, NULL, copy, err);
    OPENSSL_free(der);
    if (e != DEVID_OK)
        return e;
    OPENSSL_free(copy->der);
    copy->der = NULL;
    copy->der_len = 0;
    return DEVID_OK;
}

static void drop_policy(struct devid_policies *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].name == NULL ||
            strcmp(list->items[i].name, name) != 0)
            continue;
        devid_policy_clear(&list->items[i]);
        list->count--;
        memmove(&list->items[i], &list->items[i + 1],
                (list->count - i) * sizeof(*list->items));
        return;
    }
}

enum devid_err devid_key_add_policy(const struct devid_key *key,
                                    const struct devid_policy_spec *spec,
                                    struct devid_key **with,
                                    struct devid_error *err)
{
    const struct devid_backend *be = key->be;
    struct devid_policy policy = {0};
    struct devid_keyfile file = {0};
    enum devid_err e;

    *with = NULL;
    if (be->policy_sign == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0, "a key in a %s has no policy",
                          be->name);
    e = copy_file(&key->file, &file, err);
    if (e == DEVID_OK)
        e = be->policy_sign(key->private_key, spec, &policy, err);
    if (e == DEVID_OK && spec->name != NULL) {
        policy.name = OPENSSL_strdup(spec->name);
        if (policy.name == NULL)
            e = devid_no_memory(err);
        else
            drop_policy(&file.signed_policies, spec->name);
    }
    if (e == DEVID_OK) {
        e = devid_policies_prepend(&file.signed_policies, &policy, err);
    } else {
        devid_policy_clear(&policy);
    }
    if (e != DEVID_OK) {
        devid_keyfile_clear(&file);
        return e;
    }
    return devid_key_from_keyfile(key->engine, &file, with, err);
}
