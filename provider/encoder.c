/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoders: a key to its key file, its public key or a text.
 *
 * None takes another provider's keys (no import_object), so none is picked for
 * them. A private key is never secrets: what is written is the key file.
 */
#include "prov.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>

struct encoder;

/* Write one form of a key. Returns 1; 0: raised. */
typedef int write_fn(const struct encoder *self, OSSL_CORE_BIO *out,
                     const struct devid_key *key, int selection);

struct encoder {
    const struct prov_ctx *ctx;
    write_fn *write;
    bool encrypt; /* the caller named a cipher */
};

static void *encoder_new(const struct prov_ctx *ctx, write_fn *write)
{
    struct encoder *self = OPENSSL_zalloc(sizeof(*self));

    if (self == NULL) {
        prov_raise_memory(ctx);
        return NULL;
    }
    self->ctx = ctx;
    self->write = write;
    return self;
}

static void encoder_free(void *vencoder)
{
    OPENSSL_free(vencoder);
}

static const OSSL_PARAM *encoder_settable(void *vctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_CIPHER, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vctx;
    return params;
}

static int encoder_set_params(void *vencoder, const OSSL_PARAM params[])
{
    struct encoder *self = vencoder;
    const OSSL_PARAM *p =
        OSSL_PARAM_locate_const(params, OSSL_ENCODER_PARAM_CIPHER);

    if (p != NULL)
        self->encrypt = p->data != NULL;
    return 1;
}

static int does_private(void *vctx, int selection)
{
    (void)vctx;
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

static int does_public(void *vctx, int selection)
{
    return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 &&
           does_private(vctx, selection) == 0;
}

static int write_all(const struct prov_ctx *ctx, OSSL_CORE_BIO *out,
                     const void *data, size_t len)
{
    size_t written = 0;

    if (ctx->core.bio_write(out, data, len, &written) == 1 && written == len)
        return 1;
    prov_raise(ctx, DEVID_ERR_SYSTEM, "cannot write the key out");
    return 0;
}

static int engine_failed(const struct encoder *self, enum devid_err e,
                         const struct devid_error *err)
{
    prov_raise(self->ctx, e, "%s", err->text);
    return 0;
}

/* NOLINTNEXTLINE(readability-function-size): as OpenSSL declares it */
static int encode(void *vencoder, OSSL_CORE_BIO *out, const void *vkey,
                  const OSSL_PARAM abstract[], int selection,
                  OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    const struct encoder *self = vencoder;
    const struct prov_key *key = vkey;

    (void)ask;
    (void)ask_arg;
    if (abstract != NULL || key == NULL || key->key == NULL) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "devid writes out keys in a device only");
        return 0;
    }
    if (self->encrypt) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "a key file cannot be encrypted, nor need it be: the "
                   "private part stays in the device; ask for no cipher");
        return 0;
    }
    return self->write(self, out, key->key, selection);
}

/* ---- key files ------------------------------------------------------- */

static int write_pem(const struct encoder *self, OSSL_CORE_BIO *out,
                     const struct devid_key *key, int selection)
{
    struct devid_error err = {0};
    char *text = NULL;
    size_t len = 0;
    enum devid_err e = devid_key_to_pem(key, &text, &len, &err);
    int ok;

    (void)selection; /* does_private has looked at it */
    if (e != DEVID_OK)
        return engine_failed(self, e, &err);
    ok = write_all(self->ctx, out, text, len);
    OPENSSL_clear_free(text, len);
    return ok;
}

static int write_der(const struct encoder *self, OSSL_CORE_BIO *out,
                     const struct devid_key *key, int selection)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e = devid_key_to_der(key, &der, &len, &err);
    int ok;

    (void)selection; /* does_private has looked at it */
    if (e != DEVID_OK)
        return engine_failed(self, e, &err);
    ok = write_all(self->ctx, out, der, len);
    OPENSSL_clear_free(der, len);
    return ok;
}

