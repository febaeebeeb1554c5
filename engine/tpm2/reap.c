/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs left in a bare TPM that were killed in the middle of an
 * operation: a key between Load and FlushContext, the primary key of a
 * hierarchy between CreatePrimary and FlushContext, a session between
 * StartAuthSession and the command that ends it.
 *
 * Nothing there says whose it is, and what looks like an orphan may be in
 * use. So the callers wait until no slot came free for a second, and what is
 * taken away then costs a process that lives no more than its attempt: its
 * next command is answered with REFERENCE_H0 or REFERENCE_S0, and
 * tpm2_rc_action() has it start again.
 */
#include "tpm2.h"

#include <string.h>

#include <tss2/tss2_sys.h>

/* ---- objects --------------------------------------------------------- */

typedef bool is_ours(struct tpm2_conn *conn, ESYS_TR object,
                     const TPM2B_PUBLIC *pub);

static bool same_name(struct tpm2_conn *conn, ESYS_TR object,
                      const TPM2B_NAME *name)
{
    TPM2B_NAME *found = NULL;
    bool same = Esys_TR_GetName(conn->esys, object, &found) == 0 &&
                found->size == name->size &&
                memcmp(found->name, name->name, name->size) == 0;

    Esys_Free(found);
    return same;
}

/* One of the keys that this process has open. */
static bool is_our_key(struct tpm2_conn *conn, ESYS_TR object,
                       const TPM2B_PUBLIC *pub)
{
    (void)pub;
    for (const struct tpm2_key *k = conn->keys; k != NULL; k = k->next_open) {
        TPM2B_NAME name;

        if (k->persistent == 0 &&
            tpm2_public_name(&k->tpm_public.publicArea, k->libctx, &name,
                             NULL) == DEVID_OK &&
            same_name(conn, object, &name))
            return true;
    }
    return false;
}

/* Anybody can have it again, for it is made from the same template. */
static bool is_our_primary(struct tpm2_conn *conn, ESYS_TR object,
                           const TPM2B_PUBLIC *pub)
{
    (void)conn;
    (void)object;
    return tpm2_public_is_storage(&pub->publicArea);
}

/* False where the TPM did not say what there is; counts what it has flushed. */
static bool flush_objects(struct tpm2_conn *conn, is_ours *ours,
                          unsigned *flushed)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    enum devid_err e = DEVID_OK;

    if (tpm2_capability(conn, TPM2_CAP_HANDLES, TPM2_TRANSIENT_MIN,
                        TPM2_MAX_CAP_HANDLES, &data, NULL) != DEVID_OK)
        return false;
    for (UINT32 i = 0; i < data->data.handles.count; i++) {
        ESYS_TR object = ESYS_TR_NONE;
        TPM2B_PUBLIC pub;

        e = tpm2_read_handle(conn, data->data.handles.handle[i], &object, &pub,
                             NULL);
        if (e != DEVID_OK && e != DEVID_ERR_NOT_FOUND)
            break;
        if (e == DEVID_ERR_NOT_FOUND)
            continue; /* gone already */
        if (ours(conn, object, &pub) &&
            Esys_FlushContext(conn->esys, object) == TSS2_RC_SUCCESS)
            (*flushed)++;
        else
            (void)Esys_TR_Close(conn->esys, &object);
    }
    Esys_Free(data);
    return e == DEVID_OK || e == DEVID_ERR_NOT_FOUND;
}

static bool is_our_either(struct tpm2_conn *conn, ESYS_TR object,
                          const TPM2B_PUBLIC *pub)
{
    return is_our_primary(conn, object, pub) || is_our_key(conn, object, pub);
}

bool tpm2_reap_lost(struct tpm2_conn *conn)
{
    unsigned flushed = 0;

    return flush_objects(conn, is_our_either, &flushed);
}

/* ---- sessions -------------------------------------------------------- */

/*
 * A session has no Name. One of ours lives for two commands, so one that is
 * there for long is nobody's; and of those that are there one is enough.
 *
 * It is not flushed, for then its handle would go to whoever starts the next
 * session, and an owner that lives would authorise its command with a session
 * that is not its own: the TPM counts that as a wrong auth value. ContextSave
 * makes room as well and keeps the handle taken, until tpm2_unpark(). The
 * saved context itself nobody needs. (ESYS saves no session of others.)
 */
static void park(struct tpm2_conn *conn, uint32_t handle)
{
    TSS2_SYS_CONTEXT *sys = NULL;
    TPMS_CONTEXT context;

    if (conn->parked_count == TPM2_PARKED_MAX ||
        Esys_GetSysContext(conn->esys, &sys) != TSS2_RC_SUCCESS)
        return;
    /* Where nobody else can be at work, nobody's next command is hurt. */
    if (conn->exclusive || conn->shared != NULL)
        (void)Tss2_Sys_FlushContext(sys, handle);
    else if (Tss2_Sys_ContextSave(sys, handle, &context) == TSS2_RC_SUCCESS)
        conn->parked[conn->parked_count++] = handle;
}

static void park_one(struct tpm2_conn *conn)
{
    TPMS_CAPABILITY_DATA *data = NULL;

    if (tpm2_capability(conn, TPM2_CAP_HANDLES, TPM2_LOADED_SESSION_FIRST,
                        TPM2_MAX_CAP_HANDLES, &data, NULL) != DEVID_OK)
        return;
    for (UINT32 i = 0; i < data->data.handles.count; i++) {
        uint32_t handle = data->data.handles.handle[i];

        if (handle < TPM2_POLICY_SESSION_FIRST) { /* HMAC */
            park(conn, handle);
            break;
        }
    }
    Esys_Free(data);
}

/* An owner that lived has flushed its session, and somebody may have a new
   one with that handle by now: but not a saved one. */
static bool is_saved(uint32_t handle, const TPML_HANDLE *saved)
{
    for (UINT32 i = 0; i < saved->count; i++) {
        if (((saved->handle[i] ^ handle) & TPM2_HR_HANDLE_MASK) == 0)
            return true;
    }
    return false;
}

void tpm2_unpark(struct tpm2_conn *conn)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    TSS2_SYS_CONTEXT *sys = NULL;

    if (conn->parked_count == 0 || conn->esys == NULL ||
        Esys_GetSysContext(conn->esys, &sys) != TSS2_RC_SUCCESS ||
        tpm2_capability(conn, TPM2_CAP_HANDLES, TPM2_ACTIVE_SESSION_FIRST,
                        TPM2_MAX_CAP_HANDLES, &data, NULL) != DEVID_OK)
        return;
    for (size_t i = 0; i < conn->parked_count; i++) {
        if (is_saved(conn->parked[i], &data->data.handles))
            (void)Tss2_Sys_FlushContext(sys, conn->parked[i]);
    }
    conn->parked_count = 0;
    Esys_Free(data);
}

/* ---- either ---------------------------------------------------------- */

void tpm2_reap(struct tpm2_conn *conn, TSS2_RC rc)
{
    unsigned flushed = 0;

    switch (tpm2_rc_base(rc)) {
    case TPM2_RC_OBJECT_MEMORY:
        if (flush_objects(conn, is_our_key, &flushed) && flushed == 0)
            (void)flush_objects(conn, is_our_primary, &flushed);
        return;
    case TPM2_RC_SESSION_MEMORY:
        tpm2_unpark(conn);
        park_one(conn);
        return;
    default: /* not an enum: what else passes has to do with no orphans */
        return;
    }
}
