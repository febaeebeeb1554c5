/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PKCS#11 back end's inside.
 *
 * A module is a library that p11-kit has loaded; a token is what a URI's token
 * attributes lead to, with its sessions and its PIN; a key is an object on a
 * token. Any number of operations run at once, each with a session of its own.
 * An operation is a function that p11_run() calls with a session, and calls
 * again where the failure is one that passes.
 */
#ifndef DEVID_PKCS11_H
#define DEVID_PKCS11_H

#include "../backend.h"
#include "uri.h"

#include <pthread.h>
#include <stdatomic.h>

#include <p11-kit/p11-kit.h>

/* Idle sessions that are kept, and slots that are looked at in one call. */
#define P11_SESSIONS_MAX 64
#define P11_COPIES_MAX 16 /* keys of one token that are copied */
#define P11_SLOTS_MAX 64
#define P11_ID_MAX 64
#define P11_LABEL_MAX 128

struct devid_secret;

/* ---- rv.c: what a return value means --------------------------------- */

enum p11_action {
    P11_ACTION_FAIL,   /* trying again would not help, or would harm */
    P11_ACTION_REFIND, /* log in and find the object again */
    P11_ACTION_REOPEN, /* every session, and maybe the token, is gone */
};
enum p11_action p11_rv_action(CK_RV rv);
/* "CKR_PIN_INCORRECT"; NULL for one that has no name here. */
const char *p11_rv_name(CK_RV rv);
/* Sentence and code for a failed call; `what` was asked of the token. */
enum devid_err p11_fail(struct devid_error *err, CK_RV rv, const char *what);
/*
 * The module says that it gave more than there was room for: nothing of that is
 * believed. `what` it gave: "objects".
 */
enum devid_err p11_fail_excess(struct devid_error *err, CK_ULONG said,
                               size_t room, const char *what);
/* Puts the token's label into a sentence of p11_fail's. */
void p11_fail_name(struct devid_error *err, const char *label);

/* ---- module.c, load.c ------------------------------------------------ */

struct p11_module {
    struct p11_module *next;
    CK_FUNCTION_LIST *f; /* p11-kit's managed one; never released */
    char *path;          /* as asked for; NULL: of p11-kit's registry */
    char *name;          /* in the registry; or NULL */

    pthread_mutex_t lock; /* guards what follows */
    bool initialised;
    bool inherited;     /* a parent had it: C_Finalize is not ours to call */
    uint64_t epoch;     /* counts C_Initialize; what was before is void */
    double restarts;    /* token bucket: may it be started again? */
    uint64_t refill_ms; /* when the bucket was last looked at */
};

/* The modules that a URI and the settings leave to be searched. */
struct p11_choice {
    struct p11_module **modules; /* own array of modules that stay for good */
    size_t count;
};

/*
 * Load them: dlopen and C_GetFunctionList. _NO_DEVICE: one does not load.
 * Cost: no C_* call.
 */
DEVID_CHECK enum devid_err p11_choose(const char *path, const char *name,
                                      struct p11_choice *choice,
                                      struct devid_error *err);

/* Any thread that calls into a module holds the gate: forks wait for it. */
void p11_gate_enter(void);
void p11_gate_leave(void);

/* Its file, or its name in the registry. */
const char *p11_module_called(const struct p11_module *module);
/* C_Initialize where that is not done. Cost: C_Initialize, once. */
DEVID_CHECK enum devid_err p11_module_start(struct p11_module *module,
                                            struct devid_error *err);
uint64_t p11_module_epoch(struct p11_module *module);
bool p11_module_is_inherited(struct p11_module *module);
/*
 * C_Finalize, so that the next use starts it again; waits a moment. False
 * where that is not ours to do, or was done too often of late. `epoch` is
 * the one that failed: where another thread was faster there is nothing to do.
 * `count`: how often the caller did so before, on which the wait depends.
 */
bool p11_module_restart(struct p11_module *module, uint64_t epoch,
                        unsigned count);
/* C_Finalize of all that this process has initialised. */
void p11_modules_stop(void);

/* ---- token.c, slots.c, session.c
 * ---------------------------------------------- */

