/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seed of a lock's values, in NV until the last of them is set. Who has the
 * TPM before it is locked may have written there what he knows. So nothing that
 * is found counts, unless a value of it is set: then it has to be that one.
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

static enum devid_err something_else(struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_EXISTS, 0,
                      "NV index 0x%08x of this TPM holds something else than "
                      "what its authorisations were made from, which belongs "
                      "there: devid list shows it, devid delete frees it",
                      SEED_INDEX);
}

static enum devid_err take(struct lock_work *w, const TPM2B_MAX_NV_BUFFER *data,
                           struct devid_error *err)
{
    if (data->size != DEVID_LOCK_SEED_LEN)
        return devid_fail(err, DEVID_ERR_DEVICE, 0,
                          "the TPM's answer to NV_Read has another size than "
                          "was asked for");
    if (!devid_lock_seed_fits(w->lock, data->buffer))
        return something_else(err);
    return devid_lock_seed_take(w->lock, data->buffer, err);
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
    if (tpm2_rc_base(rc) == TPM2_RC_BAD_AUTH)
        return something_else(err);
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "read the seed of its authorisations");
    e = take(w, data, err);
    OPENSSL_cleanse(data, sizeof(*data));
    Esys_Free(data);
    return e;
}

/*
 * Its first value opens what is set by it. Not that of the lockout, where a
 * wrong one costs a day; behind it nothing is left to be set.
 */
static enum devid_err seed_prove(struct tpm2_conn *conn,
                                 const struct lock_work *w, ESYS_TR session,
                                 struct devid_error *err)
{
    const bool owner = (w->lock->ours & DEVID_LOCK_OWNER) != 0;
    const TPM2B_NONCE nonce = {0};
    const TPM2B_DIGEST none = {0};
    struct tpm2_auth auth = {
        .object = owner ? ESYS_TR_RH_OWNER : ESYS_TR_RH_ENDORSEMENT,
        .secret = w->lock->values[owner ? 0 : 1],
        .what = "what was locked before",
        .doing = "take an authorisation that was set before",
    };
    enum devid_err e;
    TSS2_RC rc;

    if (auth.secret == NULL)
        return DEVID_OK;
    e = tpm2_auth_begin(conn, &auth, err);
    if (e != DEVID_OK)
        return e;
    rc = Esys_PolicySecret(conn->esys, auth.object, session, auth.session,
                           ESYS_TR_NONE, ESYS_TR_NONE, &nonce, &none, &none, 0,
                           NULL, NULL);
    tpm2_auth_end(conn, &auth, rc);
    if (tpm2_rc_base(rc) == TPM2_RC_BAD_AUTH ||
        tpm2_rc_base(rc) == TPM2_RC_AUTH_FAIL)
        return something_else(err);
    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : tpm2_auth_fail(conn, &auth, rc, err);
}

/* *begun: it is that of a lock that is half done, and its values are there. */
static enum devid_err seed_resume(struct tpm2_conn *conn, struct lock_work *w,
                                  ESYS_TR object, bool *begun,
                                  struct devid_error *err)
{
    struct seed_index at = {.object = object, .session = ESYS_TR_NONE};
    enum devid_err e;

    *begun = false;
    if (w->lock->set == 0)
        return DEVID_OK;
    tpm2_orphans_hmac(conn); /* it may have been killed with one */
    e = tpm2_lock_session(conn, w->id, &at.session, err);
    if (e != DEVID_OK)
        return e;
    e = seed_read(conn, w, &at, err);
    *begun = e == DEVID_OK && (w->lock->ours & w->lock->set) != 0;
    if (*begun)
        e = seed_prove(conn, w, at.session, err);
    tpm2_tcg_sessions_end(conn, w->id, false);
    if (e != DEVID_ERR_NOT_FOUND)
        return e;
    return w->lock->set == DEVID_LOCK_ALL ? something_else(err) : DEVID_OK;
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

/* Is the index one for a seed? Another's is not read, and stays. */
static enum devid_err check_area(struct tpm2_conn *conn, ESYS_TR object,
                                 struct devid_error *err)
{
    TPM2B_NV_PUBLIC *area = NULL;
    enum devid_err e = DEVID_OK;
    TSS2_RC rc = Esys_NV_ReadPublic(conn->esys, object, ESYS_TR_NONE,
                                    ESYS_TR_NONE, ESYS_TR_NONE, &area, NULL);

    if (rc != TSS2_RC_SUCCESS)
        e = tpm2_fail(err, rc, "describe an NV index");
    else if (area->nvPublic.dataSize != DEVID_LOCK_SEED_LEN ||
             (area->nvPublic.attributes & ~TPMA_NV_WRITTEN) != SEED_ATTRIBUTES)
        e = something_else(err);
    Esys_Free(area);
    return e;
}

static enum devid_err seed_new(struct tpm2_conn *conn, struct lock_work *w,
                               ESYS_TR object, struct devid_error *err)
{
    struct seed_index at = {.object = object, .session = ESYS_TR_NONE};
    enum devid_err e = tpm2_lock_session(conn, w->id, &at.session, err);

    if (e == DEVID_OK) {
        e = seed_write(conn, w, &at, err);
        tpm2_tcg_sessions_end(conn, w->id, e == DEVID_OK); /* by the command */
    }
    (void)Esys_TR_Close(conn->esys, &object);
    return e;
}

/* *begun: as for seed_resume. Else nothing lies there any more. */
static enum devid_err seed_look(struct tpm2_conn *conn, struct lock_work *w,
                                bool *begun, struct devid_error *err)
{
    ESYS_TR object = ESYS_TR_NONE;
    enum devid_err e = tpm2_read_handle(conn, SEED_INDEX, &object, NULL, err);

    *begun = false;
    if (e == DEVID_ERR_NOT_FOUND)
        return DEVID_OK;
    if (e != DEVID_OK)
        return e;
    e = check_area(conn, object, err);
    if (e == DEVID_OK)
        e = seed_resume(conn, w, object, begun, err);
    if (e == DEVID_OK && !*begun) {
        e = tpm2_nv_undefine(conn, object, w->id->owner_auth, err);
        if (e == DEVID_OK)
            return DEVID_OK; /* it is closed */
    }
    (void)Esys_TR_Close(conn->esys, &object);
    return e;
}

enum devid_err tpm2_lock_seed(struct tpm2_conn *conn, struct lock_work *w,
                              struct devid_error *err)
{
    ESYS_TR object = ESYS_TR_NONE;
    bool begun = false;
    /* Where nothing is set the seed is missing most likely: no question. */
    enum devid_err e = w->lock->set == 0 ? seed_define(conn, w, &object, err)
                                         : DEVID_ERR_EXISTS;

    if (e == DEVID_ERR_EXISTS) {
        e = seed_look(conn, w, &begun, err);
        if (e != DEVID_OK || begun || w->lock->set == DEVID_LOCK_ALL)
            return e;
        e = seed_define(conn, w, &object, err);
    }
    if (e == DEVID_ERR_EXISTS) /* again: somebody is at it */
        return something_else(err);
    return e == DEVID_OK ? seed_new(conn, w, object, err) : e;
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
