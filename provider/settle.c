/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registering last: how the order of providers stops mattering.
 *
 * libcrypto's method store answers a fetch without properties with the method
 * that was stored first. Listed before `default`, we would therefore be given
 * everybody's key generation, ECDH and signatures, and libssl would drop
 * P-256 because the keymgmt that it fetches is not from the provider that
 * announced the group. So before the core gets our table for an operation, we
 * fetch the same algorithms from anybody but us, in the program's library
 * context: that stores theirs, and ours come after. The fetch asks us too, in
 * the same thread; we then offer nothing, and not for keeping.
 *
 * Every operation that others offer as well must be settled. One that is left
 * out is fetched from us by name of provider, for our own keys, and libcrypto
 * then answers the fetch without properties from the same cache.
 *
 * The core's handle of the program's library context is a pointer that
 * provider-base(7) tells providers not to use, because a provider may be
 * linked to another libcrypto than the program. So we use it only where both
 * are proven the same. Where they are not we can still work where others stand
 * before us; where they do not, we stay dormant and a key's loading says what
 * to do.
 */
#include "prov.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* This thread is fetching on our behalf: offer nothing. */
static _Thread_local bool nested;

/* True where `name` is to be had from somebody else than us. */
static bool offered(OSSL_LIB_CTX *libctx, int operation_id, const char *name)
{
    EVP_KEYMGMT *keymgmt;
    EVP_SIGNATURE *signature;
    EVP_KEYEXCH *exchange;
    EVP_ASYM_CIPHER *cipher;

    switch (operation_id) {
    case OSSL_OP_KEYMGMT:
        keymgmt = EVP_KEYMGMT_fetch(libctx, name, PROV_NOT_OURS);
        EVP_KEYMGMT_free(keymgmt);
        return keymgmt != NULL;
    case OSSL_OP_SIGNATURE:
        signature = EVP_SIGNATURE_fetch(libctx, name, PROV_NOT_OURS);
        EVP_SIGNATURE_free(signature);
        return signature != NULL;
    case OSSL_OP_KEYEXCH:
        exchange = EVP_KEYEXCH_fetch(libctx, name, PROV_NOT_OURS);
        EVP_KEYEXCH_free(exchange);
        return exchange != NULL;
    case OSSL_OP_ASYM_CIPHER:
        cipher = EVP_ASYM_CIPHER_fetch(libctx, name, PROV_NOT_OURS);
        EVP_ASYM_CIPHER_free(cipher);
        return cipher != NULL;
    default:
        return false; /* an operation that nobody taught this file */
    }
}

/* The first of an algorithm's names: the part before the colon. */
static void first_name(const OSSL_ALGORITHM *algorithm, char *name, size_t size)
{
    (void)snprintf(name, size, "%.*s",
                   (int)strcspn(algorithm->algorithm_names, ":"),
                   algorithm->algorithm_names);
}

bool prov_settle(const struct prov_ctx *ctx, int operation_id,
                 const OSSL_ALGORITHM *algorithms)
{
    bool settled = true;

    if (nested)
        return false;
    if (ctx->program_ctx == NULL)
        return !ctx->dormant; /* others stand before us already */
    nested = true;
    ERR_set_mark();
    for (; settled && algorithms->algorithm_names != NULL; algorithms++) {
        char name[32];

        first_name(algorithms, name, sizeof(name));
        settled = offered(ctx->program_ctx, operation_id, name);
    }
    ERR_pop_to_mark();
    nested = false;
    return settled;
}

/* Do the program's core and we run on one copy of libcrypto? */
static bool same_libcrypto(const struct prov_ctx *ctx, const void *program_ctx)
{
    Dl_info theirs;
    Dl_info ours;

    if (program_ctx == OSSL_LIB_CTX_get0_global_default())
        return true;
    return dladdr((void *)(uintptr_t)ctx->core.get_libctx, &theirs) != 0 &&
           dladdr((void *)(uintptr_t)OSSL_LIB_CTX_new_child, &ours) != 0 &&
           theirs.dli_fbase == ours.dli_fbase;
}

/* ---- a program with another libcrypto -------------------------------- */

struct search {
    OSSL_FUNC_provider_name_fn *name;
    bool found;
};

static int look_at(const OSSL_CORE_HANDLE *provider, void *arg)
{
    struct search *search = arg;

    if (strcmp(search->name(provider), "default") == 0)
        search->found = true;
    return 1;
}

static int ignore_provider(const OSSL_CORE_HANDLE *provider, void *arg)
{
    (void)provider;
    (void)arg;
    return 1;
}

static int ignore_properties(const char *properties, void *arg)
{
    (void)properties;
    (void)arg;
    return 1;
}

/*
 * Was `default` activated before us? A registration for a child context tells
 * who is there; it is taken back at once.
 */
static bool default_is_before_us(const struct prov_ctx *ctx)
{
    struct search search = {.name = ctx->core.provider_name};

    if (ctx->core.register_child(ctx->handle, look_at, ignore_provider,
                                 ignore_properties, &search) == 1)
        ctx->core.deregister_child(ctx->handle);
    return search.found;
}

void prov_settle_init(struct prov_ctx *ctx)
{
    OPENSSL_CORE_CTX *program_ctx = ctx->core.get_libctx(ctx->handle);

    ctx->same_libcrypto = same_libcrypto(ctx, program_ctx);
    if (program_ctx != NULL && ctx->same_libcrypto)
        ctx->program_ctx = (OSSL_LIB_CTX *)program_ctx;
    else
        ctx->dormant = !default_is_before_us(ctx);
}