static int refuse_pkcs8(const struct encoder *self, OSSL_CORE_BIO *out,
                        const struct devid_key *key, int selection)
{
    (void)out;
    (void)key;
    (void)selection;
    prov_raise(self->ctx, DEVID_ERR_USAGE,
               "the private part of this key never leaves its device, so there "
               "is no PKCS#8 or PKCS#12 of it; copy its key file instead");
    return 0;
}

/*
 * EVP_PKEY2PKCS8, for `openssl pkcs12` and `pkcs8`, asks for the whole key and
 * parses what it gets as PKCS#8, so it has it written into memory. `openssl
 * pkey` writes a file: since OpenSSL 3.6 it asks for the whole key too, that of
 * OpenSSL 4 for the private key alone.
 */
static int write_pkcs8_der(const struct encoder *self, OSSL_CORE_BIO *out,
                           const struct devid_key *key, int selection)
{
    BUF_MEM *memory = NULL;

    if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 &&
        self->ctx->core.bio_ctrl(out, BIO_C_GET_BUF_MEM_PTR, 0, &memory) == 1)
        return refuse_pkcs8(self, out, key, selection);
    return write_der(self, out, key, selection);
}

/* ---- public keys ----------------------------------------------------- */

static int write_spki_der(const struct encoder *self, OSSL_CORE_BIO *out,
                          const struct devid_key *key, int selection)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e =
        devid_public_to_spki(devid_key_public(key), &der, &len, &err);
    int ok;

    (void)selection; /* does_public has looked at it */
    if (e != DEVID_OK)
        return engine_failed(self, e, &err);
    ok = write_all(self->ctx, out, der, len);
    OPENSSL_free(der);
    return ok;
}

/* Write out what a memory BIO holds, and free it. NULL: no memory. */
static int write_bio(const struct prov_ctx *ctx, OSSL_CORE_BIO *out, BIO *bio)
{
    char *text = NULL;
    long len = bio != NULL ? BIO_get_mem_data(bio, &text) : 0;
    int ok = 0;

    if (len > 0)
        ok = write_all(ctx, out, text, (size_t)len);
    else
        prov_raise_memory(ctx);
    BIO_free(bio);
    return ok;
}

static int write_spki_pem(const struct encoder *self, OSSL_CORE_BIO *out,
                          const struct devid_key *key, int selection)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e =
        devid_public_to_spki(devid_key_public(key), &der, &len, &err);
    BIO *bio;

    (void)selection; /* does_public has looked at it */
    if (e != DEVID_OK)
        return engine_failed(self, e, &err);
    bio = BIO_new(BIO_s_mem());
    if (bio != NULL)
        (void)PEM_write_bio(bio, PEM_STRING_PUBLIC, "", der, (long)len);
    OPENSSL_free(der);
    return write_bio(self->ctx, out, bio);
}

/* ---- text ------------------------------------------------------------ */

static void print_private(BIO *bio, const struct devid_key *key)
{
    struct devid_key_info info;

    devid_key_info(key, &info);
    (void)BIO_printf(bio, "Private-Key: (%u bit, in a %s)\n",
                     devid_key_public(key)->bits, info.backend);
    (void)BIO_printf(bio, "Key file: %s\n", info.format);
    if (info.uri[0] != '\0')
        (void)BIO_printf(bio, "URI: %s\n", info.uri);
    if (info.location[0] != '\0')
        (void)BIO_printf(bio, "Private part: %s\n", info.location);
    if (info.attributes[0] != '\0')
        (void)BIO_printf(bio, "Attributes: %s\n", info.attributes);
}

/* The public key under it is OpenSSL's to print: each version has its way. */
static int write_text(const struct encoder *self, OSSL_CORE_BIO *out,
                      const struct devid_key *key, int selection)
{
    struct devid_error err = {0};
    EVP_PKEY *pkey = NULL;
    enum devid_err e = devid_public_to_pkey(devid_key_public(key),
                                            self->ctx->libctx, &pkey, &err);
    BIO *bio;

    (void)selection; /* does_private has looked at it */
    if (e != DEVID_OK)
        return engine_failed(self, e, &err);
    bio = BIO_new(BIO_s_mem());
    if (bio != NULL) {
        print_private(bio, key);
        (void)EVP_PKEY_print_public(bio, pkey, 0, NULL);
    }
    EVP_PKEY_free(pkey);
    return write_bio(self->ctx, out, bio);
}

