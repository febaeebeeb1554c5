/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures: ECDSA, RSA PKCS#1 and RSA-PSS, over a digest or over data that
 * is hashed here, in software. Only the signature itself is the device's work;
 * verifying is software too.
 *
 * libssl asks for the size first and initialises as a probe: neither touches
 * a device.
 */
#include "sig.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define DEFAULT_HASH "SHA2-256"

static bool take_key(struct prov_sig *self, const struct prov_key *key)
{
    devid_key_free(&self->key);
    OPENSSL_free(self->peer);
    self->peer = NULL;
    if (key->key != NULL)
        self->key = devid_key_up_ref(key->key);
    else
        self->peer = OPENSSL_memdup(key->peer, sizeof(*key->peer));
    if (prov_sig_public(self) == NULL)
        prov_raise_memory(self->ctx);
    return prov_sig_public(self) != NULL;
}

/* Without a key: once more with the one at hand, as `openssl dgst` does. */
static int init(void *vsig, void *vkey, const OSSL_PARAM params[])
{
    struct prov_sig *self = vsig;
    const struct prov_key *key = vkey;

    if (key != NULL && prov_key_public(key) != NULL) {
        if (!take_key(self, key))
            return 0; /* take_key raised */
        self->hash = prov_sig_public(self)->hash;
        self->mgf1 = NULL;
        self->pss = devid_key_kind(prov_sig_public(self)->type)->scheme ==
                    DEVID_RSA_PSS;
        self->salt_len = PROV_SALT_DIGEST_MAX;
    }
    if (prov_sig_public(self) == NULL) {
        prov_raise(self->ctx, DEVID_ERR_USAGE, "no key to sign or verify with");
        return 0;
    }
    EVP_MD_CTX_free(self->md);
    self->md = NULL;
    return prov_sig_set_params(self, params);
}

/* ---- what is to be signed -------------------------------------------- */

bool prov_sig_tbs(const struct prov_sig *self, struct devid_tbs *tbs)
{
    *tbs = (struct devid_tbs){
        .scheme = self->pss
                      ? DEVID_RSA_PSS
                      : devid_key_kind(prov_sig_public(self)->type)->scheme,
        .hash = self->hash,
        .mgf1 = self->mgf1,
    };
    return !self->pss || prov_sig_salt(self, &tbs->salt_len);
}

static bool fill_tbs(const struct prov_sig *self, const uint8_t *digest,
                     size_t len, struct devid_tbs *tbs)
{
    if (!prov_sig_tbs(self, tbs))
        return false; /* prov_sig_tbs raised */
    tbs->digest = digest;
    tbs->digest_len = len;
    return true;
}

/* ---- sign ------------------------------------------------------------ */

/* There is room for the longest signature: DER once, here. */
static int put_signature(const struct prov_sig *self,
                         const struct devid_tbs *tbs,
                         const struct devid_sig *raw, uint8_t *out,
                         size_t *out_len)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    enum devid_err e;

    if (tbs->scheme != DEVID_ECDSA) {
        memcpy(out, raw->data, raw->len);
        *out_len = raw->len;
        return 1;
    }
    e = devid_ecdsa_to_der(raw, &der, out_len, &err);
    if (e != DEVID_OK) {
        prov_raise(self->ctx, e, "%s", err.text);
        return 0;
    }
    memcpy(out, der, *out_len);
    OPENSSL_free(der);
    return 1;
}

static int sign(void *vsig, uint8_t *out, size_t *out_len, size_t out_size,
                const uint8_t *digest, size_t digest_len)
{
    const struct prov_sig *self = vsig;
    size_t size = prov_signature_size(prov_sig_public(self));
    struct devid_error err = {0};
    struct devid_sig raw;
    struct devid_tbs tbs;
    enum devid_err e;

    if (self->key == NULL) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "a public key alone signs nothing");
        return 0;
    }
    if (out == NULL) {
        *out_len = size;
        return 1;
    }
    if (out_size < size) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "a signature of this key takes %zu bytes, there are %zu",
                   size, out_size);
        return 0;
    }
    if (!fill_tbs(self, digest, digest_len, &tbs))
        return 0; /* fill_tbs raised */
    e = devid_key_sign(self->key, &tbs, &raw, &err);
    if (e != DEVID_OK) {
        prov_raise(self->ctx, e, "%s", err.text);
        return 0;
    }
    return put_signature(self, &tbs, &raw, out, out_len);
}

