/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authorisation. A secret never crosses the bus: it is the key of an HMAC
 * session, whose own key is salted to a storage key of the TPM, and a secret
 * that is a parameter (a new key's auth value, a decrypted message where the
 * key has an auth value) is encrypted by that session.
 *
 * Managed connection: one session, kept. Bare TPM: a session an operation,
 * which the command that uses it also ends, since its three slots are
 * everybody's.
 */
#include "policy.h"

#include "../secret.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

/* ---- the key that a session is salted to ----------------------------- */

/*
 * Where the storage key's Name is known, it is the owner's: that of the null
 * hierarchy is another one after each restart.
 */
static enum devid_err salt_from_primary(struct tpm2_conn *conn, ESYS_TR *handle,
                                        struct devid_error *err)
{
    const ESYS_TR hierarchy =
        *conn->parent_name != '\0' ? ESYS_TR_RH_OWNER : ESYS_TR_RH_NULL;
    TPMS_CONTEXT *context = NULL;
    enum devid_err e =
        tpm2_primary_create(conn, hierarchy, ESYS_TR_PASSWORD, handle, err);

    if (e != DEVID_OK && tpm2_rc_base(err->device_rc) == TPM2_RC_BAD_AUTH)
        return devid_fail(err, DEVID_ERR_AUTH, err->device_rc,
                          "tpm2-parent-name names a storage key, none is at "
                          "0x%08x, and the owner hierarchy has an auth value, "
                          "which only a session salted to that key may carry: "
                          "make it persistent there",
                          TPM2_SRK_HANDLE);
    if (e != DEVID_OK)
        return e;
    e = tpm2_parent_check(conn, *handle, "the owner hierarchy", err);
    if (e != DEVID_OK)
        tpm2_flush(conn, *handle);
    if (e != DEVID_OK || conn->managed)
        return e;
    /* Making it costs a chip most of a second: the next time it is loaded. */
    if (Esys_ContextSave(conn->esys, *handle, &context) == TSS2_RC_SUCCESS) {
        conn->salt.context = *context;
        conn->salt.has_context = true;
        Esys_Free(context);
    }
    return DEVID_OK;
}

void tpm2_salt_remember(struct tpm2_conn *conn, ESYS_TR storage_key)
{
    struct tpm2_salt *salt = &conn->salt;

    if (salt->serialized != NULL && salt->generation == conn->generation)
        return;
    Esys_Free(salt->serialized);
    salt->serialized = NULL;
    salt->generation = conn->generation;
    /* If this fails it is asked for again. */
    if (Esys_TR_Serialize(conn->esys, storage_key, &salt->serialized,
                          &salt->serialized_len) != TSS2_RC_SUCCESS)
        salt->serialized = NULL;
}

static enum devid_err salt_persistent(struct tpm2_conn *conn, ESYS_TR *handle,
                                      struct devid_error *err)
{
    enum devid_err e =
        tpm2_read_handle(conn, TPM2_SRK_HANDLE, handle, NULL, err);

    if (e != DEVID_OK)
        return e;
    e = tpm2_parent_check(conn, *handle, "persistent handle 0x81000001", err);
    if (e != DEVID_OK) {
        (void)Esys_TR_Close(conn->esys, handle);
        return e;
    }
    tpm2_salt_remember(conn, *handle);
    return DEVID_OK;
}

/*
 * The persistent storage key that is there, else a primary of the null
 * hierarchy, whose auth value is always empty.
 */
static enum devid_err salt_open(struct tpm2_conn *conn, ESYS_TR *handle,
                                bool *transient, struct devid_error *err)
{
    struct tpm2_salt *salt = &conn->salt;
    enum devid_err e;

    *transient = false;
    if (salt->serialized != NULL && salt->generation == conn->generation &&
        Esys_TR_Deserialize(conn->esys, salt->serialized, salt->serialized_len,
                            handle) == TSS2_RC_SUCCESS)
        return DEVID_OK;
    if (!salt->has_context) {
        e = salt_persistent(conn, handle, err);
        if (e != DEVID_ERR_NOT_FOUND)
            return e;
    }
    *transient = true;
    if (salt->has_context &&
        Esys_ContextLoad(conn->esys, &salt->context, handle) == TSS2_RC_SUCCESS)
        return DEVID_OK;
    salt->has_context = false;
    return salt_from_primary(conn, handle, err);
}

void tpm2_salt_clear(struct tpm2_conn *conn)
{
    Esys_Free(conn->salt.serialized);
    memset(&conn->salt, 0, sizeof(conn->salt));
}

