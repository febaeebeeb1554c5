/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSA encryption: only decrypting is the device's work. Encrypting is here
 * because libcrypto brings whoever encrypts with a key of ours to us: the
 * public key alone goes to OpenSSL's own provider.
 */
#include "params.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <string.h>

#define TLS_SECRET_LEN 48   /* RFC 5246, 7.4.7.1 */
#define DEFAULT_HASH "SHA1" /* of OAEP: RFC 8017, A.2.1 */

struct cipher {
    const struct prov_ctx *ctx;
    struct devid_key *key; /* own reference; NULL before the first init */
    int pad;               /* RSA_PKCS1_PADDING and its like */
    const struct devid_hash *hash; /* OAEP */
    const struct devid_hash *mgf1; /* OAEP; NULL: as hash */
    uint8_t *label;                /* OAEP, own */
    size_t label_len;
    unsigned tls_version;
    unsigned tls_negotiated;
    unsigned implicit_rejection;
};

static const struct prov_word pads[] = {
    {OSSL_PKEY_RSA_PAD_MODE_NONE, RSA_NO_PADDING},
    {OSSL_PKEY_RSA_PAD_MODE_PKCSV15, RSA_PKCS1_PADDING},
    {OSSL_PKEY_RSA_PAD_MODE_OAEP, RSA_PKCS1_OAEP_PADDING},
    {"oeap", RSA_PKCS1_OAEP_PADDING}, /* as OpenSSL spells it too */
    {NULL, 0},
};

/* ---- life ------------------------------------------------------------ */

static void *cipher_new(void *vctx)
{
    struct cipher *self = OPENSSL_zalloc(sizeof(*self));

    if (self == NULL) {
        prov_raise_memory(vctx);
        return NULL;
    }
    self->ctx = vctx;
    return self;
}

static void cipher_free(void *vcipher)
{
    struct cipher *self = vcipher;

    if (self == NULL)
        return;
    devid_key_free(&self->key);
    OPENSSL_free(self->label);
    OPENSSL_free(self);
}

static void *cipher_dup(void *vcipher)
{
    const struct cipher *from = vcipher;
    struct cipher *self = OPENSSL_memdup(from, sizeof(*from));

    if (self == NULL) {
        prov_raise_memory(from->ctx);
        return NULL;
    }
    if (from->key != NULL)
        self->key = devid_key_up_ref(from->key);
    if (from->label != NULL) {
        self->label = OPENSSL_memdup(from->label, from->label_len);
        if (self->label == NULL) {
            cipher_free(self);
            prov_raise_memory(from->ctx);
            return NULL;
        }
    }
    return self;
}

static int cipher_set_params(void *vcipher, const OSSL_PARAM params[]);

static int init(void *vcipher, void *vkey, const OSSL_PARAM params[])
{
    struct cipher *self = vcipher;
    const struct prov_key *key = vkey;

    if (key == NULL || key->key == NULL) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "no key to encrypt or decrypt with");
        return 0;
    }
    devid_key_free(&self->key);
    self->key = devid_key_up_ref(key->key);
    self->pad = RSA_PKCS1_PADDING;
    self->hash = devid_hash_by_name(DEFAULT_HASH);
    self->mgf1 = NULL;
    OPENSSL_free(self->label);
    self->label = NULL;
    self->label_len = 0;
    self->tls_version = 0;
    self->tls_negotiated = 0;
    self->implicit_rejection = 1;
    return cipher_set_params(self, params);
}

/* ---- decrypt --------------------------------------------------------- */

static enum devid_padding padding(const struct cipher *self)
{
    switch (self->pad) {
    case RSA_NO_PADDING:
        return DEVID_PAD_NONE;
    case RSA_PKCS1_OAEP_PADDING:
        return DEVID_PAD_OAEP;
    case RSA_PKCS1_WITH_TLS_PADDING:
        return DEVID_PAD_TLS;
    default: /* set_pad lets no other in */
        return DEVID_PAD_PKCS1;
    }
}

