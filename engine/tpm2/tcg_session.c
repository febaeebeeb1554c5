/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions for the TCG's fixed policies. */
#include "identity.h"

/* The command that it authorises ends it, and is encrypted where it can. */
static enum devid_err set_attributes(struct tpm2_conn *conn,
                                     const struct tpm2_tcg_session *session,
                                     struct devid_error *err)
{
    TPMA_SESSION encrypt = session->salt == ESYS_TR_NONE
                               ? 0
                               : TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
    TSS2_RC rc =
        Esys_TRSess_SetAttributes(conn->esys, session->handle, encrypt, 0xff);

    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : tpm2_fail(err, rc, "use a policy session");
}

static enum devid_err start(struct tpm2_conn *conn, struct tpm2_identity *id,
                            struct tpm2_tcg_session *session,
                            struct devid_error *err)
{
    const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
    const TPMT_SYM_DEF aes = {
        .algorithm = TPM2_ALG_AES,
        .keyBits.aes = 128,
        .mode.aes = TPM2_ALG_CFB,
    };
    TSS2_RC rc = Esys_StartAuthSession(
        conn->esys, session->salt, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
        ESYS_TR_NONE, NULL, TPM2_SE_POLICY,
        session->salt == ESYS_TR_NONE ? &none : &aes, session->hash,
        &session->handle);

    if (rc == TSS2_RC_SUCCESS) {
        id->sessions[id->session_count++] = session->handle;
        tpm2_orphans_sessions(conn, id);
        return set_attributes(conn, session, err);
    }
    if (tpm2_rc_base(rc) == TPM2_RC_SESSION_MEMORY && id->session_count == 0)
        tpm2_orphans_sessions(conn, id);
    return tpm2_fail(err, rc, "start a policy session");
}

static enum devid_err policy_secret(struct tpm2_conn *conn,
                                    const struct tpm2_identity *id,
                                    ESYS_TR session, struct devid_error *err)
{
    const TPM2B_NONCE nonce = {0};
    const TPM2B_DIGEST none = {0};
    struct tpm2_auth auth = {
        .object = ESYS_TR_RH_ENDORSEMENT,
        .secret = id->endorsement_auth,
        .what = "the endorsement hierarchy (endorsement-auth-source)",
        .doing = "authorise a policy by the endorsement hierarchy",
    };
    enum devid_err e = tpm2_auth_begin(conn, &auth, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = Esys_PolicySecret(conn->esys, auth.object, session, auth.session,
                           ESYS_TR_NONE, ESYS_TR_NONE, &nonce, &none, &none, 0,
                           NULL, NULL);
    tpm2_auth_end(conn, &auth, rc);
    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : tpm2_auth_fail(conn, &auth, rc, err);
}

static enum devid_err policy_branch(struct tpm2_conn *conn,
                                    const struct tpm2_identity *id,
                                    const struct tpm2_tcg_session *session,
                                    struct devid_error *err)
{
    struct tpm2_tcg_policy policy = {.hash = session->hash};
    TPM2_CC command = session->branch == TPM2_BRANCH_CERTIFY
                          ? TPM2_CC_Certify
                          : TPM2_CC_ActivateCredential;
    enum devid_err e =
        tpm2_tcg_policy(session->role, false, id->libctx, &policy, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = Esys_PolicyCommandCode(conn->esys, session->handle, ESYS_TR_NONE,
                                ESYS_TR_NONE, ESYS_TR_NONE, command);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_PolicyOR(conn->esys, session->handle, ESYS_TR_NONE,
                           ESYS_TR_NONE, ESYS_TR_NONE, &policy.branches);
    return rc == TSS2_RC_SUCCESS
               ? DEVID_OK
               : tpm2_fail(err, rc, "take a branch of the key's policy");
}

enum devid_err tpm2_tcg_session_start(struct tpm2_conn *conn,
                                      struct tpm2_identity *id,
                                      struct tpm2_tcg_session *session,
                                      struct devid_error *err)
{
    enum devid_err e = start(conn, id, session, err);

    if (e == DEVID_OK)
        e = policy_secret(conn, id, session->handle, err);
    if (e == DEVID_OK && session->branch != TPM2_BRANCH_SECRET)
        e = policy_branch(conn, id, session, err);
    return e;
}

void tpm2_tcg_sessions_end(struct tpm2_conn *conn, struct tpm2_identity *id,
                           bool used)
{
    for (size_t i = 0; i < id->session_count; i++) {
        /* If this fails it is gone, or the link and all with it. */
        if (used)
            (void)Esys_TR_Close(conn->esys, &id->sessions[i]);
        else
            tpm2_flush(conn, id->sessions[i]);
    }
    id->session_count = 0;
}