/* ---- tables ---------------------------------------------------------- */

static void *pem_new(void *vctx)
{
    return encoder_new(vctx, write_pem);
}

static void *der_new(void *vctx)
{
    return encoder_new(vctx, write_der);
}

static void *pkcs8_der_new(void *vctx)
{
    return encoder_new(vctx, write_pkcs8_der);
}

static void *encrypted_new(void *vctx)
{
    return encoder_new(vctx, refuse_pkcs8);
}

static void *spki_pem_new(void *vctx)
{
    return encoder_new(vctx, write_spki_pem);
}

static void *spki_der_new(void *vctx)
{
    return encoder_new(vctx, write_spki_der);
}

static void *text_new(void *vctx)
{
    return encoder_new(vctx, write_text);
}

#define ENCODER(table, newctx, does_selection)                                 \
    static const OSSL_DISPATCH table[] = {                                     \
        {OSSL_FUNC_ENCODER_NEWCTX, PROV_FN(newctx)},                           \
        {OSSL_FUNC_ENCODER_FREECTX, PROV_FN(encoder_free)},                    \
        {OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, PROV_FN(encoder_settable)},    \
        {OSSL_FUNC_ENCODER_SET_CTX_PARAMS, PROV_FN(encoder_set_params)},       \
        {OSSL_FUNC_ENCODER_DOES_SELECTION, PROV_FN(does_selection)},           \
        {OSSL_FUNC_ENCODER_ENCODE, PROV_FN(encode)},                           \
        {0, NULL},                                                             \
    }

ENCODER(pem_functions, pem_new, does_private);
ENCODER(der_functions, der_new, does_private);
ENCODER(pkcs8_der_functions, pkcs8_der_new, does_private);
ENCODER(encrypted_functions, encrypted_new, does_private);
ENCODER(spki_pem_functions, spki_pem_new, does_public);
ENCODER(spki_der_functions, spki_der_new, does_public);
ENCODER(text_functions, text_new, does_private);

#define EC_NAMES "EC:id-ecPublicKey:1.2.840.10045.2.1"
#define RSA_NAMES "RSA:rsaEncryption:1.2.840.113549.1.1.1"
#define RSA_PSS_NAMES "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10"
#define ED25519_NAMES "ED25519:1.3.101.112"

/* What one type of key encodes to. */
#define ROWS(names)                                                            \
    {names, PROV_PROPERTIES ",output=pem,structure=PrivateKeyInfo",            \
     pem_functions, "key file"},                                               \
        {names, PROV_PROPERTIES ",output=pem,structure=type-specific",         \
         pem_functions, "key file"},                                           \
        {names, PROV_PROPERTIES ",output=der,structure=PrivateKeyInfo",        \
         pkcs8_der_functions, "key file"},                                     \
        {names, PROV_PROPERTIES ",output=der,structure=type-specific",         \
         der_functions, "key file"},                                           \
        {names,                                                                \
         PROV_PROPERTIES ",output=pem,structure=EncryptedPrivateKeyInfo",      \
         encrypted_functions, "refused"},                                      \
        {names,                                                                \
         PROV_PROPERTIES ",output=der,structure=EncryptedPrivateKeyInfo",      \
         encrypted_functions, "refused"},                                      \
        {names, PROV_PROPERTIES ",output=pem,structure=SubjectPublicKeyInfo",  \
         spki_pem_functions, "public key"},                                    \
        {names, PROV_PROPERTIES ",output=der,structure=SubjectPublicKeyInfo",  \
         spki_der_functions, "public key"},                                    \
    {                                                                          \
        names, PROV_PROPERTIES ",output=text", text_functions, "text"          \
    }

const OSSL_ALGORITHM prov_encoder_algorithms[] = {
    ROWS(EC_NAMES),      ROWS(RSA_NAMES),          ROWS(RSA_PSS_NAMES),
    ROWS(ED25519_NAMES), {NULL, NULL, NULL, NULL},
};
