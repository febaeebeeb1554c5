/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one seam of the house: what a kind of device must be able to do.
 *
 * key.c, sign.c, decrypt.c and key_make.c are the only callers. A back end owns
 * its connection, its locks and its recovery; it may be called from any thread,
 * and after a fork.
 */
#ifndef DEVID_BACKEND_H
#define DEVID_BACKEND_H

#include "devid.h"
#include "keyfile.h"

/* What a key may do, as its back end knows it without asking the device. */
struct devid_key_limits {
    bool sign;
    bool decrypt;      /* EC: agree on secrets */
    bool learnt_later; /* whether it may is known once the device was asked */
    bool restricted;
    bool needs_auth; /* and has none yet */
    bool has_policy;
};

/* What a device made of a ciphertext. Secret: wipe it. */
struct devid_block {
    enum {
        DEVID_BLOCK_PADDED,   /* modulus-sized, padding and all */
        DEVID_BLOCK_MESSAGE,  /* the device has removed the padding */
        DEVID_BLOCK_REJECTED, /* and found it wrong */
    } state;
    size_t len;
    uint8_t data[DEVID_MODULUS_MAX];
};

struct devid_secret;
struct devid_identity_spec;
struct devid_identity_request;
struct devid_field;
struct devid_activation;
struct devid_lock;
struct devid_device_state;

struct devid_backend {
    const char *name;           /* "TPM 2.0" */
    const char *secret;         /* what opens its keys: "PIN" */
    const char *secret_setting; /* the setting that says where it is */
    const char *const *schemes; /* of URIs: "tpm2", "handle"; NULL-ended */

    /*
     * Make the back end's state for an engine: copies the settings, opens
     * nothing. `close` is called once, after the last key is gone.
     */
    enum devid_err (*open)(const struct devid *engine, void **state,
                           struct devid_error *err);
    void (*close)(void **state);

    /*
     * A key from its file: fills the public key and the limits. `file` is
     * borrowed and outlives the key. No device command, unless the file has
     * no public key.
     */
    enum devid_err (*key_open)(void *state, const struct devid_keyfile *file,
                               void **key, struct devid_public *pub,
                               struct devid_key_limits *limits,
                               struct devid_error *err);
    void (*key_free)(void **key);

    /* The key's auth value or PIN, which the key owns from here on. */
    void (*key_set_auth)(void *key, struct devid_secret *auth);

    /* The reference to the key at a URI: one question to the device. */
    enum devid_err (*key_find)(void *state, const char *uri,
                               struct devid_keyfile *file,
                               struct devid_error *err);

    /* A new key: fills `file` with what is to be written down of it. */
    enum devid_err (*key_create)(void *state, const struct devid_key_spec *spec,
                                 struct devid_keyfile *file,
                                 struct devid_error *err);

    /*
     * Take a key that another program made: `file` is a TSS2 one, whose parent
     * is 0 where it is not known (`parent`, as typed, or NULL), or a reference
     * with the TPM2B_PUBLIC that is expected there. NULL where there are none.
     */
    enum devid_err (*key_adopt)(void *state, const char *parent,
                                struct devid_keyfile *file,
                                struct devid_error *err);
    /* A software key into the device; NULL where that cannot be. */
    enum devid_err (*key_import)(void *state, const struct devid_key_spec *spec,
                                 const EVP_PKEY *pkey,
                                 struct devid_keyfile *file,
                                 struct devid_error *err);

    /*
     * A policy for the key, signed by what `spec` has for it; `policy` is
     * empty. NULL where keys have none.
     */
    enum devid_err (*policy_sign)(void *key,
                                  const struct devid_policy_spec *spec,
                                  struct devid_policy *policy,
                                  struct devid_error *err);

    /*
     * Raw signature. sign.c has checked that scheme, hash and lengths fit the
     * key's type and that the key is not restricted. `doubtful` in it, false
     * before, says that somebody else may have put another key in the place of
     * ours: sign.c verifies then, and asks once more.
     */
    enum devid_err (*sign)(void *key, const struct devid_tbs *tbs,
                           struct devid_sig *sig, struct devid_error *err);

    /*
     * RSA decryption: the power of a ciphertext, that padding is removed from
     * in software, or where key or device insist on a padding and it is the
     * one asked for, without it. decrypt.c has checked that the ciphertext is
     * as long as the modulus and smaller.
     */
    enum devid_err (*decrypt)(void *key, const struct devid_ciphertext *c,
                              struct devid_block *block,
                              struct devid_error *err);

