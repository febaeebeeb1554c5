/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider's entry: initialisation, its operations, its end.
 *
 * Initialising opens no device and costs no command, so that OPENSSL_CONF may
 * name us for a whole system. It fails only where there is nothing to live
 * on: programs ignore an openssl.cnf that fails, so whatever is wrong with
 * ours is kept and said when a key is loaded.
 */
#include "prov.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <stdatomic.h>
#include <string.h>

/* Library contexts that have us activated. */
static atomic_int live_contexts;

/* ---- operations ------------------------------------------------------ */

struct operation {
    const OSSL_ALGORITHM *algorithms;
    int id;
    bool settle;       /* others offer these algorithms too: see settle.c */
    bool when_dormant; /* works then, or says why nothing does */
};

/* Nothing else: whatever is not here cannot be routed to a slow chip. */
static const struct operation operations[] = {
    {prov_keymgmt_algorithms, OSSL_OP_KEYMGMT, true, false},
    {prov_signature_algorithms, OSSL_OP_SIGNATURE, true, false},
    {prov_keyexch_algorithms, OSSL_OP_KEYEXCH, true, false},
    {prov_asym_cipher_algorithms, OSSL_OP_ASYM_CIPHER, true, false},
    {prov_decoder_algorithms, OSSL_OP_DECODER, false, true},
    {prov_encoder_algorithms, OSSL_OP_ENCODER, false, false},
    {prov_store_algorithms, OSSL_OP_STORE, false, false},
    {prov_random_algorithms, OSSL_OP_RAND, false, true}, /* asked by name */
};

static const OSSL_ALGORITHM *query_operation(void *vctx, int operation_id,
                                             int *no_cache)
{
    const struct prov_ctx *ctx = vctx;

    *no_cache = 0;
    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
        const struct operation *op = &operations[i];

        if (op->id != operation_id || (ctx->dormant && !op->when_dormant))
            continue;
        if (!op->settle || prov_settle(ctx, op->id, op->algorithms))
            return op->algorithms;
        *no_cache = 1; /* not yet: ask again */
        return NULL;
    }
    return NULL;
}

/* ---- what the provider says of itself -------------------------------- */

static const OSSL_PARAM *gettable_params(void *vctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_BUILDINFO, OSSL_PARAM_UTF8_PTR, NULL,
                        0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vctx;
    return params;
}

static int get_params(void *vctx, OSSL_PARAM params[])
{
    static const struct {
        const char *key;
        const char *value;
    } texts[] = {
        {OSSL_PROV_PARAM_NAME, "devid: keys that never leave a device"},
        {OSSL_PROV_PARAM_VERSION, DEVID_VERSION},
        {OSSL_PROV_PARAM_BUILDINFO, DEVID_VERSION},
    };
    OSSL_PARAM *p;

    (void)vctx;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        p = OSSL_PARAM_locate(params, texts[i].key);
        if (p != NULL && OSSL_PARAM_set_utf8_ptr(p, texts[i].value) != 1)
            return 0; /* libcrypto already raised */
    }
    p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
    if (p != NULL && OSSL_PARAM_set_int(p, 1) != 1)
        return 0; /* libcrypto already raised */
    return 1;
}

static const OSSL_ITEM *get_reason_strings(void *vctx)
{
    (void)vctx;
    return prov_reason_strings;
}

bool prov_ready(const struct prov_ctx *ctx)
{
    if (ctx->trouble == DEVID_OK)
        return true;
    prov_raise(ctx, ctx->trouble, "%s", ctx->trouble_text.text);
    return false;
}

/* ---- beginning and end ----------------------------------------------- */

/*
 * Where the program has a libcrypto of its own, ours has cleaned up before
 * this runs at exit, and nothing of it can be freed any more.
 */
static void teardown(void *vctx)
{
    struct prov_ctx *ctx = vctx;

    if (atomic_fetch_sub(&live_contexts, 1) == 1)
        devid_shutdown();
    if (!ctx->same_libcrypto)
        return;
    devid_free(&ctx->engine);
    OSSL_LIB_CTX_free(ctx->libctx);
    OPENSSL_free(ctx);
}