/* The private key that was found last by a URI. */
struct p11_found {
    uint64_t contact; /* in which it was; else it is void */
    CK_OBJECT_HANDLE handle;
    uint8_t id[P11_ID_MAX];
    size_t id_len;
    bool always_authenticate;
};

/* A private key in a session beside the one on the token. */
struct p11_copy {
    uint64_t contact; /* of the token, when it was made */
    CK_OBJECT_HANDLE original;
    CK_OBJECT_HANDLE handle;
};

struct p11_token {
    struct p11_token *next;
    char *key;            /* URI of the token alone, and its module */
    struct p11_uri uri;   /* what the token must match */
    struct p11_choice in; /* where it is looked for */

    pthread_mutex_t lock;      /* guards what follows */
    struct devid_secret *pin;  /* own; or NULL */
    struct p11_module *module; /* where it was found; NULL: not yet */
    uint64_t epoch;            /* of the module, when it was */
    uint64_t contact;          /* counts losses: find objects again */
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    char label[33]; /* of info, without its padding */
    bool logged_in;
    size_t open_count; /* sessions; with the last one the login goes */
    CK_SESSION_HANDLE idle[P11_SESSIONS_MAX];
    size_t idle_count;
    struct p11_found found;
    struct p11_copy copies[P11_COPIES_MAX];
    size_t copy_count;
};

struct p11_state {
    const struct devid *engine; /* borrowed: it outlives its back ends */
};

/* The token of a URI, one for all that name it so. Lives to the end. */
DEVID_CHECK enum devid_err p11_token_get(const struct p11_state *state,
                                         const struct p11_uri *uri,
                                         struct p11_token **token,
                                         struct devid_error *err);
/* Taken over; one that is there already, and equal, stays. NULL is nothing. */
void p11_token_give_pin(struct p11_token *token, struct devid_secret *pin);
bool p11_token_has_pin(struct p11_token *token);
/* A copy of the PIN of another token, where this has none. */
void p11_token_share_pin(struct p11_token *from, struct p11_token *to);
/*
 * Where two rows are one token, the second takes over the place and the
 * sessions of the first, unless somebody works with either.
 */
void p11_token_move(struct p11_token *from, struct p11_token *to);
/* When the last engine goes: PINs are wiped. */
void p11_tokens_open(void);
void p11_tokens_close(void);

/* A session while an operation runs. */
struct p11_session {
    struct p11_token *token;
    CK_FUNCTION_LIST *f;
    CK_SESSION_HANDLE handle;
    uint64_t contact; /* of the token, when the session was taken */
    uint64_t epoch;   /* likewise */
    bool read_write;
};

/*
 * Find the token where it is not known. Cost: C_Initialize, C_GetSlotList,
 * C_GetTokenInfo for each slot up to it (each slot where its URI has not
 * both label and serial, since others may share one of them). _INPUT: several
 * fit; the sentence lists them.
 */
DEVID_CHECK enum devid_err p11_token_connect(struct p11_token *token,
                                             struct devid_error *err);
/* Cost: C_OpenSession where no session is idle. */
DEVID_CHECK enum devid_err p11_session_take(struct p11_token *token,
                                            bool read_write,
                                            struct p11_session *session,
                                            struct devid_error *err);
/* Back to the idle ones; closed where the operation failed. */
void p11_session_put(struct p11_session *session, bool ok);
/* After a loss of contact that `contact` stood before. */
void p11_token_forget(struct p11_token *token, uint64_t contact, CK_RV rv);

/* ---- login.c --------------------------------------------------------- */

/* Log in with the token's PIN, if it has one. Cost: C_Login, once. */
DEVID_CHECK enum devid_err p11_login(struct p11_session *session,
                                     struct devid_error *err);
/* For a key with CKA_ALWAYS_AUTHENTICATE, after C_SignInit. Cost: C_Login. */
DEVID_CHECK enum devid_err p11_login_for_key(struct p11_session *session,
                                             struct devid_error *err);
