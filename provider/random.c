/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seed for OpenSSL's random generators, from a TPM or a token.
 *
 * Nobody fetches it by accident: its name is its own, a user's openssl.cnf must
 * say `seed = DEVID-SEED`, and the setting random-source must name the device.
 * OpenSSL's generators, which all random numbers come from, are seeded and
 * seeded again from what this answers; where the device does not answer, so do
 * they not. Nothing is kept between two calls, so that a device that is back
 * serves at once, and a child process asks for itself.
 */
#include "prov.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* What OpenSSL's AES-256 generators ask their parent for. */
#define STRENGTH_BITS 256
/* Bytes of one request to the generator itself, as OpenSSL's own source. */
#define REQUEST_MAX 128

struct seed {
    const struct prov_ctx *ctx;
    int state; /* EVP_RAND_STATE_ */
};

static void *seed_new(void *vctx, void *parent, const OSSL_DISPATCH *calls)
{
    const struct prov_ctx *ctx = vctx;
    struct seed *self;

    (void)calls;
    if (parent != NULL) {
        prov_raise(ctx, DEVID_ERR_USAGE,
                   "DEVID-SEED is the source of a seed: it has no parent");
        return NULL;
    }
    self = OPENSSL_zalloc(sizeof(*self));
    if (self == NULL) {
        prov_raise_memory(ctx);
        return NULL;
    }
    self->ctx = ctx;
    self->state = EVP_RAND_STATE_UNINITIALISED;
    return self;
}

static void seed_free(void *vseed)
{
    OPENSSL_free(vseed);
}

/* Fill the bytes from the device; false: raised. */
static bool ask_device(const struct seed *self, uint8_t *bytes, size_t len)
{
    struct devid_error err = {0};
    enum devid_err e;

    if (!prov_ready(self->ctx))
        return false; /* it raised */
    e = devid_random(self->ctx->engine, bytes, len, &err);
    if (e == DEVID_OK)
        return true;
    prov_raise(self->ctx, e, "%s", err.text);
    return false;
}

/*
 * Where a source cannot be instantiated, OpenSSL goes on without it and says
 * nothing. So whatever is wrong is said when a seed is asked for.
 */
/* NOLINTNEXTLINE(readability-function-size): as OpenSSL declares it */
static int seed_instantiate(void *vseed, unsigned int strength, int fresh,
                            const unsigned char *text, size_t text_len,
                            const OSSL_PARAM params[])
{
    struct seed *self = vseed;

    (void)fresh; /* whatever a device answers is */
    (void)text;
    (void)text_len;
    (void)params;
    if (strength > STRENGTH_BITS) {
        prov_raise(self->ctx, DEVID_ERR_ALG,
                   "a seed of %u bits of strength was asked for: DEVID-SEED "
                   "vouches for %d",
                   strength, STRENGTH_BITS);
        return 0;
    }
    self->state = EVP_RAND_STATE_READY;
    return 1;
}

static int seed_uninstantiate(void *vseed)
{
    struct seed *self = vseed;

    self->state = EVP_RAND_STATE_UNINITIALISED;
    return 1;
}

static bool is_ready(const struct seed *self)
{
    if (self->state == EVP_RAND_STATE_READY)
        return true;
    prov_raise(self->ctx, DEVID_ERR_USAGE,
               "DEVID-SEED is asked for a seed before it was instantiated");
    return false;
}

/* NOLINTNEXTLINE(readability-function-size): as OpenSSL declares it */
static int seed_generate(void *vseed, unsigned char *out, size_t len,
                         unsigned int strength, int fresh,
                         const unsigned char *more, size_t more_len)
{
    const struct seed *self = vseed;

    (void)strength; /* libcrypto has compared it with ours */
    (void)fresh;
    (void)more;
    (void)more_len;
    return is_ready(self) && ask_device(self, out, len);
}

static int seed_reseed(void *vseed, int fresh, const unsigned char *entropy,
                       size_t entropy_len, const unsigned char *more,
                       size_t more_len)
{
    (void)fresh;
    (void)entropy; /* the device keeps its own counsel */
    (void)entropy_len;
    (void)more;
    (void)more_len;
    return is_ready(vseed);
}