/*
 * Teardown does not run where a program leaks an EVP_PKEY, nor in most
 * programs on OpenSSL 4. devid_shutdown() is idempotent.
 */
static void __attribute__((destructor)) at_unload(void)
{
    devid_shutdown();
}

/* False where the core lacks one: then it is no OpenSSL 3. */
static bool take_upcalls(struct prov_core *core, const OSSL_DISPATCH *in)
{
    for (; in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_CORE_GET_PARAMS:
            core->get_params = OSSL_FUNC_core_get_params(in);
            break;
        case OSSL_FUNC_CORE_GET_LIBCTX:
            core->get_libctx = OSSL_FUNC_core_get_libctx(in);
            break;
        case OSSL_FUNC_CORE_NEW_ERROR:
            core->new_error = OSSL_FUNC_core_new_error(in);
            break;
        case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
            core->set_error_debug = OSSL_FUNC_core_set_error_debug(in);
            break;
        case OSSL_FUNC_CORE_VSET_ERROR:
            core->vset_error = OSSL_FUNC_core_vset_error(in);
            break;
        case OSSL_FUNC_BIO_READ_EX:
            core->bio_read = OSSL_FUNC_BIO_read_ex(in);
            break;
        case OSSL_FUNC_BIO_WRITE_EX:
            core->bio_write = OSSL_FUNC_BIO_write_ex(in);
            break;
        case OSSL_FUNC_BIO_GETS:
            core->bio_gets = OSSL_FUNC_BIO_gets(in);
            break;
        case OSSL_FUNC_BIO_CTRL:
            core->bio_ctrl = OSSL_FUNC_BIO_ctrl(in);
            break;
        case OSSL_FUNC_PROVIDER_REGISTER_CHILD_CB:
            core->register_child = OSSL_FUNC_provider_register_child_cb(in);
            break;
        case OSSL_FUNC_PROVIDER_DEREGISTER_CHILD_CB:
            core->deregister_child = OSSL_FUNC_provider_deregister_child_cb(in);
            break;
        case OSSL_FUNC_PROVIDER_NAME:
            core->provider_name = OSSL_FUNC_provider_name(in);
            break;
        }
    }
    return core->get_params != NULL && core->get_libctx != NULL &&
           core->new_error != NULL && core->set_error_debug != NULL &&
           core->vset_error != NULL && core->bio_read != NULL &&
           core->bio_write != NULL && core->bio_gets != NULL &&
           core->bio_ctrl != NULL && core->register_child != NULL &&
           core->deregister_child != NULL && core->provider_name != NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_TEARDOWN, PROV_FN(teardown)},
    {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, PROV_FN(gettable_params)},
    {OSSL_FUNC_PROVIDER_GET_PARAMS, PROV_FN(get_params)},
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, PROV_FN(query_operation)},
    {OSSL_FUNC_PROVIDER_GET_REASON_STRINGS, PROV_FN(get_reason_strings)},
    {0, NULL},
};

__attribute__((visibility("default"))) int
OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                   const OSSL_DISPATCH **out, void **provctx)
{
    struct prov_ctx *ctx = OPENSSL_zalloc(sizeof(*ctx));

    if (ctx == NULL)
        return 0; /* libcrypto already raised */
    ctx->handle = handle;
    if (!take_upcalls(&ctx->core, in)) {
        OPENSSL_free(ctx);
        return 0; /* nothing to raise it with */
    }
    prov_settle_init(ctx);
    ctx->libctx = OSSL_LIB_CTX_new_child(handle, in);
    if (ctx->libctx == NULL) {
        prov_raise(ctx, DEVID_ERR_SYSTEM,
                   "devid cannot make a library context of its own");
        OPENSSL_free(ctx);
        return 0;
    }
    ctx->trouble = devid_new(ctx->libctx, &ctx->engine, &ctx->trouble_text);
    if (ctx->trouble == DEVID_OK)
        ctx->trouble = prov_configure(ctx, &ctx->trouble_text);
    atomic_fetch_add(&live_contexts, 1);
    *provctx = ctx;
    *out = provider_functions;
    return 1;
}
