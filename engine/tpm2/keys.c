/* SPDX-License-Identifier: Apache-2.0 */
/* TPM keys as key.c sees them: open from a file, find, describe, free. */
#include "policy.h"

#include "../secret.h"
#include "../uri.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

static void key_clear(struct tpm2_key *k)
{
    devid_secret_free(&k->auth);
    devid_secret_free(&k->parent_auth);
    Esys_Free(k->serialized);
    OPENSSL_clear_free(k, sizeof(*k));
}

static enum devid_err open_blob(const struct devid_keyfile *file,
                                struct tpm2_key *key,
                                struct devid_key_limits *limits,
                                struct devid_error *err)
{
    size_t offset = 0;
    char text[16];
    uint32_t checked = 0;

    if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(file->tpm_public, file->tpm_public_len,
                                       &offset, &key->tpm_public) != 0 ||
        offset != file->tpm_public_len) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key file's public part is no TPM2B_PUBLIC: the "
                          "file is damaged");
    }
    offset = 0;
    if (Tss2_MU_TPM2B_PRIVATE_Unmarshal(file->tpm_private,
                                        file->tpm_private_len, &offset,
                                        &key->blob) != 0 ||
        offset != file->tpm_private_len) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key file's private part is no TPM2B_PRIVATE: "
                          "the file is damaged");
    }
    if (file->rsa_parent) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the key file's parent is an RSA primary key "
                          "(rsaParent), and devid makes the ECC one: make the "
                          "key under a persistent parent instead");
    }
    (void)snprintf(text, sizeof(text), "0x%08x", file->parent);
    key->parent = file->parent;
    key->has_public = true;
    limits->needs_auth = !file->empty_auth;
    tpm2_public_limits(&key->tpm_public.publicArea, limits);
    limits->has_policy = limits->has_policy || file->has_policy;
    enum devid_err e = tpm2_parent_parse(text, &checked, err);
    if (e != DEVID_OK)
        return e;
    return tpm2_public_to_devid(&key->tpm_public.publicArea, &key->pub, err);
}

static enum devid_err open_reference(const struct devid_keyfile *file,
                                     struct tpm2_key *key,
                                     struct devid_key_limits *limits,
                                     struct devid_error *err)
{
    struct devid_tpm2_uri uri;
    enum devid_err e = devid_tpm2_uri_parse(file->uri, &uri, err);

    if (e != DEVID_OK)
        return e;
    if (uri.kind != DEVID_TPM2_KEY || !file->has_public) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key reference '%.100s' names no key with its "
                          "public part: it must be tpm2:handle=0x81...",
                          file->uri);
    }
    key->persistent = uri.handle;
    key->pub = file->public_key;
    limits->needs_auth = uri.auth_required;
    limits->sign = true;
    limits->learnt_later = true;
    return DEVID_OK;
}

/* What the settings say of secrets; the program may still give others. */
static enum devid_err read_secrets(const struct devid *engine,
                                   struct tpm2_key *key,
                                   struct devid_key_limits *limits,
                                   struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    if (key->persistent == 0)
        e = devid_secret_from_setting(engine, "parent-auth-source",
                                      &key->parent_auth, err);
    if (e == DEVID_OK && limits->needs_auth)
        e = devid_secret_from_setting(engine, "auth-source", &key->auth, err);
    limits->needs_auth = limits->needs_auth && key->auth == NULL;
    return e;
}

void tpm2_key_set_auth(void *key, struct devid_secret *auth)
{
    struct tpm2_key *k = key;

    pthread_mutex_lock(&k->conn->lock);
    devid_secret_free(&k->auth);
    k->auth = auth;
    pthread_mutex_unlock(&k->conn->lock);
}

/* So that its orphans are known. */
static void enlist(struct tpm2_key *key)
{
    struct tpm2_conn *conn = key->conn;

    pthread_mutex_lock(&conn->lock);
    key->next_open = conn->keys;
    conn->keys = key;
    pthread_mutex_unlock(&conn->lock);
}

/* The connection is locked. */
static void delist(struct tpm2_key *key)
{
    struct tpm2_key **link = &key->conn->keys;

    while (*link != NULL && *link != key)
        link = &(*link)->next_open;
    if (*link != NULL)
        *link = key->next_open;
}

