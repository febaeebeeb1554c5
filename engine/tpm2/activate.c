/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to a station's challenge: TPM2_ActivateCredential. */
#include "identity.h"

#include <string.h>

#include <openssl/crypto.h>

struct activation {
    struct tpm2_identity *id;
    TPM2B_ID_OBJECT credential;
    TPM2B_ENCRYPTED_SECRET secret;
    struct devid_field *answer;
};

static enum devid_err open_keys(struct tpm2_conn *conn,
                                struct tpm2_identity *id,
                                struct devid_error *err)
{
    struct tpm2_inventory inventory = {0};
    enum devid_err e = DEVID_OK;

    if (id->ek.handle == 0)
        e = tpm2_inventory_read(conn, &inventory, err);
    if (e == DEVID_OK)
        e = tpm2_ek_open(conn, id, &inventory, false, err);
    if (e == DEVID_OK)
        e = tpm2_devid_open(conn, id, TPM2_ROLE_IAK, err);
    return e;
}

/*
 * Two authorisations: the IAK's by its policy, in a session that encrypts; a
 * low-range EK's by its policy, that of others by their empty auth value.
 */
static enum devid_err start_sessions(struct tpm2_conn *conn,
                                     struct tpm2_identity *id,
                                     struct tpm2_tcg_session *iak,
                                     struct tpm2_tcg_session *ek,
                                     struct devid_error *err)
{
    enum devid_err e;

    iak->branch = TPM2_BRANCH_ACTIVATE;
    iak->role = TPM2_ROLE_IAK;
    iak->hash = id->iak.pub.publicArea.nameAlg;
    iak->salt = id->ek.object;
    e = tpm2_tcg_session_start(conn, id, iak, err);
    if (e != DEVID_OK)
        return e;
    ek->handle = ESYS_TR_PASSWORD;
    if (!id->ek_kind->low)
        return DEVID_OK;
    ek->branch = TPM2_BRANCH_SECRET;
    ek->role = TPM2_ROLE_EK;
    ek->hash = id->ek.pub.publicArea.nameAlg;
    ek->salt = ESYS_TR_NONE;
    return tpm2_tcg_session_start(conn, id, ek, err);
}

/*
 * Which of the two it is the TPM does not tell, so that nobody may learn.
 * libtpms answers FAILURE where RSA does not decrypt; a TPM in failure mode
 * would have refused the sessions.
 */
static enum devid_err activate_failed(const struct tpm2_identity *id,
                                      TSS2_RC rc, struct devid_error *err)
{
    TSS2_RC base = tpm2_rc_base(rc);

    if (base != TPM2_RC_INTEGRITY && base != TPM2_RC_VALUE &&
        base != TPM2_RC_SIZE && base != TPM2_RC_ECC_POINT &&
        base != TPM2_RC_INSUFFICIENT && base != TPM2_RC_FAILURE)
        return tpm2_fail(err, rc, "answer the challenge");
    return devid_fail(err, DEVID_ERR_WRONG_KEY, rc,
                      "this challenge is not for this device: it was made for "
                      "another EK than the one at 0x%08x (%s), or for another "
                      "IAK than the one at 0x%08x, or it was altered (0x%x)",
                      id->ek.handle, id->ek_kind->name, id->iak.handle, rc);
}

static enum devid_err activate_op(struct tpm2_conn *conn, void *arg,
                                  struct devid_error *err)
{
    struct activation *a = arg;
    struct tpm2_identity *id = a->id;
    struct tpm2_tcg_session iak = {0};
    struct tpm2_tcg_session ek = {0};
    TPM2B_DIGEST *answer = NULL;
    enum devid_err e = open_keys(conn, id, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    e = start_sessions(conn, id, &iak, &ek, err);
    if (e == DEVID_OK) {
        rc = Esys_ActivateCredential(conn->esys, id->iak.object, id->ek.object,
                                     iak.handle, ek.handle, ESYS_TR_NONE,
                                     &a->credential, &a->secret, &answer);
        if (rc != TSS2_RC_SUCCESS)
            e = activate_failed(id, rc, err);
    }
    tpm2_tcg_sessions_end(conn, id, e == DEVID_OK);
    if (e != DEVID_OK)
        return e;
    e = tpm2_field_put(a->answer, answer->buffer, answer->size, err);
    OPENSSL_cleanse(answer, sizeof(*answer));
    Esys_Free(answer);
    return e;
}

enum devid_err tpm2_identity_activate(void *identity,
                                      const struct devid_activation *challenge,
                                      struct devid_field *answer,
                                      struct devid_error *err)
{
    struct activation a = {.id = identity, .answer = answer};

    if (challenge->credential_len == 0 ||
        challenge->credential_len > sizeof(a.credential.credential) ||
        challenge->secret_len == 0 ||
        challenge->secret_len > sizeof(a.secret.secret))
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "no TPM takes a challenge with a credential of %zu "
                          "and a secret of %zu bytes: at most %zu and %zu",
                          challenge->credential_len, challenge->secret_len,
                          sizeof(a.credential.credential),
                          sizeof(a.secret.secret));
    a.credential.size = (UINT16)challenge->credential_len;
    memcpy(a.credential.credential, challenge->credential,
           challenge->credential_len);
    a.secret.size = (UINT16)challenge->secret_len;
    memcpy(a.secret.secret, challenge->secret, challenge->secret_len);
    return tpm2_run(a.id->conn, activate_op, &a, err);
}