/* DEVID_ERR_AUTH where the object may be hidden for want of a PIN. */
DEVID_CHECK enum devid_err p11_check_hidden(struct p11_session *session,
                                            const char *what,
                                            struct devid_error *err);

/* ---- pin.c: where a PIN is read from --------------------------------- */

/*
 * pin-value, pin-source, else the setting pin-source. *pin is NULL where there
 * is none; `ask` tells that the program is to be asked for it.
 */
DEVID_CHECK enum devid_err p11_pin_read(const struct devid *engine,
                                        const struct p11_uri *uri,
                                        struct devid_secret **pin, bool *ask,
                                        struct devid_error *err);

/* ---- run.c ----------------------------------------------------------- */

/* One attempt. Fails by `return p11_fail(...)` so that device_rc is set. */
typedef enum devid_err p11_op(struct p11_session *session, void *arg,
                              struct devid_error *err);

enum p11_need {
    P11_READ,  /* of public objects: no login */
    P11_USE,   /* logged in where there is a PIN */
    P11_WRITE, /* that, in a session that may change the token */
};

/* Run an operation: connects, logs in, retries what passes. */
DEVID_CHECK enum devid_err p11_run(struct p11_token *token, enum p11_need need,
                                   p11_op *op, void *arg,
                                   struct devid_error *err);

/* ---- object.c: objects by attributes --------------------------------- */

/* A class that no object has: for a search of all of them. */
#define P11_ANY_CLASS CK_UNAVAILABLE_INFORMATION

/* What a search asks for. */
struct p11_query {
    CK_OBJECT_CLASS class; /* or P11_ANY_CLASS */
    const uint8_t *id;     /* NULL: any */
    size_t id_len;
    const char *label; /* NULL: any */
    size_t label_len;
};
/* The query that a URI makes for a class of object. Borrows from the URI. */
void p11_query_from_uri(const struct p11_uri *uri, CK_OBJECT_CLASS class,
                        struct p11_query *query);

/* Up to `max` objects. Cost: C_FindObjectsInit, _FindObjects, _Final. */
DEVID_CHECK enum devid_err p11_find(struct p11_session *session,
                                    const struct p11_query *query,
                                    CK_OBJECT_HANDLE *objects, CK_ULONG max,
                                    CK_ULONG *count, struct devid_error *err);
/*
 * The one object that a query fits. _NOT_FOUND; _INPUT where there are more:
 * the sentence lists them. `uri` is shown in either. Cost: as p11_find.
 */
DEVID_CHECK enum devid_err p11_find_one(struct p11_session *session,
                                        const struct p11_query *query,
                                        const char *uri,
                                        CK_OBJECT_HANDLE *object,
                                        struct devid_error *err);

/* What can be read of an object; lengths are 0 where it has no such thing. */
struct p11_object {
    CK_OBJECT_HANDLE handle;
    CK_OBJECT_CLASS class;
    CK_KEY_TYPE type;
    uint8_t id[P11_ID_MAX];
    size_t id_len;
    char label[P11_LABEL_MAX];
    uint8_t params[160]; /* CKA_EC_PARAMS */
    size_t params_len;
    uint8_t point[160]; /* CKA_EC_POINT */
    size_t point_len;
    uint8_t modulus[DEVID_MODULUS_MAX];
    size_t modulus_len;
    uint8_t exponent[8];
    size_t exponent_len;
    bool always_authenticate;
};
/* Cost: C_GetAttributeValue. */
DEVID_CHECK enum devid_err p11_object_read(struct p11_session *session,
                                           CK_OBJECT_HANDLE handle,
                                           struct p11_object *object,
                                           struct devid_error *err);
/* Of the public key; pure. DEVID_ERR_ALG for a key of another kind. */
DEVID_CHECK enum devid_err p11_object_public(const struct p11_object *object,
                                             struct devid_public *pub,
                                             struct devid_error *err);
/* CKA_EC_PARAMS of a curve; NULL for RSA. Pure. */
const uint8_t *p11_curve_params(const struct devid_algorithm *alg, size_t *len);
/*
 * The public key of a private one: from itself, or from the public object of
 * the same id. Cost: none, or C_FindObjects* and C_GetAttributeValue.
 */
