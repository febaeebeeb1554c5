/* SPDX-License-Identifier: Apache-2.0 */
/* A signature in the making: what signature.c, sigcontext.c,
 * sigparams.c and salt.c share. */
#ifndef PROV_SIG_H
#define PROV_SIG_H

#include "prov.h"

#include <openssl/evp.h>

/* Salt lengths that are words; numbers of bytes are not negative. */
enum prov_salt {
    PROV_SALT_DIGEST = -1,     /* as long as the digest */
    PROV_SALT_AUTO = -2,       /* signing: the longest; verifying: any */
    PROV_SALT_MAX = -3,        /* the longest */
    PROV_SALT_DIGEST_MAX = -4, /* signing: as long as the digest where that
                                  fits; verifying: any. Where nobody says: as
                                  OpenSSL 3.1, and it is what TPMs can do */
};

struct prov_sig {
    const struct prov_ctx *ctx;
    struct devid_key *key;     /* own reference; NULL before the first init */
    struct devid_public *peer; /* own, where there is no key: see peer.c */
    const struct devid_hash *hash; /* NULL: none was named */
    EVP_MD_CTX *md;                /* digest_sign and digest_verify */
    char *properties;              /* for fetching the hash, or NULL */

    /* RSA */
    bool pss;
    const struct devid_hash *mgf1; /* NULL: as hash */
    int salt_len;                  /* bytes, or enum prov_salt */
};

/* ---- sigcontext.c ---------------------------------------------------- */

extern OSSL_FUNC_signature_newctx_fn prov_sig_new;
extern OSSL_FUNC_signature_freectx_fn prov_sig_free;
extern OSSL_FUNC_signature_dupctx_fn prov_sig_dup;

/* The public half, borrowed; NULL before the first init. */
const struct devid_public *prov_sig_public(const struct prov_sig *sig);

/* ---- signature.c ----------------------------------------------------- */

/* What the engine signs or names, without a digest yet; false: raised. */
bool prov_sig_tbs(const struct prov_sig *sig, struct devid_tbs *tbs);

/* ---- salt.c ---------------------------------------------------------- */

/* The longest salt of an RSA key for sig->hash; 0 where not even it fits. */
size_t prov_longest_salt(const struct prov_sig *sig);
/* The salt's bytes where this key signs; false: raised. */
bool prov_sig_salt(const struct prov_sig *sig, size_t *salt_len);

/* ---- sigparams.c ----------------------------------------------------- */

/* Take a hash by its name; false: raised. */
bool prov_sig_set_hash(struct prov_sig *sig, const char *name);

extern OSSL_FUNC_signature_get_ctx_params_fn prov_sig_get_params;
extern OSSL_FUNC_signature_gettable_ctx_params_fn prov_sig_gettable;
extern OSSL_FUNC_signature_set_ctx_params_fn prov_sig_set_params;
extern OSSL_FUNC_signature_settable_ctx_params_fn prov_sig_settable;

#endif
