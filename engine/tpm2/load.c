/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key on the wire. Managed connection: loaded once, stays. Bare TPM with
 * its three slots: loaded once, its context saved, and each operation is
 * ContextLoad, the operation, FlushContext. A persistent key is proven once
 * to be the one that the key file means.
 */
#include "tpm2.h"

#include <string.h>

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

/* ---- persistent handles ---------------------------------------------- */

/*
 * ESYS keeps the public area that it read for an object, but hands it out
 * only in the object's serialised form: handle, Name, kind (1 is a key),
 * public area. Name and length prove that it was taken apart rightly.
 */
static bool public_from_serialized(const uint8_t *data, size_t len,
                                   const TPM2B_NAME *expected,
                                   TPM2B_PUBLIC *pub)
{
    TPM2B_NAME name = {0};
    UINT32 found = 0;
    UINT32 kind = 0;
    size_t offset = 0;

    memset(pub, 0, sizeof(*pub));
    return Tss2_MU_UINT32_Unmarshal(data, len, &offset, &found) == 0 &&
           Tss2_MU_TPM2B_NAME_Unmarshal(data, len, &offset, &name) == 0 &&
           Tss2_MU_UINT32_Unmarshal(data, len, &offset, &kind) == 0 &&
           Tss2_MU_TPM2B_PUBLIC_Unmarshal(data, len, &offset, pub) == 0 &&
           offset == len && kind == 1 && name.size == expected->size &&
           memcmp(name.name, expected->name, name.size) == 0;
}

bool tpm2_object_public(struct tpm2_conn *conn, ESYS_TR object,
                        TPM2B_PUBLIC *pub)
{
    TPM2B_NAME *name = NULL;
    uint8_t *data = NULL;
    size_t len = 0;
    bool done = Esys_TR_Serialize(conn->esys, object, &data, &len) == 0 &&
                Esys_TR_GetName(conn->esys, object, &name) == 0 &&
                public_from_serialized(data, len, name, pub);

    Esys_Free(data);
    Esys_Free(name);
    return done;
}

static enum devid_err read_public(struct tpm2_conn *conn, ESYS_TR object,
                                  TPM2B_PUBLIC *pub, struct devid_error *err)
{
    TPM2B_PUBLIC *read = NULL;
    TSS2_RC rc;

    if (tpm2_object_public(conn, object, pub))
        return DEVID_OK;
    /* Another tpm2-tss lays it out otherwise: ask the TPM once more. */
    rc = Esys_ReadPublic(conn->esys, object, ESYS_TR_NONE, ESYS_TR_NONE,
                         ESYS_TR_NONE, &read, NULL, NULL);
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "read a public key");
    *pub = *read;
    Esys_Free(read);
    return DEVID_OK;
}

enum devid_err tpm2_read_handle(struct tpm2_conn *conn, uint32_t handle,
                                ESYS_TR *object, TPM2B_PUBLIC *pub,
                                struct devid_error *err)
{
    enum devid_err e;
    TSS2_RC rc;

    *object = ESYS_TR_NONE;
    rc = Esys_TR_FromTPMPublic(conn->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
                               ESYS_TR_NONE, object);
    if (tpm2_rc_base(rc) == TPM2_RC_HANDLE) {
        return devid_fail(err, DEVID_ERR_NOT_FOUND, rc,
                          "there is nothing at handle 0x%08x of this TPM: "
                          "devid list shows what there is",
                          handle);
    }
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "read the public part of a handle");
    if (pub == NULL)
        return DEVID_OK;
    e = read_public(conn, *object, pub, err);
    if (e != DEVID_OK)
        (void)Esys_TR_Close(conn->esys, object);
    return e;
}

struct read_request {
    uint32_t handle;
    TPM2B_PUBLIC *pub;
};

static enum devid_err read_op(struct tpm2_conn *conn, void *arg,
                              struct devid_error *err)
{
    const struct read_request *request = arg;
    ESYS_TR object = ESYS_TR_NONE;
    enum devid_err e =
        tpm2_read_handle(conn, request->handle, &object, request->pub, err);

    if (e == DEVID_OK)
        (void)Esys_TR_Close(conn->esys, &object);
    return e;
}

enum devid_err tpm2_read_public_at(struct tpm2_conn *conn, uint32_t handle,
                                   TPM2B_PUBLIC *pub, struct devid_error *err)
{
    struct read_request request = {handle, pub};

    return tpm2_run(conn, read_op, &request, err);
}

/* Does the handle hold the key that the key file means? */
static enum devid_err prove(struct tpm2_key *key, const TPM2B_PUBLIC *found,
                            struct devid_error *err)
{
    struct devid_public pub;
    struct devid_error why = {0};
    enum devid_err e = tpm2_public_to_devid(&found->publicArea, &pub, &why);

    if (e != DEVID_OK)
        return devid_fail(err, e == DEVID_ERR_INPUT ? DEVID_ERR_DEVICE : e, 0,
                          "handle 0x%08x of this TPM holds what is no key of "
                          "devid's: %s",
                          key->persistent, why.text);
    if (!devid_public_equal(&pub, &key->pub)) {
        return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                          "handle 0x%08x of this TPM holds another key than "
                          "the key file says: this is another TPM, or the key "
                          "was replaced since the file was written",
                          key->persistent);
    }
    return e;
}

static enum devid_err acquire_persistent(struct tpm2_conn *conn,
                                         struct tpm2_key *key,
                                         struct devid_error *err)
{
    TPM2B_PUBLIC found;
    enum devid_err e;

