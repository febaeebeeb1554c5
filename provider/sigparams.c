/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of a signature: hash, padding, MGF1's hash, salt length.
 * libcrypto hands padding and salt over as numbers or as words, by the caller.
 */
#include "params.h"
#include "sig.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

static const struct prov_word pads[] = {
    {OSSL_PKEY_RSA_PAD_MODE_PKCSV15, RSA_PKCS1_PADDING},
    {OSSL_PKEY_RSA_PAD_MODE_PSS, RSA_PKCS1_PSS_PADDING},
    {NULL, 0},
};

static const struct prov_word salts[] = {
    {OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST, PROV_SALT_DIGEST},
    {OSSL_PKEY_RSA_PSS_SALT_LEN_MAX, PROV_SALT_MAX},
    {OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO, PROV_SALT_AUTO},
    {"auto-digestmax", PROV_SALT_DIGEST_MAX}, /* OpenSSL 3.1 */
    {NULL, 0},
};

/* ---- set ------------------------------------------------------------- */

static const struct devid_hash *find_hash(const struct prov_sig *self,
                                          const char *name)
{
    const struct devid_hash *hash = devid_hash_by_name(name);

    if (hash == NULL)
        prov_raise(self->ctx, DEVID_ERR_ALG,
                   "devid signs no digest of hash '%.60s'", name);
    return hash;
}

/* An RSA-PSS key may be bound to one hash. */
static bool may_hash(const struct prov_sig *self, const struct devid_hash *hash)
{
    const struct devid_public *pub =
        self->key != NULL ? prov_sig_public(self) : NULL;

    if (pub == NULL || pub->hash == NULL || hash == pub->hash)
        return true;
    prov_raise(self->ctx, DEVID_ERR_ALG,
               "this RSA-PSS key is bound to the hash %s, for MGF1 too, and "
               "not to %s",
               pub->hash->name, hash->name);
    return false;
}

bool prov_sig_set_hash(struct prov_sig *self, const char *name)
{
    const struct devid_hash *hash = find_hash(self, name);

    if (hash == NULL || !may_hash(self, hash))
        return false; /* find_hash or may_hash raised */
    if (self->md != NULL && hash != self->hash) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "the hash cannot become %s: %s is under way", hash->name,
                   self->hash->name);
        return false;
    }
    self->hash = hash;
    return true;
}

static bool set_hash(struct prov_sig *self, const OSSL_PARAM *p)
{
    const char *name = NULL;

    if (OSSL_PARAM_get_utf8_string_ptr(p, &name) != 1)
        return false; /* libcrypto already raised */
    return prov_sig_set_hash(self, name);
}

static bool set_mgf1(struct prov_sig *self, const OSSL_PARAM *p)
{
    const char *name = NULL;

    if (OSSL_PARAM_get_utf8_string_ptr(p, &name) != 1)
        return false; /* libcrypto already raised */
    self->mgf1 = find_hash(self, name);
    return self->mgf1 != NULL && may_hash(self, self->mgf1);
}

static bool set_pad(struct prov_sig *self, const OSSL_PARAM *p)
{
    bool pss_alone = prov_sig_public(self)->type == DEVID_KEY_RSA_PSS;
    int mode = 0;

    if (prov_take_word(p, pads, &mode) &&
        ((mode == RSA_PKCS1_PADDING && !pss_alone) ||
         mode == RSA_PKCS1_PSS_PADDING)) {
        self->pss = mode == RSA_PKCS1_PSS_PADDING;
        return true;
    }
    prov_raise(self->ctx, DEVID_ERR_ALG, "%s",
               pss_alone ? "an RSA-PSS key signs with PSS padding (pss) alone"
                         : "devid signs RSA with PKCS#1 v1.5 padding (pkcs1) "
                           "or PSS (pss), no other");
    return false;
}

static bool set_salt(struct prov_sig *self, const OSSL_PARAM *p)
{
    int len = 0;

    if (prov_take_word(p, salts, &len) && len >= PROV_SALT_DIGEST_MAX) {
        self->salt_len = len;
        return true;
    }
    prov_raise(self->ctx, DEVID_ERR_USAGE,
               "an RSA-PSS salt length is a number of bytes, digest, max or "
               "auto");
    return false;
}

