/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoders: key files to keys, in two stages as OSSL_STORE needs them.
 *
 * PEM to DER takes our labels only and judges the key already: through
 * OSSL_STORE libcrypto drops the errors of the second stage. DER to a type
 * makes the key. Whatever is not ours is passed over without an error and
 * unread beyond its header, so that ordinary keys load as they always did.
 */
#include "prov.h"

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <string.h>

#define DER_HEADER_MAX 4 /* tag, and a length of up to two bytes */

struct decoder;

/* Where what was decoded goes, and whom to ask for a passphrase. */
struct caller {
    OSSL_CALLBACK *callback;
    void *arg;
    OSSL_PASSPHRASE_CALLBACK *ask;
    void *ask_arg;
};

/* Decode what one stage reads. Returns 1, also for what is not ours; 0: raised,
 * or the callback failed. */
typedef int decode_fn(const struct decoder *self, OSSL_CORE_BIO *in,
                      const struct caller *caller);

struct decoder {
    const struct prov_ctx *ctx;
    decode_fn *decode;
    enum devid_key_type type; /* that DER is decoded to */
};

static void decoder_free(void *vdecoder)
{
    OPENSSL_free(vdecoder);
}

/*
 * May a key of ours be made here? Says why not: a wrong setting, or nobody
 * else to do what is left to software.
 */
static bool may_load(const struct prov_ctx *ctx)
{
    if (!prov_ready(ctx))
        return false;
    if (prov_settle(ctx, OSSL_OP_KEYMGMT, prov_keymgmt_algorithms))
        return true;
    prov_raise(ctx, DEVID_ERR_SYSTEM, "%s",
               ctx->dormant
                   ? "this program has a libcrypto of its own, in which devid "
                     "cannot step behind the default provider: list default "
                     "before devid in openssl.cnf"
                   : "devid needs OpenSSL's default provider beside it: "
                     "activate default in openssl.cnf too");
    return false;
}

/* ---- PEM to DER ------------------------------------------------------ */

/*
 * Hand a key on as DER, for the second stage. The structure says "look at the
 * type alone" to libcrypto, which has no word for ours.
 */
static int pass_der(const struct prov_ctx *ctx, const struct devid_key *key,
                    OSSL_CALLBACK *callback, void *arg)
{
    const char *type = prov_key_types[devid_key_public(key)->type].name;
    char structure[] = "type-specific";
    int object_type = OSSL_OBJECT_PKEY;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;
    OSSL_PARAM params[5];
    enum devid_err e = devid_key_to_der(key, &der, &len, &err);
    int ok;

    if (e != DEVID_OK) {
        prov_raise(ctx, e, "%s", err.text);
        return 0;
    }
    params[0] = OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type);
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                                 (char *)(uintptr_t)type, 0);
    params[2] = OSSL_PARAM_construct_utf8_string(
        OSSL_OBJECT_PARAM_DATA_STRUCTURE, structure, 0);
    params[3] =
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, der, len);
    params[4] = OSSL_PARAM_construct_end();
    ok = callback(params, arg);
    OPENSSL_clear_free(der, len);
    return ok;
}

static int decode_pem(const struct decoder *self, OSSL_CORE_BIO *in,
                      const struct caller *caller)
{
    const struct prov_ctx *ctx = self->ctx;
    struct devid_error err = {0};
    struct devid_key *key = NULL;
    char *block = NULL;
    size_t len = 0;
    enum devid_err e;
    int ok = 0;

    if (!prov_pem_read(ctx, in, &block, &len))
        return 0; /* prov_pem_read raised */
    if (block == NULL)
        return 1; /* not ours */
    if (!may_load(ctx))
        goto out; /* may_load raised */
    e = devid_key_from_pem(ctx->engine, block, len, &key, &err);
    if (e != DEVID_OK) {
        prov_raise(ctx, e, "%s", err.text);
        goto out;
    }
    /* Nobody has said yet that it is a key that is wanted: the second stage
     * asks for its passphrase. */
    ok = pass_der(ctx, key, caller->callback, caller->arg);
out:
    devid_key_free(&key);
    OPENSSL_clear_free(block, len);
    return ok;
}

/* ---- DER to key ------------------------------------------------------ */

/* Bytes in the value of a DER SEQUENCE, from its header; 0, as well as
 * *header_len: not one. */
