/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TPM is locked: its dictionary-attack parameters and the authorisations of
 * owner, endorsement and lockout. The seed of the values stays in NV until the
 * last of them is set. Every value, and the seed, crosses encrypted, in a
 * session that is salted to the EK, or where that is not known to a storage
 * key.
 */
#include "lock.h"

#include "../secret.h"

#include <string.h>

#include <openssl/crypto.h>

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

enum devid_err tpm2_lock_session(struct tpm2_conn *conn,
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

TSS2_RC tpm2_lock_session_use(struct tpm2_conn *conn, ESYS_TR session,
                              TPMA_SESSION attributes)
{
    return Esys_TRSess_SetAttributes(conn->esys, session, attributes, 0xff);
}

static enum devid_err look_op(struct tpm2_conn *conn, void *arg,
                              struct devid_error *err)
{
    const struct lock_work *w = arg;

    return read_state(conn, w->lock, err);
}

static enum devid_err begin_op(struct tpm2_conn *conn, void *arg,
                               struct devid_error *err)
{
    struct lock_work *w = arg;
    enum devid_err e = read_state(conn, w->lock, err);

    return e == DEVID_OK ? tpm2_lock_seed(conn, w, err) : e;
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
    TSS2_RC rc = tpm2_lock_session_use(
        conn, session,
        TPMA_SESSION_DECRYPT | (last ? 0 : TPMA_SESSION_CONTINUESESSION));

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
    e = tpm2_lock_session(conn, w->id, &session, err);
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
        e = tpm2_lock_seed_remove(conn, w, err);
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

enum devid_err tpm2_lock_look(void *identity, struct devid_lock *lock,
                              struct devid_error *err)
{
    struct lock_work work = {.id = identity, .lock = lock};

    return tpm2_run(work.id->conn, look_op, &work, err);
}

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