/* ---- sessions -------------------------------------------------------- */

enum devid_err tpm2_session_start(struct tpm2_conn *conn, TPM2_SE type,
                                  TPMI_ALG_HASH hash, bool salted,
                                  ESYS_TR *session, struct devid_error *err)
{
    const TPMT_SYM_DEF aes = {
        .algorithm = TPM2_ALG_AES,
        .keyBits.aes = 128,
        .mode.aes = TPM2_ALG_CFB,
    };
    ESYS_TR salt = ESYS_TR_NONE;
    bool transient = false;
    enum devid_err e = DEVID_OK;
    TSS2_RC rc;

    *session = ESYS_TR_NONE;
    if (salted)
        e = salt_open(conn, &salt, &transient, err);
    if (e != DEVID_OK)
        return e;
    rc = Esys_StartAuthSession(conn->esys, salt, ESYS_TR_NONE, ESYS_TR_NONE,
                               ESYS_TR_NONE, ESYS_TR_NONE, NULL, type, &aes,
                               hash, session);
    if (transient)
        tpm2_flush(conn, salt);
    else if (salted)
        (void)Esys_TR_Close(conn->esys, &salt);
    if (rc == TSS2_RC_SUCCESS)
        return DEVID_OK;
    *session = ESYS_TR_NONE;
    return tpm2_fail(err, rc,
                     type == TPM2_SE_HMAC ? "start an HMAC session"
                                          : "start a policy session");
}

static enum devid_err session_open(struct tpm2_conn *conn,
                                   struct devid_error *err)
{
    enum devid_err e;

    if (conn->session != ESYS_TR_NONE &&
        conn->session_instance == conn->instance)
        return DEVID_OK;
    e = tpm2_session_start(conn, TPM2_SE_HMAC, TPM2_ALG_SHA256, true,
                           &conn->session, err);
    if (e == DEVID_OK)
        conn->session_instance = conn->instance;
    return e;
}

static TSS2_RC give_value(struct tpm2_conn *conn, ESYS_TR object,
                          const struct devid_secret *secret)
{
    TPM2B_AUTH value = {0};
    TSS2_RC rc;

    value.size = (UINT16)devid_secret_len(secret);
    memcpy(value.buffer, devid_secret_data(secret), value.size);
    rc = Esys_TR_SetAuth(conn->esys, object, &value);
    OPENSSL_cleanse(&value, sizeof(value));
    return rc;
}

/* True where the command that uses the session is to leave it open. */
static bool is_kept(const struct tpm2_conn *conn, const struct tpm2_auth *auth)
{
    return conn->managed && !auth->is_policy;
}

/* `used`: the command succeeded, which has ended a session not kept. */
static void session_end(struct tpm2_conn *conn, const struct tpm2_auth *auth,
                        bool used)
{
    ESYS_TR session = auth->session;

    if (auth->secret != NULL)
        (void)Esys_TR_SetAuth(conn->esys, auth->object, NULL);
    if (is_kept(conn, auth))
        return;
    if (!auth->is_policy)
        conn->session = ESYS_TR_NONE;
    if (used)
        (void)Esys_TR_Close(conn->esys, &session);
    else
        tpm2_flush(conn, session);
}

enum devid_err tpm2_auth_check(const struct devid_secret *secret,
                               const char *what, struct devid_error *err)
{
    if (secret == NULL || !devid_secret_is_refused(secret))
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_AUTH, 0,
                      "the TPM refused this auth value for %s before, so it "
                      "is not tried again: load the key with the right one",
                      what);
}

/* ESYS_TR_PASSWORD where there is nothing to keep from the bus. */
static enum devid_err session_pick(struct tpm2_conn *conn,
                                   struct tpm2_auth *auth,
                                   struct devid_error *err)
{
    enum devid_err e;

    auth->session = ESYS_TR_PASSWORD;
    auth->is_policy = auth->key != NULL && tpm2_policy_needed(auth->key);
    if (auth->secret == NULL && !auth->encrypt && !auth->is_policy)
        return DEVID_OK;
    e = tpm2_auth_check(auth->secret, auth->what, err);
    if (e == DEVID_OK && auth->is_policy)
        return tpm2_policy_begin(conn, auth, err);
    if (e == DEVID_OK)
        e = session_open(conn, err);
    if (e == DEVID_OK)
        auth->session = conn->session;
    return e;
}

