/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's identity in a TPM. Each call is one operation; what it opens or
 * loads it closes or flushes, so that a bare TPM's slots are free between two
 * calls and nothing is orphaned by a program that waits for its station.
 */
#ifndef DEVID_TPM2_IDENTITY_H
#define DEVID_TPM2_IDENTITY_H

#include "tcg.h"

#include "../identity.h"

#define TPM2_SESSIONS_MAX 2

/* A persistent key, once it is known. */
struct tpm2_held {
    uint32_t handle; /* 0: not looked for yet */
    bool known;      /* pub is what was found there */
    TPM2B_PUBLIC pub;
    ESYS_TR object; /* valid while instance is the connection's */
    uint64_t instance;
};

struct tpm2_identity {
    struct tpm2_conn *conn;                /* own reference */
    OSSL_LIB_CTX *libctx;                  /* the engine's, borrowed */
    struct devid_secret *endorsement_auth; /* own; NULL: empty */
    struct devid_secret *owner_auth;       /* own; NULL: empty */
    struct devid_secret *lockout_auth;     /* own; NULL: empty */
    const struct devid_algorithm *alg;     /* asked for; or NULL */
    const struct devid_algorithm *ek_alg;  /* asked for; or NULL */

    /* guarded by conn->lock from here on */
    const struct tpm2_ek_kind *ek_kind; /* of ek, once it is known */
    struct tpm2_held ek;                /* its handle may be asked for */
    struct tpm2_held iak;
    struct tpm2_held idevid;
    ESYS_TR sessions[TPM2_SESSIONS_MAX]; /* of the operation at work */
    size_t session_count;
};

/* What the TPM has at its handles, as a request finds it. */
struct tpm2_inventory {
    TPML_HANDLE persistent;
    TPML_HANDLE indices;
};

/* ---- identity.c ------------------------------------------------------ */

DEVID_CHECK enum devid_err tpm2_inventory_read(struct tpm2_conn *conn,
                                               struct tpm2_inventory *inventory,
                                               struct devid_error *err);
bool tpm2_inventory_has(const TPML_HANDLE *list, uint32_t handle);

/* Open it on this connection. _NOT_FOUND; _WRONG_KEY: it was another before. */
DEVID_CHECK enum devid_err tpm2_held_open(struct tpm2_conn *conn,
                                          struct tpm2_held *held,
                                          struct devid_error *err);
/* Open IAK or IDevID, which must be one. */
DEVID_CHECK enum devid_err tpm2_devid_open(struct tpm2_conn *conn,
                                           struct tpm2_identity *id,
                                           enum tpm2_role role,
                                           struct devid_error *err);
/* Empty: what was put into it before is freed. */
DEVID_CHECK enum devid_err tpm2_field_put(struct devid_field *field,
                                          const uint8_t *data, size_t len,
                                          struct devid_error *err);

/* ---- primary.c: keys of the endorsement hierarchy --------------------- */

struct tpm2_made {
    ESYS_TR object; /* loaded: to be flushed */
    TPM2B_PUBLIC pub;
    TPMS_CREATION_DATA creation;
    TPM2B_DIGEST creation_hash;
    TPMT_TK_CREATION ticket;
};
DEVID_CHECK enum devid_err tpm2_primary_make(struct tpm2_conn *conn,
                                             struct tpm2_identity *id,
                                             const TPM2B_PUBLIC *template,
                                             struct tpm2_made *made,
                                             struct devid_error *err);
void tpm2_primary_flush(struct tpm2_conn *conn, struct tpm2_made *made);
/* Put it at held->handle, where nothing is; held is open then. */
DEVID_CHECK enum devid_err tpm2_primary_keep(struct tpm2_conn *conn,
                                             struct tpm2_identity *id,
                                             const struct tpm2_made *made,
                                             struct tpm2_held *held,
                                             struct devid_error *err);

/* ---- ek.c ------------------------------------------------------------ */

/* Choose an EK and open it; `make`: where it is not persistent. */
DEVID_CHECK enum devid_err tpm2_ek_open(struct tpm2_conn *conn,
                                        struct tpm2_identity *id,
                                        const struct tpm2_inventory *inventory,
                                        bool make, struct devid_error *err);
/* Its certificate and those of its issuers, as they lie in NV. */
DEVID_CHECK enum devid_err tpm2_ek_certs(struct tpm2_conn *conn,
                                         const struct tpm2_identity *id,
                                         const struct tpm2_inventory *inventory,
                                         struct devid_identity_request *request,
                                         struct devid_error *err);

/* ---- tcg_session.c: the fixed policies -------------------------------- */

struct tpm2_tcg_session {
    enum tpm2_branch branch; /* SECRET: of a low-range EK */
    enum tpm2_role role;
    TPMI_ALG_HASH hash; /* the key's name algorithm */
    ESYS_TR salt;       /* an EK: parameters may be encrypted; or NONE */
    ESYS_TR handle;     /* out */
};
/* One that satisfies a branch; it is ended with tpm2_tcg_sessions_end. */
DEVID_CHECK enum devid_err
tpm2_tcg_session_start(struct tpm2_conn *conn, struct tpm2_identity *id,
                       struct tpm2_tcg_session *session,
                       struct devid_error *err);
/* `used`: the command succeeded that has ended them in the TPM. */
void tpm2_tcg_sessions_end(struct tpm2_conn *conn, struct tpm2_identity *id,
                           bool used);

/* ---- orphans.c: what a killed run left in a bare TPM ------------------- */

/* Look whether `object`, just made, is not alone; flush orphans where so. */
void tpm2_orphans_objects(struct tpm2_conn *conn, OSSL_LIB_CTX *libctx,
                          ESYS_TR object);
/* The same for the last of the sessions. */
void tpm2_orphans_sessions(struct tpm2_conn *conn,
                           const struct tpm2_identity *id);
/*
 * Flush what HMAC sessions there are: nothing tells ours from others', so only
 * where it is certain that a run of ours was killed with one.
 */
void tpm2_orphans_hmac(struct tpm2_conn *conn);

/* ---- the table's functions ------------------------------------------- */

enum devid_err tpm2_identity_open(void *state,
                                  const struct devid_identity_spec *spec,
                                  void **identity, struct devid_error *err);
void tpm2_identity_free(void **identity);
enum devid_err tpm2_identity_request(void *identity,
                                     struct devid_identity_request *request,
                                     struct devid_error *err);
enum devid_err tpm2_identity_sign(void *identity, const struct devid_tbs *tbs,
                                  struct devid_field *signature,
                                  struct devid_error *err);
enum devid_err tpm2_identity_activate(void *identity,
                                      const struct devid_activation *challenge,
                                      struct devid_field *answer,
                                      struct devid_error *err);
enum devid_err tpm2_identity_clear(void *identity, struct devid_error *err);
enum devid_err tpm2_lock_look(void *identity, struct devid_lock *lock,
                              struct devid_error *err);
enum devid_err tpm2_lock_begin(void *identity, struct devid_lock *lock,
                               struct devid_error *err);
enum devid_err tpm2_lock_apply(void *identity, struct devid_lock *lock,
                               struct devid_error *err);

#endif
