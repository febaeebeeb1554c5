/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TPM back end's inside.
 *
 * One connection a process and TCTI string; its mutex admits one operation
 * at a time, because a TPM does. An operation is a function that tpm2_run()
 * calls with the connection open and locked, and calls again where the
 * failure is one that passes.
 */
#ifndef DEVID_TPM2_H
#define DEVID_TPM2_H

#include "../backend.h"
#include "../wait.h"
#include "public.h"

#include <pthread.h>
#include <tss2/tss2_esys.h>

#define TPM2_SRK_HANDLE 0x81000001u
#define TPM2_EK_HANDLE 0x81010001u
#define TPM2_IDEVID_HANDLE 0x81020000u
#define TPM2_IAK_HANDLE 0x81020001u
/* Ranges of handles (TPM 2.0 Part 2, 7.2); tss2 shifts a signed int. */
#define TPM2_NV_INDEX_MIN 0x01000000u
#define TPM2_TRANSIENT_MIN 0x80000000u
#define TPM2_PERSISTENT_MIN 0x81000000u
#define TPM2_PERSISTENT_PLATFORM 0x81800000u
#define TPM2_PERSISTENT_MAX 0x81ffffffu

#define TPM2_POLL_FDS_MAX 4
#define TPM2_PARKED_MAX 8
#define TPM2_OWED_MAX 8

struct devid_secret;
struct tpm2_key;

/* The storage key that sessions are salted to, once it is known. */
struct tpm2_salt {
    uint8_t *serialized; /* a persistent one's ESYS object, of generation */
    size_t serialized_len;
    uint64_t generation;
    bool has_context; /* bare: one of the null hierarchy, saved */
    TPMS_CONTEXT context;
};

struct tpm2_nv_limits {
    bool known; /* of generation; else what every chip has */
    uint64_t generation;
    UINT16 chunk;     /* bytes of one NV_Read or NV_Write */
    UINT32 index_max; /* bytes of an index */
};

/* See answer.c. */
struct tpm2_answers {
    TSS2_TCTI_CONTEXT_COMMON_V1 common;
    struct tpm2_conn *conn;
};

struct tpm2_conn {
    pthread_mutex_t lock;
    struct tpm2_conn *next;
    unsigned refs; /* guarded by the registry's lock, as is next */

    char *tcti;              /* as configured, or the default */
    pthread_mutex_t *shared; /* tpm2-open = early: see early.c; else NULL */
    char *sharing;
    char *parent_name; /* tpm2-parent-name; "": any will do */
    unsigned lock_timeout_ms;
    bool has_rm;    /* a resource manager stands before the TPM */
    bool managed;   /* keys stay loaded */
    bool exclusive; /* admits one client: opened for one operation */
    bool uses_glib; /* tabrmd: GLib's bus connection does not survive a fork */
    void *library;  /* the TCTI's, held open since the key was loaded */

    /* guarded by lock */
    TSS2_TCTI_CONTEXT *tcti_ctx;
    struct tpm2_answers answers; /* between it and esys */
    ESYS_CONTEXT *esys;
    ESYS_CONTEXT *abandoned; /* the parent's: never spoken to again */
    bool stranded;     /* tabrmd: a parent had opened it, see tpm2_tcti_fail */
    uint64_t instance; /* of esys; what it made dies with it */
    uint64_t generation;     /* counts losses of contact: prove keys again */
    struct tpm2_key *loaded; /* keys with an object on this instance */
    struct tpm2_key *keys;   /* all that are open, for the reaper */
    bool orphaned;           /* an object may have gone astray with the link */
    uint32_t owed[TPM2_OWED_MAX]; /* what could not be flushed, see flush.c */
    size_t owed_count;
    struct tpm2_salt salt;
    struct tpm2_nv_limits nv_limits;
    ESYS_TR session; /* HMAC; valid while its instance is the connection's */
    uint64_t session_instance;
    uint32_t parked[TPM2_PARKED_MAX]; /* sessions, see reap.c */
    size_t parked_count;
    uint64_t parked_at_ms;
    int fds[TPM2_POLL_FDS_MAX];
    size_t fd_count;
};