static size_t sequence_len(const uint8_t *header, size_t *header_len)
{
    if (header[0] != 0x30)
        return 0;
    if (header[1] < 0x80) {
        *header_len = 2;
        return header[1];
    }
    if (header[1] == 0x81) {
        *header_len = 3;
        return header[2];
    }
    if (header[1] == 0x82) {
        *header_len = 4;
        return (size_t)header[2] << 8 | header[3];
    }
    return 0; /* 64 kB and more: larger than any key file */
}

/* How many of `len` bytes there are. */
static size_t read_up_to(const struct prov_ctx *ctx, OSSL_CORE_BIO *in,
                         uint8_t *data, size_t len)
{
    size_t at = 0;
    size_t got = 0;

    while (at < len && ctx->core.bio_read(in, data + at, len - at, &got) == 1 &&
           got > 0)
        at += got;
    return at;
}

/*
 * One DER SEQUENCE, or its beginning where the input is cut short; NULL,
 * quietly, where there is none of a key file's size.
 */
static uint8_t *read_der(const struct prov_ctx *ctx, OSSL_CORE_BIO *in,
                         size_t *len)
{
    uint8_t header[DER_HEADER_MAX];
    size_t header_len = 0;
    size_t value_len;
    uint8_t *der;

    if (read_up_to(ctx, in, header, sizeof(header)) < sizeof(header))
        return NULL;
    value_len = sequence_len(header, &header_len);
    if (header_len + value_len <= sizeof(header))
        return NULL;
    der = OPENSSL_malloc(header_len + value_len);
    if (der == NULL)
        return NULL;
    memcpy(der, header, sizeof(header));
    *len = sizeof(header) + read_up_to(ctx, in, der + sizeof(header),
                                       header_len + value_len - sizeof(header));
    return der;
}

/* Hand a key on by reference; load() in keymgmt.c takes it out of *key. */
static int pass_key(struct prov_key **key, OSSL_CALLBACK *callback, void *arg)
{
    const char *type = prov_key_types[devid_key_public((*key)->key)->type].name;
    int object_type = OSSL_OBJECT_PKEY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &object_type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                         (char *)(uintptr_t)type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, key,
                                          sizeof(void *)),
        OSSL_PARAM_construct_end(),
    };

    return callback(params, arg);
}

/*
 * The key of ours that comes next in the input. NULL where it is something
 * else (*ours is false), or raised.
 */
static struct prov_key *read_key(const struct decoder *self, OSSL_CORE_BIO *in,
                                 bool *ours)
{
    const struct prov_ctx *ctx = self->ctx;
    struct devid_error err = {0};
    struct devid_key *key = NULL;
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e;

    *ours = false;
    if (ctx->engine != NULL) /* else PEM alone can say what is wrong */
        der = read_der(ctx, in, &len);
    if (der == NULL)
        return NULL;
    e = devid_key_from_der(ctx->engine, der, len, ours, &key, &err);
    OPENSSL_clear_free(der, len);
    if (!*ours)
        return NULL;
    if (!may_load(ctx)) {
        devid_key_free(&key);
        return NULL; /* may_load raised */
    }
    if (e != DEVID_OK) {
        prov_raise(ctx, e, "%s", err.text);
        return NULL;
    }
    return prov_key_new(ctx, &key);
}

static int decode_der(const struct decoder *self, OSSL_CORE_BIO *in,
                      const struct caller *caller)
{
    bool ours = false;
    struct prov_key *key = read_key(self, in, &ours);
    int ok = 1;

    if (key == NULL)
        return !ours; /* read_key raised */
    /* The decoder of another type takes what is not of ours. */
    if (devid_key_public(key->key)->type == self->type)
        ok = prov_ask_auth(self->ctx, key->key, caller->ask, caller->ask_arg) &&
             pass_key(&key, caller->callback, caller->arg);
    prov_key_free(key);
    return ok;
}

/*
 * Says what is wrong with a DER key file, and leaves one that is right to the
 * decoders above: OSSL_STORE tries those too, but drops their errors.
 */
static int check_der(const struct decoder *self, OSSL_CORE_BIO *in,
                     const struct caller *caller)
{
    bool ours = false;
    struct prov_key *key = read_key(self, in, &ours);
    bool loads = key != NULL && prov_ask_auth(self->ctx, key->key, caller->ask,
                                              caller->ask_arg);

    prov_key_free(key);
    return !ours || loads; /* read_key raised */
}