static int decrypt(void *vcipher, uint8_t *out, size_t *out_len,
                   size_t out_size, const uint8_t *in, size_t in_len)
{
    const struct cipher *self = vcipher;
    const struct devid_ciphertext c = {
        .padding = padding(self),
        .data = in,
        .len = in_len,
        .tell_bad_padding = self->implicit_rejection == 0,
        .hash = self->hash,
        .mgf1 = self->mgf1,
        .label = self->label,
        .label_len = self->label_len,
        .tls_version = (uint16_t)self->tls_version,
        .tls_negotiated = (uint16_t)self->tls_negotiated};
    /* The longest there may be: what there is, is nobody's business yet. */
    size_t size = c.padding == DEVID_PAD_TLS
                      ? TLS_SECRET_LEN
                      : devid_key_public(self->key)->coordinate_len;
    struct devid_plaintext plain;
    struct devid_error err = {0};
    enum devid_err e;

    if (out == NULL) {
        *out_len = size;
        return 1;
    }
    if (out_size < size) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "a message to this key takes up to %zu bytes, there are "
                   "%zu",
                   size, out_size);
        return 0;
    }
    e = devid_key_decrypt(self->key, &c, &plain, &err);
    if (e != DEVID_OK) {
        prov_raise(self->ctx, e, "%s", err.text);
        return 0;
    }
    memcpy(out, plain.data, plain.len);
    *out_len = plain.len;
    OPENSSL_cleanse(&plain, sizeof(plain));
    return 1;
}

/* ---- encrypt --------------------------------------------------------- */

static int encrypt_with(const struct cipher *self, EVP_PKEY_CTX *ctx)
{
    const struct devid_hash *mgf1 =
        self->mgf1 != NULL ? self->mgf1 : self->hash;
    uint8_t *label;

    if (EVP_PKEY_encrypt_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(ctx, self->pad) != 1)
        return 0; /* libcrypto already raised */
    if (self->pad != RSA_PKCS1_OAEP_PADDING)
        return 1;
    if (EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, self->hash->name,
                                          PROV_NOT_OURS) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, mgf1->name, PROV_NOT_OURS) != 1)
        return 0; /* libcrypto already raised */
    if (self->label_len == 0)
        return 1;
    label = OPENSSL_memdup(self->label, self->label_len);
    if (label != NULL &&
        EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, (int)self->label_len) == 1)
        return 1;
    OPENSSL_free(label);
    return 0; /* libcrypto already raised */
}

static int encrypt(void *vcipher, uint8_t *out, size_t *out_len,
                   size_t out_size, const uint8_t *in, size_t in_len)
{
    const struct cipher *self = vcipher;
    OSSL_LIB_CTX *libctx = self->ctx->libctx;
    struct devid_error err = {0};
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = NULL;
    enum devid_err e;
    int ok = 0;

    e = devid_public_to_pkey(devid_key_public(self->key), libctx, &pkey, &err);
    if (e != DEVID_OK) {
        prov_raise(self->ctx, e, "%s", err.text);
        return 0;
    }
    *out_len = out_size;
    ctx = EVP_PKEY_CTX_new_from_pkey(libctx, pkey, PROV_NOT_OURS);
    if (ctx != NULL && encrypt_with(self, ctx) == 1)
        ok = EVP_PKEY_encrypt(ctx, out, out_len, in, in_len) == 1;
    if (!ok) /* this may be another libcrypto than the program's */
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "OpenSSL does not encrypt these %zu bytes for an RSA key "
                   "of %u bits with this padding: too many, or a hash that it "
                   "lacks",
                   in_len, devid_key_public(self->key)->bits);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return ok;
}

/* ---- parameters ------------------------------------------------------ */

static bool set_pad(void *vcipher, const OSSL_PARAM *p)
{
    struct cipher *self = vcipher;
    int pad = 0;

    if (prov_take_word(p, pads, &pad) &&
        (pad == RSA_NO_PADDING || pad == RSA_PKCS1_PADDING ||
         pad == RSA_PKCS1_OAEP_PADDING || pad == RSA_PKCS1_WITH_TLS_PADDING)) {
        self->pad = pad;
        return true;
    }
    prov_raise(self->ctx, DEVID_ERR_ALG,
               "devid decrypts RSA with PKCS#1 v1.5 padding (pkcs1), OAEP "
               "(oaep) or none (none), no other");
    return false;
}

static bool set_hash(void *vcipher, const OSSL_PARAM *p)
{
    struct cipher *self = vcipher;

    self->hash = prov_take_hash(self->ctx, p);
    return self->hash != NULL;
}