    if (key->handle != ESYS_TR_NONE && key->instance == conn->instance)
        return DEVID_OK;
    key->handle = ESYS_TR_NONE;
    if (key->serialized != NULL && key->generation == conn->generation &&
        Esys_TR_Deserialize(conn->esys, key->serialized, key->serialized_len,
                            &key->handle) == TSS2_RC_SUCCESS) {
        key->instance = conn->instance;
        return DEVID_OK;
    }
    e = tpm2_read_handle(conn, key->persistent, &key->handle, &found, err);
    if (e != DEVID_OK)
        return e;
    e = prove(key, &found, err);
    if (e != DEVID_OK) {
        (void)Esys_TR_Close(conn->esys, &key->handle);
        return e;
    }
    key->tpm_public = found;
    key->has_public = true;
    key->instance = conn->instance;
    key->generation = conn->generation;
    Esys_Free(key->serialized);
    key->serialized = NULL;
    if (Esys_TR_Serialize(conn->esys, key->handle, &key->serialized,
                          &key->serialized_len) != TSS2_RC_SUCCESS)
        key->serialized = NULL; /* costs a ReadPublic later, no more */
    return DEVID_OK;
}

/* ---- key blobs ------------------------------------------------------- */

/* Load the blob under its parent. Costs the parent and TPM2_Load. */
static enum devid_err load_blob(struct tpm2_conn *conn, struct tpm2_key *key,
                                struct devid_error *err)
{
    struct tpm2_parent parent;
    enum devid_err e;

    e = tpm2_parent_open(conn, key->parent, key->parent_auth, &parent, err);
    if (e == DEVID_ERR_NOT_FOUND) {
        return devid_fail(err, e, err->device_rc,
                          "the parent of this key, persistent handle 0x%08x, "
                          "is not in this TPM: the key was made in another "
                          "TPM, or this one was cleared since",
                          key->parent);
    }
    if (e != DEVID_OK)
        return e;
    if (!parent.transient && key->auth != NULL)
        tpm2_salt_remember(conn, parent.handle);
    e = tpm2_parent_load(conn, &parent, &key->blob, &key->tpm_public,
                         &key->handle, err);
    tpm2_parent_close(conn, &parent);
    return e;
}

static enum devid_err acquire_managed(struct tpm2_conn *conn,
                                      struct tpm2_key *key,
                                      struct devid_error *err)
{
    enum devid_err e;

    if (key->handle != ESYS_TR_NONE && key->instance == conn->instance)
        return DEVID_OK;
    e = load_blob(conn, key, err);
    if (e != DEVID_OK)
        return e;
    key->instance = conn->instance;
    key->next_loaded = conn->loaded;
    conn->loaded = key;
    return DEVID_OK;
}

static void forget_context(struct tpm2_key *key)
{
    key->has_context = false;
    OPENSSL_cleanse(&key->context, sizeof(key->context));
}

static void save_context(struct tpm2_conn *conn, struct tpm2_key *key)
{
    TPMS_CONTEXT *context = NULL;

    /* Without it the next operation loads the blob again: slower, right. */
    if (Esys_ContextSave(conn->esys, key->handle, &context) != 0)
        return;
    key->context = *context;
    key->has_context = true;
    Esys_Free(context);
}

static enum devid_err acquire_bare(struct tpm2_conn *conn, struct tpm2_key *key,
                                   struct devid_error *err)
{
    enum devid_err e;
    TSS2_RC rc;

    key->handle = ESYS_TR_NONE;
    if (key->has_context) {
        rc = Esys_ContextLoad(conn->esys, &key->context, &key->handle);
        if (rc == TSS2_RC_SUCCESS)
            return DEVID_OK;
        key->handle = ESYS_TR_NONE;
        if (tpm2_rc_base(rc) == 0 || tpm2_rc_action(rc) == TPM2_ACTION_WAIT)
            return tpm2_fail(err, rc, "load the key's context");
        forget_context(key); /* the TPM was reset: the blob still loads */
    }
    e = load_blob(conn, key, err);
    if (e == DEVID_OK)
        save_context(conn, key);
    return e;
}

/* ---- for all keys ---------------------------------------------------- */

enum devid_err tpm2_key_acquire(struct tpm2_conn *conn, struct tpm2_key *key,
                                bool *flush, struct devid_error *err)
{
    enum devid_err e;

    *flush = false;
    if (key->persistent != 0)
        return acquire_persistent(conn, key, err);
    if (conn->managed)
        return acquire_managed(conn, key, err);
    e = acquire_bare(conn, key, err);
    *flush = e == DEVID_OK;
    return e;
}

void tpm2_key_release(struct tpm2_conn *conn, struct tpm2_key *key, bool flush)
{
    if (!flush)
        return;
    tpm2_flush(conn, key->handle);
    key->handle = ESYS_TR_NONE;
}

void tpm2_key_unload(struct tpm2_conn *conn, struct tpm2_key *key)
{
    struct tpm2_key **link = &conn->loaded;

    while (*link != NULL && *link != key)
        link = &(*link)->next_loaded;
    if (*link != NULL)
        *link = key->next_loaded;
    if (key->handle == ESYS_TR_NONE || key->instance != conn->instance ||
        conn->esys == NULL)
        return;
    if (key->persistent != 0)
        (void)Esys_TR_Close(conn->esys, &key->handle);
    else
        tpm2_flush(conn, key->handle);
    key->handle = ESYS_TR_NONE;
}