enum devid_err tpm2_auth_begin(struct tpm2_conn *conn, struct tpm2_auth *auth,
                               struct devid_error *err)
{
    TPMA_SESSION attributes = 0;
    enum devid_err e = session_pick(conn, auth, err);
    TSS2_RC rc;

    if (e != DEVID_OK || auth->session == ESYS_TR_PASSWORD)
        return e;
    if (is_kept(conn, auth))
        attributes |= TPMA_SESSION_CONTINUESESSION;
    if (auth->encrypt)
        attributes |= TPMA_SESSION_DECRYPT;
    /* Unsalted, it would hide nothing. */
    if (auth->encrypt_answer && (!auth->is_policy || auth->secret != NULL))
        attributes |= TPMA_SESSION_ENCRYPT;
    rc = Esys_TRSess_SetAttributes(conn->esys, auth->session, attributes, 0xff);
    if (rc == TSS2_RC_SUCCESS && auth->secret != NULL)
        rc = give_value(conn, auth->object, auth->secret);
    if (rc != TSS2_RC_SUCCESS) {
        session_end(conn, auth, false);
        return tpm2_fail(err, rc, "take an auth value");
    }
    /* Of workers that start together one tries a value that is new. */
    if (auth->secret != NULL &&
        devid_secret_begin(auth->secret) == DEVID_SECRET_REFUSED) {
        session_end(conn, auth, false);
        return tpm2_auth_check(auth->secret, auth->what, err);
    }
    return DEVID_OK;
}

void tpm2_auth_end(struct tpm2_conn *conn, const struct tpm2_auth *auth,
                   TSS2_RC rc)
{
    TSS2_RC base = tpm2_rc_base(rc);

    if (auth->session == ESYS_TR_PASSWORD)
        return;
    session_end(conn, auth, rc == TSS2_RC_SUCCESS);
    if (auth->secret == NULL)
        return;
    if (base == TPM2_RC_AUTH_FAIL || base == TPM2_RC_BAD_AUTH)
        devid_secret_refuse(auth->secret);
    else
        devid_secret_end(auth->secret, rc == TSS2_RC_SUCCESS);
}

/* ---- what to say ----------------------------------------------------- */

struct lockout {
    uint32_t counter;
    uint32_t max;
    uint32_t interval_s;
};

static bool read_lockout(struct tpm2_conn *conn, struct lockout *lockout)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    uint32_t *fields[] = {&lockout->counter, &lockout->max,
                          &lockout->interval_s};

    /* LOCKOUT_COUNTER, MAX_AUTH_FAIL and LOCKOUT_INTERVAL are neighbours. */
    if (tpm2_capability(conn, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_LOCKOUT_COUNTER,
                        3, &data, NULL) != DEVID_OK)
        return false;
    for (UINT32 i = 0; i < 3 && i < data->data.tpmProperties.count; i++)
        *fields[i] = data->data.tpmProperties.tpmProperty[i].value;
    bool complete = data->data.tpmProperties.count >= 3;
    Esys_Free(data);
    return complete;
}

enum devid_err tpm2_auth_fail(struct tpm2_conn *conn,
                              const struct tpm2_auth *auth, TSS2_RC rc,
                              struct devid_error *err)
{
    struct lockout lockout = {0};
    char counter[160] = "";

    switch (tpm2_rc_base(rc)) {
    case TPM2_RC_AUTH_FAIL:
    case TPM2_RC_BAD_AUTH:
        if (read_lockout(conn, &lockout))
            (void)snprintf(counter, sizeof(counter),
                           "; its dictionary-attack counter stands at %u of %u",
                           lockout.counter, lockout.max);
        if (auth->secret == NULL)
            return devid_fail(err, DEVID_ERR_AUTH, rc,
                              "%s has an auth value, and none was given%s",
                              auth->what, counter);
        return devid_fail(err, DEVID_ERR_AUTH, rc,
                          "the TPM refused the auth value given for %s; it "
                          "was tried once and will not be tried again%s",
                          auth->what, counter);
    case TPM2_RC_LOCKOUT:
        if (read_lockout(conn, &lockout))
            (void)snprintf(counter, sizeof(counter),
                           " (%u failures of %u); it forgives one every %u "
                           "seconds",
                           lockout.counter, lockout.max, lockout.interval_s);
        return devid_fail(err, DEVID_ERR_LOCKED, rc,
                          "the TPM is in dictionary-attack lockout%s: wait, or "
                          "reset it with its lockout authorisation "
                          "(tpm2_dictionarylockout --clear-lockout)",
                          counter);
    default: /* not an enum */
        return tpm2_fail(err, rc, auth->doing);
    }
}
