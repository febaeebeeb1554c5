/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TPM is locked: its dictionary-attack parameters and the authorisations of
 * owner, endorsement and lockout. The seed of the values stays in NV until the
 * last of them is set. Every value, and the seed, crosses encrypted, in a
 * session that is salted to the EK, or where that is not known to a storage
 * key.
 */
#include "identity.h"

#include "../lock.h"
#include "../secret.h"

#include <string.h>

#include <openssl/crypto.h>

/* In the range that is the owner's (TCG, Registry of Reserved Handles). */
#define SEED_INDEX 0x01800d1du
#define SEED_ATTRIBUTES                                                        \
    (TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD |               \
     TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA)

struct lock_work {
    struct tpm2_identity *id;
    struct devid_lock *lock;
    bool again; /* an attempt came before, and may have done something */
};

static const ESYS_TR hierarchies[DEVID_LOCK_COUNT] = {
    ESYS_TR_RH_OWNER, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_RH_LOCKOUT};

/* ---- what is set --------------------------------------------------------- */

/* TPMA_PERMANENT has these three in bits 0 to 2, in the same order. */
static enum devid_err read_state(struct tpm2_conn *conn,
                                 struct devid_lock *lock,
                                 struct devid_error *err)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    unsigned right = 0;
    enum devid_err e = tpm2_capability(
        conn, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_PERMANENT,
        TPM2_PT_LOCKOUT_RECOVERY - TPM2_PT_PERMANENT + 1, &data, err);

    if (e != DEVID_OK)
        return e;
    for (UINT32 i = 0; i < data->data.tpmProperties.count; i++) {
        const TPMS_TAGGED_PROPERTY *p =
            &data->data.tpmProperties.tpmProperty[i];

        if (p->property == TPM2_PT_PERMANENT)
            lock->set = p->value & DEVID_LOCK_ALL;
        right += (p->property == TPM2_PT_MAX_AUTH_FAIL &&
                  p->value == DEVID_LOCK_TRIES) ||
                 (p->property == TPM2_PT_LOCKOUT_INTERVAL &&
                  p->value == DEVID_LOCK_RECOVERY_S) ||
                 (p->property == TPM2_PT_LOCKOUT_RECOVERY &&
                  p->value == DEVID_LOCK_LOCKOUT_RECOVERY_S);
    }
    lock->parameters = right == 3;
    Esys_Free(data);
    return DEVID_OK;
}

/* ---- a session ----------------------------------------------------------- */

static enum devid_err session_start(struct tpm2_conn *conn,
                                    struct tpm2_identity *id, ESYS_TR *session,
                                    struct devid_error *err)
{
    enum devid_err e;

    if (id->ek.object != ESYS_TR_NONE && id->ek.instance == conn->instance)
        tpm2_salt_remember(conn, id->ek.object);
    e = tpm2_session_start(conn, TPM2_SE_POLICY, TPM2_ALG_SHA256, true, session,
                           err);
    if (e != DEVID_OK)
        return e;
    id->sessions[id->session_count++] = *session;
    tpm2_orphans_sessions(conn, id);
    return DEVID_OK;
}

/* For the next command: what of it is encrypted, and whether it is the last. */
static TSS2_RC session_use(struct tpm2_conn *conn, ESYS_TR session,
                           TPMA_SESSION attributes)
{
    return Esys_TRSess_SetAttributes(conn->esys, session, attributes, 0xff);
}

