/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenSSL provider `devid`: what its files share.
 *
 * One file per operation; a key's type is data. The provider sees the engine
 * through devid.h alone, and the program through the core's upcalls.
 */
#ifndef PROV_H
#define PROV_H

#include "devid.h"

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#define PROV_NAME "devid"

/* In the definition of every algorithm, and in every fetch of our own. */
#define PROV_PROPERTIES "provider=" PROV_NAME
#define PROV_NOT_OURS "provider!=" PROV_NAME

#define PROV_FN(function) ((void (*)(void))(function))

/* What the core lets a provider call. None is NULL once we are initialised. */
struct prov_core {
    OSSL_FUNC_core_get_params_fn *get_params;
    OSSL_FUNC_core_get_libctx_fn *get_libctx;
    OSSL_FUNC_core_new_error_fn *new_error;
    OSSL_FUNC_core_set_error_debug_fn *set_error_debug;
    OSSL_FUNC_core_vset_error_fn *vset_error;
    OSSL_FUNC_BIO_read_ex_fn *bio_read;
    OSSL_FUNC_BIO_write_ex_fn *bio_write;
    OSSL_FUNC_BIO_gets_fn *bio_gets;
    OSSL_FUNC_BIO_ctrl_fn *bio_ctrl;
    OSSL_FUNC_provider_register_child_cb_fn *register_child;
    OSSL_FUNC_provider_deregister_child_cb_fn *deregister_child;
    OSSL_FUNC_provider_name_fn *provider_name;
};

/* One a library context that activates us. Read-only once initialised. */
struct prov_ctx {
    const OSSL_CORE_HANDLE *handle;
    struct prov_core core;
    OSSL_LIB_CTX *libctx;      /* a child of the program's: for hashing */
    OSSL_LIB_CTX *program_ctx; /* the program's own, borrowed; NULL where it
                                  belongs to another libcrypto, or is the
                                  default one by that name: see settle.c */
    bool same_libcrypto;       /* as the program's */
    bool dormant;              /* only decoders are offered, to say why */
    struct devid *engine;      /* NULL where devid_new failed: see trouble */
    enum devid_err trouble;    /* why no key can be opened, or DEVID_OK */
    struct devid_error trouble_text;
};

/* ---- errors.c -------------------------------------------------------- */

/* One reason per enum devid_err. */
extern const OSSL_ITEM prov_reason_strings[];

/*
 * Raise one error in the program's queue: our reason for `code`, the sentence
 * as its data.
 */