DEVID_CHECK enum devid_err p11_public_of(struct p11_session *session,
                                         const struct p11_object *private_key,
                                         struct devid_public *pub,
                                         struct devid_error *err);
/* CKA_VALUE, OPENSSL_malloc. Cost: C_GetAttributeValue, twice. */
DEVID_CHECK enum devid_err p11_object_value(struct p11_session *session,
                                            CK_OBJECT_HANDLE handle,
                                            uint8_t **value, size_t *len,
                                            struct devid_error *err);
/* Attributes that are true, in words: "sensitive, never extractable". */
DEVID_CHECK enum devid_err p11_object_words(struct p11_session *session,
                                            CK_OBJECT_HANDLE handle, char *text,
                                            size_t size,
                                            struct devid_error *err);

/* ---- keys ------------------------------------------------------------ */

struct p11_key {
    struct p11_token *token;
    OSSL_LIB_CTX *libctx; /* the engine's, borrowed: it outlives its keys */
    struct p11_uri uri;
    char *text; /* the URI, without a PIN */
    struct devid_public pub;

    pthread_mutex_t lock; /* guards what follows */
    CK_OBJECT_HANDLE handle;
    uint64_t contact; /* of the token, when the handle was found; 0: never */
    uint64_t proven;  /* contact in which a signature was verified */
    bool always_authenticate;

    bool copy;          /* the setting pkcs11-copy-keys */
    atomic_bool no_pss; /* the token lacks the mechanism */
    atomic_bool no_raw; /* likewise */
};

/*
 * The private key's handle. Cost: C_FindObjectsInit, C_FindObjects,
 * C_FindObjectsFinal and C_GetAttributeValue, once a contact; and C_CopyObject
 * where keys are copied.
 */
DEVID_CHECK enum devid_err p11_key_handle(struct p11_key *key,
                                          struct p11_session *session,
                                          CK_OBJECT_HANDLE *handle,
                                          bool *always_authenticate,
                                          struct devid_error *err);

/* ---- the table's functions ------------------------------------------- */

enum devid_err p11_key_open(void *state, const struct devid_keyfile *file,
                            void **key, struct devid_public *pub,
                            struct devid_key_limits *limits,
                            struct devid_error *err);
void p11_key_free(void **key);
void p11_key_set_auth(void *key, struct devid_secret *auth);
enum devid_err p11_key_find(void *state, const char *uri,
                            struct devid_keyfile *file,
                            struct devid_error *err);
enum devid_err p11_key_import(void *state, const struct devid_key_spec *spec,
                              const EVP_PKEY *pkey, struct devid_keyfile *file,
                              struct devid_error *err);
enum devid_err p11_key_create(void *state, const struct devid_key_spec *spec,
                              struct devid_keyfile *file,
                              struct devid_error *err);
enum devid_err p11_sign(void *key, const struct devid_tbs *tbs,
                        struct devid_sig *sig, struct devid_error *err);
enum devid_err p11_decrypt(void *key, const struct devid_ciphertext *c,
                           struct devid_block *block, struct devid_error *err);
enum devid_err p11_derive(void *key, const struct devid_public *peer,
                          struct devid_shared *shared, struct devid_error *err);
void p11_key_info(const void *key, struct devid_key_info *info);
enum devid_err p11_remove(void *state, const char *uri,
                          struct devid_error *err);
enum devid_err p11_list(void *state, const char *device, devid_object_fn *fn,
                        void *arg, struct devid_error *err);
enum devid_err p11_cert_read(void *state, const char *uri, uint8_t **der,
                             size_t *len, struct devid_error *err);
enum devid_err p11_cert_write(void *state, const struct devid_cert_spec *spec,
                              struct devid_error *err);
enum devid_err p11_device_state(void *state, const char *device,
                                struct devid_device_state *out,
                                struct devid_error *err);
enum devid_err p11_whoami(void *state, const char *device,
                          struct devid_device_info *info,
                          struct devid_error *err);
enum devid_err p11_random(void *state, const char *device, uint8_t *bytes,
                          size_t len, struct devid_error *err);

#endif