/* ---- the seed ------------------------------------------------------------ */

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
    rc = session_use(conn, at->session, TPMA_SESSION_DECRYPT);
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
    TSS2_RC rc = session_use(
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
    enum devid_err e = session_start(conn, w->id, &at.session, err);
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

static enum devid_err begin_op(struct tpm2_conn *conn, void *arg,
                               struct devid_error *err)
{
    struct lock_work *w = arg;
    ESYS_TR object = ESYS_TR_NONE;
    enum devid_err e = read_state(conn, w->lock, err);
    bool found = false;

    if (e != DEVID_OK)
        return e;
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

/* ---- set ---------------------------------------------------------------- */

static enum devid_err set_parameters(struct tpm2_conn *conn,
                                     struct devid_lock *lock,
                                     struct devid_error *err)
{
    TSS2_RC rc;

    /* Once the lockout authorisation is set they are its owner's affair. */
    if (lock->parameters || (lock->set & DEVID_LOCK_LOCKOUT) != 0)
        return DEVID_OK;
    rc = Esys_DictionaryAttackParameters(
        conn->esys, ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
        ESYS_TR_NONE, DEVID_LOCK_TRIES, DEVID_LOCK_RECOVERY_S,
        DEVID_LOCK_LOCKOUT_RECOVERY_S);
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "set its dictionary-attack parameters");
    lock->parameters = true;
    return DEVID_OK;
}

static void put_value(TPM2B_AUTH *out, const struct devid_secret *value)
{
    out->size = value == NULL ? 0 : (UINT16)devid_secret_len(value);
    if (out->size > 0)
        memcpy(out->buffer, devid_secret_data(value), out->size);
}

/* The one after which none is pending is the session's last command. */
static TSS2_RC set_value(struct tpm2_conn *conn, struct devid_lock *lock,
                         unsigned i, ESYS_TR session)
{
    const bool last = devid_lock_pending(lock) == 1u << i;
    TPM2B_AUTH value = {0};
    TSS2_RC rc = session_use(conn, session,
                             TPMA_SESSION_DECRYPT |
                                 (last ? 0 : TPMA_SESSION_CONTINUESESSION));

    put_value(&value, lock->values[i]);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_HierarchyChangeAuth(conn->esys, hierarchies[i],
                                      ESYS_TR_PASSWORD, session, ESYS_TR_NONE,
                                      &value);
    OPENSSL_cleanse(&value, sizeof(value));
    (void)Esys_TR_SetAuth(conn->esys, hierarchies[i], NULL);
    if (rc == TSS2_RC_SUCCESS)
        lock->set |= 1u << i;
    return rc;
}

static enum devid_err set_values(struct tpm2_conn *conn, struct lock_work *w,
                                 struct devid_error *err)
{
    TSS2_RC rc = TSS2_RC_SUCCESS;
    ESYS_TR session = ESYS_TR_NONE;
    enum devid_err e;

    if (devid_lock_pending(w->lock) == 0)
        return DEVID_OK;
    e = session_start(conn, w->id, &session, err);
    if (e != DEVID_OK)
        return e;
    for (unsigned i = 0; rc == TSS2_RC_SUCCESS && i < DEVID_LOCK_COUNT; i++) {
        if ((devid_lock_pending(w->lock) & 1u << i) != 0)
            rc = set_value(conn, w->lock, i, session);
    }
    tpm2_tcg_sessions_end(conn, w->id, rc == TSS2_RC_SUCCESS);
    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : tpm2_fail(err, rc, "set its authorisations");
}

/* The last of all: by the owner, whose value is one of ours or not. */
static enum devid_err seed_remove(struct tpm2_conn *conn,
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

static enum devid_err apply_op(struct tpm2_conn *conn, void *arg,
                               struct devid_error *err)
{
    struct lock_work *w = arg;
    enum devid_err e = DEVID_OK;

    /* The answer to a command that was done may have been lost. */
    if (w->again)
        e = read_state(conn, w->lock, err);
    w->again = true;
    if (e == DEVID_OK)
        e = set_parameters(conn, w->lock, err);
    if (e == DEVID_OK && (devid_lock_pending(w->lock) & DEVID_LOCK_OWNER) != 0)
        e = tpm2_srk_keep(conn, err);
    if (e == DEVID_OK && w->lock->ours != 0)
        e = set_values(conn, w, err);
    if (e == DEVID_OK && w->lock->ours != 0)
        e = seed_remove(conn, w, err);
    return e;
}

/* ---- undone -------------------------------------------------------------- */

static enum devid_err clear_op(struct tpm2_conn *conn, void *arg,
                               struct devid_error *err)
{
    const struct tpm2_identity *id = arg;
    struct tpm2_auth auth = {
        .object = ESYS_TR_RH_LOCKOUT,
        .secret = id->lockout_auth,
        .what = "the lockout hierarchy (lockout-auth-source)",
        .doing = "clear itself",
    };
    enum devid_err e = tpm2_auth_begin(conn, &auth, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = Esys_Clear(conn->esys, auth.object, auth.session, ESYS_TR_NONE,
                    ESYS_TR_NONE);
    tpm2_auth_end(conn, &auth, rc);
    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : tpm2_auth_fail(conn, &auth, rc, err);
}

/* ---- the table's functions ---------------------------------------------- */

enum devid_err tpm2_lock_begin(void *identity, struct devid_lock *lock,
                               struct devid_error *err)
{
    struct lock_work work = {.id = identity, .lock = lock};

    return tpm2_run(work.id->conn, begin_op, &work, err);
}

enum devid_err tpm2_lock_apply(void *identity, struct devid_lock *lock,
                               struct devid_error *err)
{
    struct lock_work work = {.id = identity, .lock = lock};

    return tpm2_run(work.id->conn, apply_op, &work, err);
}

enum devid_err tpm2_identity_clear(void *identity, struct devid_error *err)
{
    struct tpm2_identity *id = identity;

    return tpm2_run(id->conn, clear_op, id, err);
}