/* ---- verify ---------------------------------------------------------- */

/*
 * Verify; where the salt may have any length, with the other length that
 * signers use too: the engine verifies one length at a time.
 */
static enum devid_err verify_salts(const struct prov_sig *self,
                                   struct devid_tbs *tbs,
                                   const struct devid_sig *raw,
                                   struct devid_error *err)
{
    const struct devid_public *pub = prov_sig_public(self);
    enum devid_err e = devid_verify(pub, self->ctx->libctx, tbs, raw, err);
    size_t longest;

    if (e != DEVID_ERR_WRONG_KEY || tbs->scheme != DEVID_RSA_PSS)
        return e;
    longest = prov_longest_salt(self);
    if (self->salt_len == PROV_SALT_AUTO && tbs->hash->len < longest)
        tbs->salt_len = tbs->hash->len;
    else if (self->salt_len == PROV_SALT_DIGEST_MAX)
        tbs->salt_len = longest;
    else
        return e;
    return devid_verify(pub, self->ctx->libctx, tbs, raw, err);
}

static int verify(void *vsig, const uint8_t *sig, size_t sig_len,
                  const uint8_t *digest, size_t digest_len)
{
    const struct prov_sig *self = vsig;
    struct devid_error err = {0};
    struct devid_sig raw = {0};
    struct devid_tbs tbs;
    enum devid_err e;

    if (!fill_tbs(self, digest, digest_len, &tbs))
        return 0; /* fill_tbs raised */
    if (tbs.scheme == DEVID_ECDSA) {
        e = devid_ecdsa_from_der(
            sig, sig_len, prov_sig_public(self)->coordinate_len, &raw, &err);
        if (e != DEVID_OK) {
            prov_raise(self->ctx, e, "%s", err.text);
            return 0;
        }
    } else if (sig_len <= sizeof(raw.data)) {
        memcpy(raw.data, sig, sig_len);
        raw.len = sig_len;
    }
    e = verify_salts(self, &tbs, &raw, &err);
    if (e == DEVID_OK)
        return 1;
    prov_raise(self->ctx, e, "%s", err.text);
    return 0;
}

/* ---- with hashing ---------------------------------------------------- */

static bool start_hash(struct prov_sig *self)
{
    char query[256];
    int n = snprintf(
        query, sizeof(query), "%s%s" PROV_NOT_OURS,
        self->properties != NULL ? self->properties : "",
        self->properties != NULL && *self->properties != '\0' ? "," : "");
    EVP_MD *md = NULL;
    bool ok;

    if (n > 0 && (size_t)n < sizeof(query))
        md = EVP_MD_fetch(self->ctx->libctx, self->hash->name, query);
    self->md = EVP_MD_CTX_new();
    ok = md != NULL && self->md != NULL &&
         EVP_DigestInit_ex2(self->md, md, NULL) == 1;
    EVP_MD_free(md);
    if (!ok)
        prov_raise(self->ctx, DEVID_ERR_ALG,
                   "no provider hashes %s (property query '%.100s')",
                   self->hash->name, query);
    return ok;
}

static int digest_init(void *vsig, const char *name, void *vkey,
                       const OSSL_PARAM params[])
{
    struct prov_sig *self = vsig;

    if (init(self, vkey, params) != 1)
        return 0; /* init raised */
    if (name == NULL && self->hash == NULL)
        name = DEFAULT_HASH;
    if (name != NULL && !prov_sig_set_hash(self, name))
        return 0; /* prov_sig_set_hash raised */
    return start_hash(self);
}

static int digest_update(void *vsig, const uint8_t *data, size_t len)
{
    struct prov_sig *self = vsig;

    if (self->md != NULL && EVP_DigestUpdate(self->md, data, len) == 1)
        return 1;
    prov_raise(self->ctx, DEVID_ERR_USAGE, "no hash is under way");
    return 0;
}

