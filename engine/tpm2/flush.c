/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Letting go of what an operation has loaded. A TPM with nothing before it
 * keeps in one of its three slots what is not flushed, and the link may be lost
 * at that command as at any other. So what could not be flushed is owed: its
 * handle stays ours until the TPM is reset, and is paid at the end of the same
 * operation, over a new link if need be, or before and after the next ones.
 *
 * Where the answer was lost that gave a handle, nothing tells which; a key is
 * known by its Name then, and a hierarchy's primary by its template.
 */
#include "tpm2.h"

#include <tss2/tss2_sys.h>

/* Does nobody but us clean up behind us? */
static bool is_bare(const struct tpm2_conn *conn)
{
    return !conn->managed && (!conn->has_rm || conn->shared != NULL);
}

/* Somebody else has flushed it, or the command that used it did. */
static bool is_gone(TSS2_RC rc)
{
    TSS2_RC base = tpm2_rc_base(rc);

    return base == TPM2_RC_HANDLE || base == TPM2_RC_REFERENCE_H0;
}

void tpm2_flush(struct tpm2_conn *conn, ESYS_TR object)
{
    TPM2_HANDLE handle = 0;
    TSS2_RC known;
    TSS2_RC rc;

    if (object == ESYS_TR_NONE)
        return;
    known = Esys_TR_GetTpmHandle(conn->esys, object, &handle);
    rc = Esys_FlushContext(conn->esys, object);
    if (rc == TSS2_RC_SUCCESS)
        return;
    (void)Esys_TR_Close(conn->esys, &object);
    /* Of an object that is not there: it may be there by another handle. */
    if (is_gone(rc))
        conn->orphaned |= handle >= TPM2_TRANSIENT_MIN;
    else if (known == TSS2_RC_SUCCESS && conn->owed_count < TPM2_OWED_MAX)
        conn->owed[conn->owed_count++] = handle;
}

void tpm2_flush_all(struct tpm2_conn *conn)
{
    if (conn->esys != NULL) {
        while (conn->loaded != NULL)
            tpm2_key_unload(conn, conn->loaded);
        if (conn->session_instance == conn->instance)
            tpm2_flush(conn, conn->session);
        conn->session = ESYS_TR_NONE;
        tpm2_unpark(conn);
    }
    tpm2_settle(conn);
}

void tpm2_forget_link(struct tpm2_conn *conn)
{
    if (is_bare(conn))
        return;
    conn->owed_count = 0;
    conn->orphaned = false;
}

/* False where the link gave way. */
static bool pay(struct tpm2_conn *conn)
{
    TSS2_SYS_CONTEXT *sys = NULL;
    bool link = Esys_GetSysContext(conn->esys, &sys) == TSS2_RC_SUCCESS;

    while (link && conn->owed_count > 0) {
        TSS2_RC rc =
            Tss2_Sys_FlushContext(sys, conn->owed[conn->owed_count - 1]);

        link = rc == TSS2_RC_SUCCESS || tpm2_rc_base(rc) != 0;
        if (rc != TSS2_RC_SUCCESS && !is_gone(rc))
            break; /* another time */
        conn->owed_count--;
    }
    if (link && conn->orphaned && is_bare(conn)) {
        link = tpm2_reap_lost(conn);
        conn->orphaned = !link;
    }
    return link;
}

void tpm2_settle(struct tpm2_conn *conn)
{
    bool done = conn->owed_count == 0 && !conn->orphaned;

    if (done)
        return;
    tpm2_early_lock(conn);
    for (int i = 0; i < 2 && !done; i++) {
        if (conn->esys == NULL && conn->shared == NULL)
            (void)tpm2_tcti_open(conn);
        if (conn->esys == NULL)
            break;
        done = pay(conn);
        if (!done && conn->shared == NULL)
            tpm2_disconnect(conn);
    }
    tpm2_early_unlock(conn);
}
