/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seed of a lock's values, in NV until the last of them is set.
 */
#include "lock.h"

#include "../secret.h"

#include <openssl/crypto.h>

/* In the range that is the owner's (TCG, Registry of Reserved Handles). */
#define SEED_INDEX 0x01800d1du
#define SEED_ATTRIBUTES                                                        \
    (TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD |               \
     TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA)

/* The index in use, and the session that hides what goes into and out of it. */
struct seed_index {
    ESYS_TR object;
    ESYS_TR session;
};

static enum devid_err seed_write(struct tpm2_conn *conn, struct lock_work *w,
                                 const struct seed_index *at,
                                 struct devid_error *err)
{
    TPM2B_MAX_NV_BUFFER data = {.size = DEVID_LOCK_SEED_LEN};
    unsigned ours = DEVID_LOCK_ALL & ~w->lock->set;
    enum devid_err e = devid_lock_seed_make(ours, data.buffer, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = tpm2_lock_session_use(conn, at->session, TPMA_SESSION_DECRYPT);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_NV_Write(conn->esys, at->object, at->object, ESYS_TR_PASSWORD,
                           at->session, ESYS_TR_NONE, &data, 0);
    if (rc == TSS2_RC_SUCCESS)
        e = devid_lock_seed_take(w->lock, data.buffer, err);
    else
        e = tpm2_fail(err, rc, "keep the seed of its authorisations");
    OPENSSL_cleanse(&data, sizeof(data));
    return e;
}

/* _NOT_FOUND: it was never written. */
static enum devid_err seed_read(struct tpm2_conn *conn, struct lock_work *w,
                                const struct seed_index *at,
                                struct devid_error *err)
{
    TPM2B_MAX_NV_BUFFER *data = NULL;
    enum devid_err e;
    TSS2_RC rc = tpm2_lock_session_use(
        conn, at->session, TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION);

    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_NV_Read(conn->esys, at->object, at->object, ESYS_TR_PASSWORD,
                          at->session, ESYS_TR_NONE, DEVID_LOCK_SEED_LEN, 0,
                          &data);
    if (tpm2_rc_base(rc) == TPM2_RC_NV_UNINITIALIZED)
        return DEVID_ERR_NOT_FOUND;
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "read the seed of its authorisations");
    e = data->size == DEVID_LOCK_SEED_LEN
            ? devid_lock_seed_take(w->lock, data->buffer, err)
            : devid_fail(err, DEVID_ERR_DEVICE, 0,
                         "the TPM's answer to NV_Read has another size than "
                         "was asked for");
    OPENSSL_cleanse(data, sizeof(*data));
    Esys_Free(data);
    return e;
}

static enum devid_err seed_define(struct tpm2_conn *conn,
                                  const struct lock_work *w, ESYS_TR *object,
                                  struct devid_error *err)
{
    const TPM2B_NV_PUBLIC area = {
        .nvPublic =
            {
                .nvIndex = SEED_INDEX,
                .nameAlg = TPM2_ALG_SHA256,
                .attributes = SEED_ATTRIBUTES,
                .dataSize = DEVID_LOCK_SEED_LEN,
            },
    };
    const TPM2B_AUTH empty = {0};
    struct tpm2_auth auth = {
        .object = ESYS_TR_RH_OWNER,
        .secret = w->id->owner_auth,
        .what = "the owner hierarchy (owner-auth-source)",
        .doing = "define the NV index of the seed of its authorisations",
    };
    enum devid_err e = tpm2_auth_begin(conn, &auth, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = Esys_NV_DefineSpace(conn->esys, auth.object, auth.session,
                             ESYS_TR_NONE, ESYS_TR_NONE, &empty, &area, object);
    tpm2_auth_end(conn, &auth, rc);
    if (rc == TSS2_RC_SUCCESS)
        return DEVID_OK;
    *object = ESYS_TR_NONE;
    if (tpm2_rc_base(rc) == TPM2_RC_NV_DEFINED)
        return DEVID_ERR_EXISTS;
    return tpm2_auth_fail(conn, &auth, rc, err);
}

/*
 * Values: those of the seed that is there, else of a new one. `found` tells
 * that the index was there.
 */
static enum devid_err seed_use(struct tpm2_conn *conn, struct lock_work *w,
                               ESYS_TR object, bool found,
                               struct devid_error *err)
{
    struct seed_index at = {.object = object, .session = ESYS_TR_NONE};
    enum devid_err e = tpm2_lock_session(conn, w->id, &at.session, err);
    bool ended = false;

    if (e != DEVID_OK)
        return e;
    e = found ? seed_read(conn, w, &at, err) : DEVID_ERR_NOT_FOUND;
    if (e == DEVID_ERR_NOT_FOUND) {
        e = seed_write(conn, w, &at, err);
        ended = e == DEVID_OK; /* by the command */
    }
    tpm2_tcg_sessions_end(conn, w->id, ended);
    return e;
}

enum devid_err tpm2_lock_seed(struct tpm2_conn *conn, struct lock_work *w,
                              struct devid_error *err)
{
    ESYS_TR object = ESYS_TR_NONE;
    bool found = false;
    enum devid_err e;

    /* Where nothing is set the seed is missing most likely: no question. */
    e = w->lock->set == 0 ? seed_define(conn, w, &object, err)
                          : DEVID_ERR_EXISTS;
    if (e == DEVID_ERR_EXISTS) {
        e = tpm2_read_handle(conn, SEED_INDEX, &object, NULL, err);
        found = e == DEVID_OK;
    }
    if (e == DEVID_ERR_NOT_FOUND && w->lock->set == DEVID_LOCK_ALL)
        return DEVID_OK; /* locked, and tidy */
    if (found && w->lock->set == DEVID_LOCK_ALL)
        tpm2_orphans_hmac(conn); /* killed while it removed the seed */
    if (e == DEVID_ERR_NOT_FOUND)
        e = seed_define(conn, w, &object, err);
    if (e != DEVID_OK)
        return e;
    e = seed_use(conn, w, object, found, err);
    (void)Esys_TR_Close(conn->esys, &object);
    return e;
}

/* By the owner, whose value is one of ours or not. */
enum devid_err tpm2_lock_seed_remove(struct tpm2_conn *conn,
                                     const struct lock_work *w,
                                     struct devid_error *err)
{
    const bool ours = (w->lock->ours & DEVID_LOCK_OWNER) != 0;
    ESYS_TR object = ESYS_TR_NONE;
    enum devid_err e = tpm2_read_handle(conn, SEED_INDEX, &object, NULL, err);

    if (e == DEVID_ERR_NOT_FOUND) /* the answer to its removal was lost */
        return DEVID_OK;
    if (e == DEVID_OK)
        e = tpm2_nv_undefine(
            conn, object, ours ? w->lock->values[0] : w->id->owner_auth, err);
    if (e != DEVID_OK && object != ESYS_TR_NONE)
        (void)Esys_TR_Close(conn->esys, &object);
    return e;
}