enum devid_err tpm2_key_open(void *state, const struct devid_keyfile *file,
                             void **key, struct devid_public *pub,
                             struct devid_key_limits *limits,
                             struct devid_error *err)
{
    const struct tpm2_state *self = state;
    struct tpm2_key *k = OPENSSL_zalloc(sizeof(*k));
    enum devid_err e;

    if (k == NULL)
        return devid_no_memory(err);
    k->handle = ESYS_TR_NONE;
    k->libctx = devid_libctx(self->engine);
    k->file = file;
    if (file->format == DEVID_KEYFILE_TSS2)
        e = open_blob(file, k, limits, err);
    else
        e = open_reference(file, k, limits, err);
    if (e == DEVID_OK)
        e = read_secrets(self->engine, k, limits, err);
    if (e == DEVID_OK)
        e = tpm2_conn_get(self->engine, &k->conn, err);
    if (e != DEVID_OK) {
        key_clear(k);
        return e;
    }
    tpm2_conn_preload(k->conn);
    enlist(k);
    e = tpm2_early_open(k->conn, err);
    if (e != DEVID_OK) {
        void *opened = k;

        tpm2_key_free(&opened);
        return e;
    }
    *pub = k->pub;
    *key = k;
    return DEVID_OK;
}

void tpm2_key_free(void **key)
{
    struct tpm2_key *k = *key;

    *key = NULL;
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->conn->lock);
    tpm2_key_unload(k->conn, k);
    delist(k);
    pthread_mutex_unlock(&k->conn->lock);
    tpm2_conn_put(&k->conn);
    key_clear(k);
}

void tpm2_key_info(const void *key, struct devid_key_info *info)
{
    const struct tpm2_key *k = key;
    TPM2B_NAME name;
    char parent[64];

    if (k->persistent != 0) {
        (void)snprintf(info->location, sizeof(info->location),
                       "in the TPM, persistent handle 0x%08x", k->persistent);
    } else {
        tpm2_parent_words(k->parent, parent, sizeof(parent));
        (void)snprintf(info->location, sizeof(info->location),
                       "in the file, encrypted by the TPM under %s", parent);
    }
    if (!k->has_public)
        return;
    info->imported =
        (k->tpm_public.publicArea.objectAttributes &
         (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_SENSITIVEDATAORIGIN)) == 0;
    tpm2_public_words(&k->tpm_public.publicArea, info->attributes,
                      sizeof(info->attributes));
    tpm2_policy_words(k, info->policy, sizeof(info->policy));
    if (tpm2_public_name(&k->tpm_public.publicArea, k->libctx, &name, NULL) !=
        DEVID_OK)
        return;
    tpm2_name_hex(&name, info->name, sizeof(info->name));
}

/* ---- a key by its URI ------------------------------------------------ */

enum devid_err tpm2_key_find(void *state, const char *uri,
                             struct devid_keyfile *file,
                             struct devid_error *err)
{
    const struct tpm2_state *self = state;
    struct devid_tpm2_uri parsed;
    TPM2B_PUBLIC found = {0};
    char canonical[48];
    enum devid_err e = devid_tpm2_uri_parse(uri, &parsed, err);

    if (e != DEVID_OK)
        return e;
    if (parsed.kind != DEVID_TPM2_KEY) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "'%.100s' names no key: a key is "
                          "tpm2:handle=0x81000000 to 0x81ffffff",
                          uri);
    }
    e = tpm2_read_public_at(self->conn, parsed.handle, &found, err);
    if (e != DEVID_OK)
        return e;
    (void)snprintf(canonical, sizeof(canonical), "tpm2:handle=0x%08x%s",
                   parsed.handle, parsed.auth_required ? ";auth=required" : "");
    file->format = DEVID_KEYFILE_REFERENCE;
    file->has_public = true;
    file->uri = OPENSSL_strdup(canonical);
    if (file->uri == NULL)
        return devid_no_memory(err);
    return tpm2_public_to_devid(&found.publicArea, &file->public_key, err);
}