void prov_raise_at(const struct prov_ctx *ctx, const char *file, int line,
                   const char *function, enum devid_err code,
                   const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#define prov_raise(ctx, ...)                                                   \
    prov_raise_at((ctx), __FILE__, __LINE__, __func__, __VA_ARGS__)
#define prov_raise_memory(ctx)                                                 \
    prov_raise((ctx), DEVID_ERR_SYSTEM, "out of memory")

/* ---- provider.c ------------------------------------------------------ */

/*
 * May keys be opened and made? Raises the sentence of a wrong configuration
 * where not: programs ignore a provider that fails to load, but not a key.
 */
bool prov_ready(const struct prov_ctx *ctx);

/* ---- config.c -------------------------------------------------------- */

/*
 * Hand the settings of openssl.cnf to the engine, and look for unknown ones.
 * Returns DEVID_OK or DEVID_ERR_INPUT with the setting and what it may be.
 */
DEVID_CHECK enum devid_err prov_configure(struct prov_ctx *ctx,
                                          struct devid_error *err);

/* ---- settle.c -------------------------------------------------------- */

/*
 * Fill in program_ctx, same_libcrypto and dormant. Call before the child
 * context is made: it uses the same registration.
 */
void prov_settle_init(struct prov_ctx *ctx);

/*
 * Make sure that whatever `algorithms` holds is already offered by somebody
 * else in the program's library context, and stored ahead of ours. False
 * where that is not so yet: offer nothing then, and let the core ask again.
 */
bool prov_settle(const struct prov_ctx *ctx, int operation_id,
                 const OSSL_ALGORITHM *algorithms);

/* ---- key types and keys: keymgmt.c, keyvalues.c, keygen.c ------------- */

/* What OpenSSL calls a key type and its signatures. */
struct prov_key_type {
    const char *name;      /* "EC" */
    const char *signature; /* "ECDSA" */
    const char *exchange;  /* "ECDH"; or NULL */
};
extern const struct prov_key_type prov_key_types[]; /* by devid_key_type */

/* What libcrypto calls key data. */
struct prov_key {
    const struct prov_ctx *ctx;
    struct devid_key *key;     /* NULL: made empty by libcrypto; then */
    struct devid_public *peer; /* own: what it brought, see peer.c; or NULL */
    bool has_point;            /* of peer: else it is its group alone */
};

/* The public half, borrowed; NULL: there is none. */
const struct devid_public *prov_key_public(const struct prov_key *key);

/* Takes over *key, also on failure; NULL: raised. */
struct prov_key *prov_key_new(const struct prov_ctx *ctx,
                              struct devid_key **key);
void prov_key_free(void *key);

/* The longest signature: a DER ECDSA-Sig-Value or an RSA block. */
size_t prov_signature_size(const struct devid_public *pub);

/* OSSL_FUNC_KEYMGMT_GET_PARAMS and _EXPORT, and what they may hold. */
int prov_key_get_params(const struct prov_key *key, OSSL_PARAM params[]);
const OSSL_PARAM *prov_key_gettable(enum devid_key_type type);
int prov_key_export(const struct prov_key *key, int selection,
                    OSSL_CALLBACK *callback, void *arg);
const OSSL_PARAM *prov_key_export_types(enum devid_key_type type,
                                        int selection);

/* ---- peer.c: public EC keys that libcrypto brings ---------------------- */

extern OSSL_FUNC_keymgmt_import_fn prov_peer_import;
extern OSSL_FUNC_keymgmt_import_types_fn prov_peer_import_types;
extern OSSL_FUNC_keymgmt_set_params_fn prov_peer_set_params;
extern OSSL_FUNC_keymgmt_settable_params_fn prov_peer_settable;
/* Make an empty key a group alone; false: raised. */
bool prov_peer_set_group(struct prov_key *key, const char *group);

/* Key generation. */
extern OSSL_FUNC_keymgmt_gen_set_params_fn prov_gen_set_params;
extern OSSL_FUNC_keymgmt_gen_fn prov_gen;
extern OSSL_FUNC_keymgmt_gen_cleanup_fn prov_gen_cleanup;
void *prov_gen_new(const struct prov_ctx *ctx, enum devid_key_type type,
                   const OSSL_PARAM params[]);
const OSSL_PARAM *prov_gen_settable(enum devid_key_type type);

/* ---- pemblock.c ------------------------------------------------------ */

/*
 * The next PEM block of the input where it holds a key of ours, from its BEGIN
 * line to its END line or the end of input; OPENSSL_malloc. *block is NULL
 * where it is something else. False: raised.
 */
bool prov_pem_read(const struct prov_ctx *ctx, OSSL_CORE_BIO *in, char **block,
                   size_t *len);

/* ---- passphrase.c ---------------------------------------------------- */

/*
 * Where the key wants an auth value, have the program give it: the passphrase
 * that it asks for when it loads a key file. False: raised.
 */
bool prov_ask_auth(const struct prov_ctx *ctx, struct devid_key *key,
                   OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg);

/* ---- storeuri.c ------------------------------------------------------ */

enum prov_uri_kind {
    PROV_URI_DEVICE, /* "tpm2:": what it holds */
    PROV_URI_TOKEN,  /* a token: what it holds, or its only key */
    PROV_URI_OBJECT, /* on a token, of no type: a key and its certificate */
    PROV_URI_KEY,
    PROV_URI_PUBLIC,
    PROV_URI_CERT,
};
/* Goes by the text alone; a malformed URI is of any kind. */
enum prov_uri_kind prov_uri_kind(const char *uri);

/* ---- the operations -------------------------------------------------- */

extern const OSSL_ALGORITHM prov_keymgmt_algorithms[];
extern const OSSL_ALGORITHM prov_signature_algorithms[];
extern const OSSL_ALGORITHM prov_keyexch_algorithms[];
extern const OSSL_ALGORITHM prov_asym_cipher_algorithms[];
extern const OSSL_ALGORITHM prov_decoder_algorithms[];
extern const OSSL_ALGORITHM prov_encoder_algorithms[];
extern const OSSL_ALGORITHM prov_store_algorithms[];
extern const OSSL_ALGORITHM prov_random_algorithms[];

#endif
