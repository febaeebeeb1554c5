/* SPDX-License-Identifier: Apache-2.0 */
/* How the TPM is: its properties, what it holds, its clock. Read only. */
#include "tpm2.h"

#include "../state.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

/* An operation may run again: what an attempt before it found is dropped. */
static void forget(struct devid_device_state *state)
{
    struct devid_device_state empty = {.backend = state->backend};

    devid_device_state_clear(state);
    *state = empty;
}

static enum devid_err add_properties(struct tpm2_conn *conn, TPM2_PT group,
                                     struct devid_device_state *state,
                                     struct devid_error *err)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    struct devid_property *grown;
    enum devid_err e = tpm2_capability(conn, TPM2_CAP_TPM_PROPERTIES, group,
                                       TPM2_MAX_TPM_PROPERTIES, &data, err);

    if (e != DEVID_OK)
        return e;
    grown = OPENSSL_realloc(
        state->properties,
        (state->property_count + data->data.tpmProperties.count + 1) *
            sizeof(*grown));
    if (grown != NULL)
        state->properties = grown;
    for (UINT32 i = 0; grown != NULL && i < data->data.tpmProperties.count;
         i++) {
        const TPMS_TAGGED_PROPERTY *p =
            &data->data.tpmProperties.tpmProperty[i];

        /* Some TPMs go on into the next group; it is asked for itself. */
        if ((p->property & ~0xffu) == group)
            grown[state->property_count++] =
                (struct devid_property){.id = p->property, .value = p->value};
    }
    Esys_Free(data);
    return grown != NULL ? DEVID_OK : devid_no_memory(err);
}

static enum devid_err read_handles(struct tpm2_conn *conn, UINT32 first,
                                   TPML_HANDLE *handles,
                                   struct devid_error *err)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    enum devid_err e = tpm2_capability(conn, TPM2_CAP_HANDLES, first,
                                       TPM2_MAX_CAP_HANDLES, &data, err);

    if (e != DEVID_OK)
        return e;
    *handles = data->data.handles;
    Esys_Free(data);
    return DEVID_OK;
}

static enum devid_err read_key(struct tpm2_conn *conn, uint32_t handle,
                               struct devid_state_key *key,
                               struct devid_error *err)
{
    ESYS_TR object = ESYS_TR_NONE;
    TPM2B_PUBLIC pub = {0};
    TPM2B_NAME name = {0};
    struct devid_error ignored = {0};
    struct devid_error why = {0};
    const char *role = tpm2_role_of(handle);
    enum devid_err e;

    memset(key, 0, sizeof(*key));
    key->handle = handle;
    key->role = role != NULL ? role : "";
    e = tpm2_read_handle(conn, handle, &object, &pub, &why);
    /* ReadPublic takes a slot for the time: that they are full is worth
     * knowing, and the properties say it. */
    if (e != DEVID_OK && tpm2_rc_base(why.device_rc) == TPM2_RC_OBJECT_MEMORY)
        return DEVID_OK;
    if (e != DEVID_OK) {
        *err = why;
        return e;
    }
    (void)Esys_TR_Close(conn->esys, &object);
    key->was_read = true;
    key->no_da = (pub.publicArea.objectAttributes & TPMA_OBJECT_NODA) != 0;
    key->has_auth_policy = pub.publicArea.authPolicy.size > 0;
    key->has_public = tpm2_public_to_devid(&pub.publicArea, &key->public_key,
                                           &ignored) == DEVID_OK;
    tpm2_public_words(&pub.publicArea, key->attributes,
                      sizeof(key->attributes));
    if (tpm2_public_name(&pub.publicArea, NULL, &name, &ignored) == DEVID_OK)
        tpm2_name_hex(&name, key->name, sizeof(key->name));
    return DEVID_OK;
}

static enum devid_err read_keys(struct tpm2_conn *conn,
                                struct devid_device_state *state,
                                struct devid_error *err)
{
    TPML_HANDLE handles = {0};
    enum devid_err e = read_handles(conn, TPM2_PERSISTENT_MIN, &handles, err);

    if (e != DEVID_OK)
        return e;
    state->keys = OPENSSL_zalloc((handles.count + 1) * sizeof(*state->keys));
    if (state->keys == NULL)
        return devid_no_memory(err);
    for (UINT32 i = 0; e == DEVID_OK && i < handles.count; i++) {
        e = read_key(conn, handles.handle[i], &state->keys[state->key_count],
                     err);
        if (e == DEVID_OK)
            state->key_count++;
        if (e == DEVID_ERR_NOT_FOUND)
            e = DEVID_OK; /* gone meanwhile */
    }
    return e;
}

static enum devid_err read_indices(struct tpm2_conn *conn,
                                   struct devid_device_state *state,
                                   struct devid_error *err)
{
    TPML_HANDLE handles = {0};
    enum devid_err e = read_handles(conn, TPM2_NV_INDEX_MIN, &handles, err);

    if (e != DEVID_OK)
        return e;
    state->nv_indices =
        OPENSSL_zalloc((handles.count + 1) * sizeof(*state->nv_indices));
    if (state->nv_indices == NULL)
        return devid_no_memory(err);
    for (UINT32 i = 0; i < handles.count; i++)
        state->nv_indices[i] = handles.handle[i];
    state->nv_count = handles.count;
    return DEVID_OK;
}

/* A TPM without a clock, or one that keeps it to itself, is no failure. */
static enum devid_err read_clock(struct tpm2_conn *conn,
                                 struct devid_state_clock *clock,
                                 struct devid_error *err)
{
    TPMS_TIME_INFO *now = NULL;
    TSS2_RC rc = Esys_ReadClock(conn->esys, ESYS_TR_NONE, ESYS_TR_NONE,
                                ESYS_TR_NONE, &now);

    if (rc != TSS2_RC_SUCCESS)
        return tpm2_rc_action(rc) == TPM2_ACTION_FAIL
                   ? DEVID_OK
                   : tpm2_fail(err, rc, "tell the time");
    clock->known = true;
    clock->clock_ms = now->clockInfo.clock;
    clock->resets = now->clockInfo.resetCount;
    clock->restarts = now->clockInfo.restartCount;
    clock->safe = now->clockInfo.safe == TPM2_YES;
    Esys_Free(now);
    return DEVID_OK;
}

static enum devid_err state_op(struct tpm2_conn *conn, void *arg,
                               struct devid_error *err)
{
    struct devid_device_state *state = arg;
    enum devid_err e;

    forget(state);
    e = add_properties(conn, TPM2_PT_FIXED, state, err);
    if (e == DEVID_OK)
        e = add_properties(conn, TPM2_PT_VAR, state, err);
    if (e == DEVID_OK)
        e = read_keys(conn, state, err);
    if (e == DEVID_OK)
        e = read_indices(conn, state, err);
    if (e == DEVID_OK)
        e = read_clock(conn, &state->clock, err);
    return e;
}

enum devid_err tpm2_device_state(void *state, const char *device,
                                 struct devid_device_state *out,
                                 struct devid_error *err)
{
    const struct tpm2_state *self = state;
    enum devid_err e = tpm2_run(self->conn, state_op, out, err);

    (void)device; /* the one that the TCTI names */
    (void)snprintf(out->device, sizeof(out->device), "%s", self->conn->tcti);
    out->managed = self->conn->managed;
    return e;
}