    /*
     * ECDH: the x coordinate of the shared point. decrypt.c has checked that
     * the peer's point is on the key's curve.
     */
    enum devid_err (*derive)(void *key, const struct devid_public *peer,
                             struct devid_shared *shared,
                             struct devid_error *err);

    /* Location, attributes and Name in words; key.c fills in the rest. */
    void (*key_info)(const void *key, struct devid_key_info *info);

    enum devid_err (*remove)(void *state, const char *uri,
                             struct devid_error *err);
    /*
     * `device` is the URI that the caller gave, or NULL: a TPM back end has
     * one device, a token back end finds its token by it.
     */
    enum devid_err (*list)(void *state, const char *device, devid_object_fn *fn,
                           void *arg, struct devid_error *err);
    enum devid_err (*cert_read)(void *state, const char *uri, uint8_t **der,
                                size_t *len, struct devid_error *err);
    /* All that an NV index holds; NULL where the device has none. */
    enum devid_err (*nv_read)(void *state, const char *uri, uint8_t **data,
                              size_t *len, struct devid_error *err);
    enum devid_err (*cert_write)(void *state,
                                 const struct devid_cert_spec *spec,
                                 struct devid_error *err);
    enum devid_err (*whoami)(void *state, const char *device,
                             struct devid_device_info *info,
                             struct devid_error *err);
    /* Fill `bytes`, all of them, or fail; `device` as in `list`. */
    enum devid_err (*random)(void *state, const char *device, uint8_t *bytes,
                             size_t len, struct devid_error *err);
    /* How the device is, see state.h; `state` is zeroed but for the back end's
     * name. NULL where the device has nothing to say. */
    enum devid_err (*device_state)(void *self, const char *device,
                                   struct devid_device_state *state,
                                   struct devid_error *err);
    /*
     * A device's identity, see identity.h; all NULL where the device has no
     * endorsement key. `spec` is borrowed for the call.
     */
    enum devid_err (*identity_open)(void *state,
                                    const struct devid_identity_spec *spec,
                                    void **identity, struct devid_error *err);
    void (*identity_free)(void **identity);
    enum devid_err (*identity_request)(void *identity,
                                       struct devid_identity_request *request,
                                       struct devid_error *err);
    enum devid_err (*identity_sign)(void *identity, const struct devid_tbs *tbs,
                                    struct devid_field *signature,
                                    struct devid_error *err);
    enum devid_err (*identity_activate)(
        void *identity, const struct devid_activation *challenge,
        struct devid_field *answer, struct devid_error *err);
    enum devid_err (*identity_clear)(void *identity, struct devid_error *err);
    enum devid_err (*lock_look)(void *identity, struct devid_lock *lock,
                                struct devid_error *err);
    enum devid_err (*lock_begin)(void *identity, struct devid_lock *lock,
                                 struct devid_error *err);
    enum devid_err (*lock_apply)(void *identity, struct devid_lock *lock,
                                 struct devid_error *err);
    /* Close this process's connections; see devid_shutdown(). */
    void (*shutdown)(void);
};

/* The back ends that are built in, ended by NULL. */
extern const struct devid_backend *const devid_backends[];

/* As devid_new, over a table of back ends of the caller's: for tests. */
DEVID_CHECK enum devid_err
devid_new_with(OSSL_LIB_CTX *libctx, const struct devid_backend *const *table,
               struct devid **engine, struct devid_error *err);

/* A setting's value; NULL where nobody gave one. Borrowed. */
const char *devid_get(const struct devid *engine, const char *name);
/* Has the setting that value? */
bool devid_is(const struct devid *engine, const char *name, const char *value);

/*
 * Write the sentence and return `code`: for use as `return devid_fail(...)`.
 * err may be NULL.
 */
enum devid_err devid_fail(struct devid_error *err, enum devid_err code,
                          uint32_t device_rc, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* DEVID_ERR_SYSTEM with "out of memory". */
enum devid_err devid_no_memory(struct devid_error *err);

/* DEVID_ERR_ALG: a restricted key was asked for ordinary work. */
enum devid_err devid_fail_restricted(struct devid_error *err);
/* DEVID_ERR_ALG: a key that may only sign was asked for something else. */
enum devid_err devid_fail_signs_only(struct devid_error *err,
                                     uint32_t device_rc);

#endif