struct tpm2_key {
    struct tpm2_conn *conn;
    OSSL_LIB_CTX *libctx; /* the engine's, borrowed: it outlives its keys */
    uint32_t persistent;  /* handle; 0 for a blob */
    struct devid_public pub;
    const struct devid_keyfile *file; /* borrowed: it outlives the key */

    TPM2B_PRIVATE blob; /* a blob's private part, encrypted by the TPM */
    uint32_t parent;

    struct devid_secret *auth;        /* own; NULL: empty or not known */
    struct devid_secret *parent_auth; /* own; NULL: empty */

    /* guarded by conn->lock from here on */
    bool has_public; /* a reference's is learnt at first use */
    TPM2B_PUBLIC tpm_public;
    ESYS_TR handle; /* valid while instance is the connection's */
    uint64_t instance;
    uint8_t *serialized; /* a persistent key's, proven in generation */
    size_t serialized_len;
    uint64_t generation;
    bool has_context; /* bare: the saved context of the loaded blob */
    TPMS_CONTEXT context;
    struct tpm2_key *next_loaded;
    struct tpm2_key *next_open;

    size_t policy_branch;    /* the signed policy that held the last time */
    size_t ticket_branch;    /* the one that the TPM has verified */
    TPMT_TK_VERIFIED ticket; /* of that; where has_ticket */
    bool has_ticket;

    bool pss_checked; /* the TPM's PSS salt has been looked at */
    bool pss_salt_is_digest;
};

/* ---- connection.c, fork.c -------------------------------------------- */

/* One attempt. Fails by `return tpm2_fail(...)` so that device_rc is set. */
typedef enum devid_err tpm2_op(struct tpm2_conn *conn, void *arg,
                               struct devid_error *err);

DEVID_CHECK enum devid_err tpm2_conn_get(const struct devid *engine,
                                         struct tpm2_conn **conn,
                                         struct devid_error *err);
void tpm2_conn_put(struct tpm2_conn **conn);
void tpm2_shutdown(void);

/* dlopen the TCTI's library now: a program may be in a chroot later. */
void tpm2_conn_preload(struct tpm2_conn *conn);

/*
 * Run an operation: connects, retries what passes, recovers the link. Called
 * from within another one of the same thread it makes one attempt.
 */
DEVID_CHECK enum devid_err tpm2_run(struct tpm2_conn *conn, tpm2_op *op,
                                    void *arg, struct devid_error *err);

/* Close the link; what is loaded over it is forgotten. */
void tpm2_disconnect(struct tpm2_conn *conn);

/* ---- flush.c: letting go --------------------------------------------- */

/* Flush an object or a session of ours; ESYS_TR_NONE is nothing. */
void tpm2_flush(struct tpm2_conn *conn, ESYS_TR object);
/* All that is loaded on a connection that nobody cleans up behind. */
void tpm2_flush_all(struct tpm2_conn *conn);
/* Flush what could not be flushed before; opens the link for it. */
void tpm2_settle(struct tpm2_conn *conn);
/* The link is closed: a resource manager behind it has cleaned up. */
void tpm2_forget_link(struct tpm2_conn *conn);

/* ---- early.c: a link that children use ------------------------------- */

bool tpm2_early_init(struct tpm2_conn *conn);
void tpm2_early_free(struct tpm2_conn *conn);
/* Open the link where tpm2-open is early; says why it does not open. */
DEVID_CHECK enum devid_err tpm2_early_open(struct tpm2_conn *conn,
                                           struct devid_error *err);
/* Around each attempt of an operation; nothing where tpm2-open is late. */
void tpm2_early_lock(struct tpm2_conn *conn);
void tpm2_early_unlock(struct tpm2_conn *conn);
void tpm2_early_renew(struct tpm2_conn *conn);

/* ---- answer.c: whole answers alone ------------------------------------ */

/* A TCTI whose every answer comes from conn->tcti_ctx, is as long as its header
 * says, or is an error. Lives as long as conn. */