static int der_does_selection(void *vctx, int selection)
{
    (void)vctx;
    return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

/*
 * libcrypto calls this, without asking whether it is there, where the program
 * wants the key in another provider's keymgmt.
 */
static int der_export(void *vdecoder, const void *reference, size_t size,
                      OSSL_CALLBACK *callback, void *arg)
{
    const struct decoder *self = vdecoder;

    (void)reference;
    (void)size;
    (void)callback;
    (void)arg;
    prov_raise(self->ctx, DEVID_ERR_USAGE,
               "a key in a device cannot be given to another provider; is a "
               "property query such as provider=default in force?");
    return 0;
}

/* ---- tables ---------------------------------------------------------- */

static void *decoder_new(const struct prov_ctx *ctx, decode_fn *decode,
                         enum devid_key_type type)
{
    struct decoder *self = OPENSSL_zalloc(sizeof(*self));

    if (self == NULL) {
        prov_raise_memory(ctx);
        return NULL;
    }
    self->ctx = ctx;
    self->decode = decode;
    self->type = type;
    return self;
}

static void *pem_new(void *vctx)
{
    return decoder_new(vctx, decode_pem, DEVID_KEY_EC);
}

static void *check_new(void *vctx)
{
    return decoder_new(vctx, check_der, DEVID_KEY_EC);
}

/* NOLINTNEXTLINE(readability-function-size): as OpenSSL declares it */
static int decode(void *vdecoder, OSSL_CORE_BIO *in, int selection,
                  OSSL_CALLBACK *callback, void *arg,
                  OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    const struct decoder *self = vdecoder;
    const struct caller caller = {callback, arg, ask, ask_arg};

    (void)selection; /* der_does_selection has looked at it */
    return self->decode(self, in, &caller);
}

#define TO_DER(table, newctx)                                                  \
    static const OSSL_DISPATCH table[] = {                                     \
        {OSSL_FUNC_DECODER_NEWCTX, PROV_FN(newctx)},                           \
        {OSSL_FUNC_DECODER_FREECTX, PROV_FN(decoder_free)},                    \
        {OSSL_FUNC_DECODER_DECODE, PROV_FN(decode)},                           \
        {0, NULL},                                                             \
    }

TO_DER(pem_functions, pem_new);
TO_DER(check_functions, check_new);

/* Each type has a decoder: libcrypto chooses by type. */
#define TO_KEY(type, id)                                                       \
    static void *type##_new(void *vctx)                                        \
    {                                                                          \
        return decoder_new(vctx, decode_der, id);                              \
    }                                                                          \
    static const OSSL_DISPATCH type##_functions[] = {                          \
        {OSSL_FUNC_DECODER_NEWCTX, PROV_FN(type##_new)},                       \
        {OSSL_FUNC_DECODER_FREECTX, PROV_FN(decoder_free)},                    \
        {OSSL_FUNC_DECODER_DOES_SELECTION, PROV_FN(der_does_selection)},       \
        {OSSL_FUNC_DECODER_DECODE, PROV_FN(decode)},                           \
        {OSSL_FUNC_DECODER_EXPORT_OBJECT, PROV_FN(der_export)},                \
        {0, NULL},                                                             \
    }

TO_KEY(ec, DEVID_KEY_EC);
TO_KEY(rsa, DEVID_KEY_RSA);
TO_KEY(rsa_pss, DEVID_KEY_RSA_PSS);
TO_KEY(ed25519, DEVID_KEY_ED25519);

/* No structure: libcrypto lets the first decoder of a chain that names one
 * decide, for all others, whether the caller's is looked at. */
#define FROM_DER PROV_PROPERTIES ",input=der"

const OSSL_ALGORITHM prov_decoder_algorithms[] = {
    {"DER", PROV_PROPERTIES ",input=pem", pem_functions, "PEM key files"},
    {"DER", FROM_DER, check_functions, "damaged DER key files"},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", FROM_DER, ec_functions,
     "DER key files of EC keys"},
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", FROM_DER, rsa_functions,
     "DER key files of RSA keys"},
    {"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", FROM_DER, rsa_pss_functions,
     "DER key files of RSA-PSS keys"},
    {"ED25519:1.3.101.112", FROM_DER, ed25519_functions,
     "DER key files of Ed25519 keys"},
    {NULL, NULL, NULL, NULL},
};