/* NOLINTNEXTLINE(readability-function-size): as OpenSSL declares it */
static size_t seed_get(void *vseed, unsigned char **out, int entropy_bits,
                       size_t min_len, size_t max_len, int fresh,
                       const unsigned char *more, size_t more_len)
{
    const struct seed *self = vseed;
    size_t len = entropy_bits > 0 ? ((size_t)entropy_bits + 7) / 8 : 0;
    unsigned char *bytes;

    (void)fresh;
    (void)more;
    (void)more_len;
    if (!is_ready(self))
        return 0;
    if (len < min_len)
        len = min_len;
    if (len > max_len) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "a seed of %d bits does not go into %zu bytes", entropy_bits,
                   max_len);
        return 0;
    }
    bytes = OPENSSL_secure_malloc(len);
    if (bytes == NULL) {
        prov_raise_memory(self->ctx);
        return 0;
    }
    if (!ask_device(self, bytes, len)) {
        OPENSSL_secure_clear_free(bytes, len);
        return 0;
    }
    *out = bytes;
    return len;
}

static void seed_clear(void *vseed, unsigned char *bytes, size_t len)
{
    (void)vseed;
    OPENSSL_secure_clear_free(bytes, len);
}

/* The engine may be asked by any thread: there is nothing to lock. */
static int seed_enable_locking(void *vseed)
{
    (void)vseed;
    return 1;
}

static int seed_lock(void *vseed)
{
    (void)vseed;
    return 1;
}

static void seed_unlock(void *vseed)
{
    (void)vseed;
}

static const OSSL_PARAM *seed_gettable(void *vseed, void *vctx)
{
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, NULL),
        OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, NULL),
        OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, NULL),
        OSSL_PARAM_END,
    };

    (void)vseed;
    (void)vctx;
    return params;
}

static int seed_get_params(void *vseed, OSSL_PARAM params[])
{
    const struct seed *self = vseed;
    OSSL_PARAM *p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);

    if (p != NULL && OSSL_PARAM_set_int(p, self->state) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
    if (p != NULL && OSSL_PARAM_set_uint(p, STRENGTH_BITS) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
    if (p != NULL && OSSL_PARAM_set_size_t(p, REQUEST_MAX) != 1)
        return 0; /* libcrypto already raised */
    return 1;
}

/* It has no state that could be left behind. */
static int seed_verify_zeroization(void *vseed)
{
    (void)vseed;
    return 1;
}

static const OSSL_DISPATCH seed_functions[] = {
    {OSSL_FUNC_RAND_NEWCTX, PROV_FN(seed_new)},
    {OSSL_FUNC_RAND_FREECTX, PROV_FN(seed_free)},
    {OSSL_FUNC_RAND_INSTANTIATE, PROV_FN(seed_instantiate)},
    {OSSL_FUNC_RAND_UNINSTANTIATE, PROV_FN(seed_uninstantiate)},
    {OSSL_FUNC_RAND_GENERATE, PROV_FN(seed_generate)},
    {OSSL_FUNC_RAND_RESEED, PROV_FN(seed_reseed)},
    {OSSL_FUNC_RAND_GET_SEED, PROV_FN(seed_get)},
    {OSSL_FUNC_RAND_CLEAR_SEED, PROV_FN(seed_clear)},
    {OSSL_FUNC_RAND_ENABLE_LOCKING, PROV_FN(seed_enable_locking)},
    {OSSL_FUNC_RAND_LOCK, PROV_FN(seed_lock)},
    {OSSL_FUNC_RAND_UNLOCK, PROV_FN(seed_unlock)},
    {OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, PROV_FN(seed_gettable)},
    {OSSL_FUNC_RAND_GET_CTX_PARAMS, PROV_FN(seed_get_params)},
    {OSSL_FUNC_RAND_VERIFY_ZEROIZATION, PROV_FN(seed_verify_zeroization)},
    {0, NULL},
};

const OSSL_ALGORITHM prov_random_algorithms[] = {
    {"DEVID-SEED", PROV_PROPERTIES, seed_functions,
     "random numbers of a TPM or a token"},
    {NULL, NULL, NULL, NULL},
};