static bool digest_end(struct prov_sig *self, uint8_t digest[EVP_MAX_MD_SIZE],
                       unsigned *len)
{
    if (self->md != NULL && EVP_DigestFinal_ex(self->md, digest, len) == 1)
        return true;
    prov_raise(self->ctx, DEVID_ERR_USAGE, "no hash is under way");
    return false;
}

static int digest_sign_final(void *vsig, uint8_t *out, size_t *out_len,
                             size_t out_size)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    /* A question for the size must not end the hash. */
    if (out != NULL && !digest_end(vsig, digest, &len))
        return 0; /* digest_end raised */
    return sign(vsig, out, out_len, out_size, digest, len);
}

static int digest_sign(void *vsig, uint8_t *out, size_t *out_len,
                       size_t out_size, const uint8_t *data, size_t len)
{
    if (out != NULL && digest_update(vsig, data, len) != 1)
        return 0; /* digest_update raised */
    return digest_sign_final(vsig, out, out_len, out_size);
}

static int digest_verify_final(void *vsig, const uint8_t *sig, size_t sig_len)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (!digest_end(vsig, digest, &len))
        return 0; /* digest_end raised */
    return verify(vsig, sig, sig_len, digest, len);
}

/* ---- of the message itself ------------------------------------------- */

static int message_init(void *vsig, const char *name, void *vkey,
                        const OSSL_PARAM params[])
{
    struct prov_sig *self = vsig;

    if (name == NULL || *name == '\0')
        return init(self, vkey, params);
    prov_raise(self->ctx, DEVID_ERR_USAGE,
               "an Ed25519 signature is of the message itself: name no hash, "
               "such as %.60s",
               name);
    return 0;
}

/* ---- tables ---------------------------------------------------------- */

static const OSSL_DISPATCH signature_functions[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, PROV_FN(prov_sig_new)},
    {OSSL_FUNC_SIGNATURE_FREECTX, PROV_FN(prov_sig_free)},
    {OSSL_FUNC_SIGNATURE_DUPCTX, PROV_FN(prov_sig_dup)},
    {OSSL_FUNC_SIGNATURE_SIGN_INIT, PROV_FN(init)},
    {OSSL_FUNC_SIGNATURE_SIGN, PROV_FN(sign)},
    {OSSL_FUNC_SIGNATURE_VERIFY_INIT, PROV_FN(init)},
    {OSSL_FUNC_SIGNATURE_VERIFY, PROV_FN(verify)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, PROV_FN(digest_init)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, PROV_FN(digest_update)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, PROV_FN(digest_sign_final)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, PROV_FN(digest_sign)},
    {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, PROV_FN(digest_init)},
    {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, PROV_FN(digest_update)},
    {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, PROV_FN(digest_verify_final)},
    {OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, PROV_FN(prov_sig_get_params)},
    {OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, PROV_FN(prov_sig_gettable)},
    {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, PROV_FN(prov_sig_set_params)},
    {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, PROV_FN(prov_sig_settable)},
    {0, NULL},
};

/* No piece of the message is signed before the last: in one go alone. */
static const OSSL_DISPATCH message_functions[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, PROV_FN(prov_sig_new)},
    {OSSL_FUNC_SIGNATURE_FREECTX, PROV_FN(prov_sig_free)},
    {OSSL_FUNC_SIGNATURE_DUPCTX, PROV_FN(prov_sig_dup)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, PROV_FN(message_init)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, PROV_FN(sign)},
    {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, PROV_FN(message_init)},
    {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, PROV_FN(verify)},
    {OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, PROV_FN(prov_sig_get_params)},
    {OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, PROV_FN(prov_sig_gettable)},
    {0, NULL},
};

const OSSL_ALGORITHM prov_signature_algorithms[] = {
    {"ECDSA", PROV_PROPERTIES, signature_functions, "ECDSA in a device"},
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROV_PROPERTIES,
     signature_functions, "RSA PKCS#1 and RSA-PSS in a device"},
    {"ED25519:1.3.101.112", PROV_PROPERTIES, message_functions,
     "Ed25519 in a device"},
    {NULL, NULL, NULL, NULL},
};