static bool set_mgf1(void *vcipher, const OSSL_PARAM *p)
{
    struct cipher *self = vcipher;

    self->mgf1 = prov_take_hash(self->ctx, p);
    return self->mgf1 != NULL;
}

static bool set_label(void *vcipher, const OSSL_PARAM *p)
{
    struct cipher *self = vcipher;
    void *label = NULL;
    size_t len = 0;

    if (OSSL_PARAM_get_octet_string(p, &label, 0, &len) != 1)
        return false; /* libcrypto already raised */
    OPENSSL_free(self->label);
    self->label = label;
    self->label_len = len;
    return true;
}

static bool set_tls_version(void *vcipher, const OSSL_PARAM *p)
{
    struct cipher *self = vcipher;

    return OSSL_PARAM_get_uint(p, &self->tls_version) == 1;
}

static bool set_tls_negotiated(void *vcipher, const OSSL_PARAM *p)
{
    struct cipher *self = vcipher;

    return OSSL_PARAM_get_uint(p, &self->tls_negotiated) == 1;
}

static bool set_implicit_rejection(void *vcipher, const OSSL_PARAM *p)
{
    struct cipher *self = vcipher;

    return OSSL_PARAM_get_uint(p, &self->implicit_rejection) == 1;
}

#define PARAM_IMPLICIT_REJECTION "implicit-rejection" /* OpenSSL 3.2 */

static const struct prov_setter setters[] = {
    {OSSL_ASYM_CIPHER_PARAM_PAD_MODE, set_pad},
    {OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, set_hash},
    {OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, set_mgf1},
    {OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, set_label},
    {OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, set_tls_version},
    {OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, set_tls_negotiated},
    {PARAM_IMPLICIT_REJECTION, set_implicit_rejection},
    {NULL, NULL},
};

static int cipher_set_params(void *vcipher, const OSSL_PARAM params[])
{
    return prov_set_params(vcipher, setters, params);
}

static const OSSL_PARAM *cipher_settable(void *vcipher, void *vctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, NULL),
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, NULL),
        OSSL_PARAM_uint(PARAM_IMPLICIT_REJECTION, NULL),
        OSSL_PARAM_END,
    };

    (void)vcipher;
    (void)vctx;
    return params;
}

static int cipher_get_params(void *vcipher, OSSL_PARAM params[])
{
    const struct cipher *self = vcipher;
    OSSL_PARAM *p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);

    if (p != NULL && prov_give_word(p, pads, self->pad) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST);
    if (p != NULL && prov_give_hash(p, self->hash) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST);
    if (p != NULL &&
        prov_give_hash(p, self->mgf1 != NULL ? self->mgf1 : self->hash) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL);
    if (p != NULL &&
        OSSL_PARAM_set_octet_ptr(p, self->label, self->label_len) != 1)
        return 0; /* libcrypto already raised */
    return 1;
}

static const OSSL_PARAM *cipher_gettable(void *vcipher, void *vctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_octet_ptr(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vcipher;
    (void)vctx;
    return params;
}

/* ---- tables ---------------------------------------------------------- */

static const OSSL_DISPATCH cipher_functions[] = {
    {OSSL_FUNC_ASYM_CIPHER_NEWCTX, PROV_FN(cipher_new)},
    {OSSL_FUNC_ASYM_CIPHER_FREECTX, PROV_FN(cipher_free)},
    {OSSL_FUNC_ASYM_CIPHER_DUPCTX, PROV_FN(cipher_dup)},
    {OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, PROV_FN(init)},
    {OSSL_FUNC_ASYM_CIPHER_DECRYPT, PROV_FN(decrypt)},
    {OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT, PROV_FN(init)},
    {OSSL_FUNC_ASYM_CIPHER_ENCRYPT, PROV_FN(encrypt)},
    {OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, PROV_FN(cipher_get_params)},
    {OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS, PROV_FN(cipher_gettable)},
    {OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, PROV_FN(cipher_set_params)},
    {OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, PROV_FN(cipher_settable)},
    {0, NULL},
};

const OSSL_ALGORITHM prov_asym_cipher_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROV_PROPERTIES,
     cipher_functions, "RSA decryption in a device"},
    {NULL, NULL, NULL, NULL},
};