TSS2_TCTI_CONTEXT *tpm2_answers_of(struct tpm2_conn *conn);

/* ---- tcti.c: opening and naming a link ------------------------------- */

/* Fills has_rm, managed, exclusive from the TCTI string and the setting. */
void tpm2_tcti_classify(struct tpm2_conn *conn);
TSS2_RC tpm2_tcti_open(struct tpm2_conn *conn);
void tpm2_tcti_close(struct tpm2_conn *conn);
/* dlopen the TCTI's library where that is not done; never closed again. */
void tpm2_tcti_preload(struct tpm2_conn *conn);
/* Why the link does not open, in one sentence. */
enum devid_err tpm2_tcti_fail(const struct tpm2_conn *conn, TSS2_RC rc,
                              struct devid_error *err);

/* ---- rc.c: what a response code means -------------------------------- */

enum tpm2_action {
    TPM2_ACTION_FAIL,      /* trying again would not help, or would harm */
    TPM2_ACTION_WAIT,      /* passes by itself */
    TPM2_ACTION_RECONNECT, /* the link or what was loaded over it is gone */
};
enum tpm2_action tpm2_rc_action(TSS2_RC rc);
/* The TPM's own code without parameter numbers; 0 for other layers. */
TSS2_RC tpm2_rc_base(TSS2_RC rc);
/* Sentence and code for a failed command; `what` was asked of the TPM. */
enum devid_err tpm2_fail(struct devid_error *err, TSS2_RC rc, const char *what);

/* ---- template.c: public areas that we ask for ------------------------ */

void tpm2_template_key(const struct devid_key_spec *spec,
                       const struct devid_algorithm *alg, TPM2B_PUBLIC *pub);
void tpm2_template_storage(TPM2B_PUBLIC *pub);
/* Whether a key was made from that template. */
bool tpm2_public_is_storage(const TPMT_PUBLIC *tpm);

/* ---- auth.c: secrets, never in clear on the bus ---------------------- */

/* One command that needs authorisation. */
struct tpm2_auth {
    ESYS_TR object;
    struct devid_secret *secret; /* borrowed; NULL: the empty value */
    struct tpm2_key *key; /* whose policy stands before it; NULL: none does */
    bool encrypt;         /* the command's first parameter is a secret */
    bool encrypt_answer;  /* the answer's is, where there is a secret above */
    const char *what;     /* "this key", "its parent" */
    const char *doing;    /* "sign": what is asked of the TPM */
    ESYS_TR session;      /* out: for the command; ESYS_TR_PASSWORD if empty */
    bool is_policy;       /* out: it satisfies the key's policy */
};
/* _AUTH where the value was refused before; asks no TPM. */
DEVID_CHECK enum devid_err tpm2_auth_check(const struct devid_secret *secret,
                                           const char *what,
                                           struct devid_error *err);
DEVID_CHECK enum devid_err tpm2_auth_begin(struct tpm2_conn *conn,
                                           struct tpm2_auth *auth,
                                           struct devid_error *err);
/* After the command, with what it answered. */
void tpm2_auth_end(struct tpm2_conn *conn, const struct tpm2_auth *auth,
                   TSS2_RC rc);
/* As tpm2_fail; says where the lockout counter stands. */
enum devid_err tpm2_auth_fail(struct tpm2_conn *conn,
                              const struct tpm2_auth *auth, TSS2_RC rc,
                              struct devid_error *err);
/*
 * Start a session: an HMAC session or one for a policy. Salted where an auth
 * value depends on it: a guesser could try values against its HMAC otherwise.
 */
DEVID_CHECK enum devid_err tpm2_session_start(struct tpm2_conn *conn,
                                              TPM2_SE type, TPMI_ALG_HASH hash,
                                              bool salted, ESYS_TR *session,
                                              struct devid_error *err);
/* A storage key that is open anyway may serve as salt. */
void tpm2_salt_remember(struct tpm2_conn *conn, ESYS_TR storage_key);
void tpm2_salt_clear(struct tpm2_conn *conn);

/* ---- evict.c --------------------------------------------------------- */