static bool set_properties(struct prov_sig *self, const OSSL_PARAM *p)
{
    OPENSSL_free(self->properties);
    self->properties = NULL;
    return OSSL_PARAM_get_utf8_string(p, &self->properties, 0) == 1;
}

struct setter {
    const char *name;
    bool rsa_only;
    bool (*set)(struct prov_sig *self, const OSSL_PARAM *p);
};

static const struct setter setters[] = {
    {OSSL_SIGNATURE_PARAM_PROPERTIES, false, set_properties},
    {OSSL_SIGNATURE_PARAM_DIGEST, false, set_hash},
    {OSSL_SIGNATURE_PARAM_PAD_MODE, true, set_pad},
    {OSSL_SIGNATURE_PARAM_MGF1_DIGEST, true, set_mgf1},
    {OSSL_SIGNATURE_PARAM_PSS_SALTLEN, true, set_salt},
};

static bool is_rsa(const struct prov_sig *self)
{
    return self != NULL && prov_sig_public(self) != NULL &&
           devid_key_kind(prov_sig_public(self)->type)->is_rsa;
}

int prov_sig_set_params(void *vsig, const OSSL_PARAM params[])
{
    struct prov_sig *self = vsig;

    if (params == NULL)
        return 1;
    for (size_t i = 0; i < sizeof(setters) / sizeof(*setters); i++) {
        const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, setters[i].name);

        if (p == NULL || (setters[i].rsa_only && !is_rsa(self)))
            continue;
        if (!setters[i].set(self, p))
            return 0; /* the setter raised */
    }
    return 1;
}

const OSSL_PARAM *prov_sig_settable(void *vsig, void *vctx)
{
    static const OSSL_PARAM ec[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM rsa[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vctx;
    return is_rsa(vsig) ? rsa : ec;
}

/* ---- get ------------------------------------------------------------- */

static int get_algorithm_id(const struct prov_sig *self, OSSL_PARAM *p)
{
    struct devid_error err = {0};
    struct devid_tbs tbs;
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e;
    int ok;

    if (!prov_sig_tbs(self, &tbs))
        return 0; /* prov_sig_tbs raised */
    e = devid_algorithm_id(&tbs, &der, &len, &err);
    if (e != DEVID_OK) {
        prov_raise(self->ctx, e, "%s", err.text);
        return 0;
    }
    ok = OSSL_PARAM_set_octet_string(p, der, len);
    OPENSSL_free(der);
    return ok;
}

static int get_rsa(const struct prov_sig *self, OSSL_PARAM params[])
{
    const struct devid_hash *mgf1 =
        self->mgf1 != NULL ? self->mgf1 : self->hash;
    int pad = self->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    OSSL_PARAM *p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PAD_MODE);

    if (p != NULL && prov_give_word(p, pads, pad) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    if (p != NULL && prov_give_word(p, salts, self->salt_len) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
    if (p != NULL &&
        OSSL_PARAM_set_utf8_string(p, mgf1 != NULL ? mgf1->name : "") != 1)
        return 0; /* libcrypto already raised */
    return 1;
}

int prov_sig_get_params(void *vsig, OSSL_PARAM params[])
{
    const struct prov_sig *self = vsig;
    OSSL_PARAM *p =
        OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);

    if (p != NULL && get_algorithm_id(self, p) != 1)
        return 0; /* get_algorithm_id raised */
    p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST);
    if (p != NULL && OSSL_PARAM_set_utf8_string(
                         p, self->hash != NULL ? self->hash->name : "") != 1)
        return 0; /* libcrypto already raised */
    return is_rsa(self) ? get_rsa(self, params) : 1;
}

const OSSL_PARAM *prov_sig_gettable(void *vsig, void *vctx)
{
    static const OSSL_PARAM ec[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM rsa[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vctx;
    return is_rsa(vsig) ? rsa : ec;
}