/* Put an object at a persistent handle, or take it away from there. */
DEVID_CHECK enum devid_err tpm2_evict(struct tpm2_conn *conn, ESYS_TR object,
                                      uint32_t handle,
                                      struct devid_secret *secret,
                                      const char *doing,
                                      struct devid_error *err);
/* As tpm2_evict, which puts it there; the persistent key stays open in *made.
 */
DEVID_CHECK enum devid_err tpm2_persist(struct tpm2_conn *conn, ESYS_TR object,
                                        uint32_t handle,
                                        struct devid_secret *secret,
                                        ESYS_TR *made, struct devid_error *err);
/* Free an NV index; closes its ESYS object where that is done. */
DEVID_CHECK enum devid_err tpm2_nv_undefine(struct tpm2_conn *conn,
                                            ESYS_TR index,
                                            struct devid_secret *secret,
                                            struct devid_error *err);

/* ---- load.c: a key on the wire --------------------------------------- */

/*
 * Make the key usable on the open connection. `flush` tells that the object
 * must go when the operation is over: tpm2_key_release does it.
 */
DEVID_CHECK enum devid_err tpm2_key_acquire(struct tpm2_conn *conn,
                                            struct tpm2_key *key, bool *flush,
                                            struct devid_error *err);
void tpm2_key_release(struct tpm2_conn *conn, struct tpm2_key *key, bool flush);
/* Flush what is loaded and forget it; the connection is locked. */
void tpm2_key_unload(struct tpm2_conn *conn, struct tpm2_key *key);

/* ---- use.c: a key at work -------------------------------------------- */

/* One command with a key. The functions get `arg`. */
struct tpm2_use {
    struct tpm2_key *key;
    const char *doing; /* "sign" */
    bool secret;       /* so is the answer's first parameter */
    void *arg;
    /* What to ask for, once the key's public area is known. */
    enum devid_err (*plan)(void *arg, struct devid_error *err);
    TSS2_RC (*command)(void *arg, ESYS_CONTEXT *esys, ESYS_TR session);
    /* What an answer means for this command; DEVID_OK: nothing special;
       NULL: none does. */
    enum devid_err (*refused)(void *arg, TSS2_RC rc, struct devid_error *err);
};
/* Load, authorise, send, let go; again where the failure passes. */
DEVID_CHECK enum devid_err tpm2_key_use(struct tpm2_use *use,
                                        struct devid_error *err);
/* An attribute of a key whose public area is known. */
bool tpm2_key_may(const struct tpm2_key *key, TPMA_OBJECT attribute);

/*
 * Public area behind an object's handle or NV index as ESYS has read it,
 * without a second command. DEVID_ERR_NOT_FOUND where the handle is empty.
 */
DEVID_CHECK enum devid_err tpm2_read_handle(struct tpm2_conn *conn,
                                            uint32_t handle, ESYS_TR *object,
                                            TPM2B_PUBLIC *pub,
                                            struct devid_error *err);

/* The same as an operation of its own; nothing stays open. */
DEVID_CHECK enum devid_err tpm2_read_public_at(struct tpm2_conn *conn,
                                               uint32_t handle,
                                               TPM2B_PUBLIC *pub,
                                               struct devid_error *err);

/*
 * The public area that ESYS holds of a key, by which it salts sessions. False:
 * this tpm2-tss lays it out in a way that is not known here. Asks no TPM.
 */
bool tpm2_object_public(struct tpm2_conn *conn, ESYS_TR object,
                        TPM2B_PUBLIC *pub);

/* ---- reap.c: what killed programs left in a bare TPM ------------------ */

/* Make room where rc says that slots are full. */
void tpm2_reap(struct tpm2_conn *conn, TSS2_RC rc);
/*
 * Flush every loaded object that is a key of this process, or a primary as we
 * make it. False where the TPM did not say what there is.
 */
bool tpm2_reap_lost(struct tpm2_conn *conn);
/* Give back the handles of the sessions that tpm2_reap() put aside. */
void tpm2_unpark(struct tpm2_conn *conn);

#include "parent.h"
#include "table.h"

#endif
