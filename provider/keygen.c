/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key generation: openssl genpkey -propquery provider=devid, with the options
 * that OpenSSL's own keys take and some of ours.
 */
#include "prov.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <string.h>

#define DEFAULT_GROUP "P-256"
#define DEFAULT_RSA_BITS 2048

/* Ours, as -pkeyopt takes them. */
#define PARAM_DEVICE "device"
#define PARAM_PARENT "parent"
#define PARAM_PERSIST "persist"
#define PARAM_LABEL "label"
#define PARAM_DECRYPT "decrypt" /* 1: it may also decrypt, or agree (EC) */

enum text {
    TEXT_GROUP,
    TEXT_DEVICE,
    TEXT_PARENT,
    TEXT_PERSIST,
    TEXT_LABEL,
    TEXT_HASH,
    TEXT_COUNT,
};

static const char *const text_names[TEXT_COUNT] = {
    [TEXT_GROUP] = OSSL_PKEY_PARAM_GROUP_NAME,
    [TEXT_DEVICE] = PARAM_DEVICE,
    [TEXT_PARENT] = PARAM_PARENT,
    [TEXT_PERSIST] = PARAM_PERSIST,
    [TEXT_LABEL] = PARAM_LABEL,
    [TEXT_HASH] = OSSL_PKEY_PARAM_RSA_DIGEST,
};

struct gen {
    const struct prov_ctx *ctx;
    enum devid_key_type type;
    size_t bits; /* RSA, RSA-PSS */
    int decrypt;
    char *texts[TEXT_COUNT];
};

int prov_gen_set_params(void *vgen, const OSSL_PARAM params[])
{
    struct gen *gen = vgen;
    const OSSL_PARAM *p;

    if (params == NULL)
        return 1;
    p = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_BITS);
    if (p != NULL && OSSL_PARAM_get_size_t(p, &gen->bits) != 1)
        return 0; /* libcrypto already raised */
    p = OSSL_PARAM_locate_const(params, PARAM_DECRYPT);
    if (p != NULL && OSSL_PARAM_get_int(p, &gen->decrypt) != 1)
        return 0; /* libcrypto already raised */
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        p = OSSL_PARAM_locate_const(params, text_names[i]);
        if (p == NULL)
            continue;
        OPENSSL_free(gen->texts[i]);
        gen->texts[i] = NULL;
        if (OSSL_PARAM_get_utf8_string(p, &gen->texts[i], 0) != 1)
            return 0; /* libcrypto already raised */
    }
    return 1;
}

/* Where the key goes, for any type. */
#define PLACE_PARAMS                                                           \
    OSSL_PARAM_utf8_string(PARAM_DEVICE, NULL, 0),                             \
        OSSL_PARAM_utf8_string(PARAM_PARENT, NULL, 0),                         \
        OSSL_PARAM_utf8_string(PARAM_PERSIST, NULL, 0),                        \
        OSSL_PARAM_utf8_string(PARAM_LABEL, NULL, 0)

const OSSL_PARAM *prov_gen_settable(enum devid_key_type type)
{
    static const OSSL_PARAM ec[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_int(PARAM_DECRYPT, NULL),
        PLACE_PARAMS,
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM rsa[] = {
        OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_BITS, NULL),
        OSSL_PARAM_int(PARAM_DECRYPT, NULL),
        PLACE_PARAMS,
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM rsa_pss[] = {
        OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_BITS, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, NULL, 0),
        PLACE_PARAMS,
        OSSL_PARAM_END,
    };

    static const OSSL_PARAM ed25519[] = {PLACE_PARAMS, OSSL_PARAM_END};

    switch (type) {
    case DEVID_KEY_EC:
        return ec;
    case DEVID_KEY_RSA:
        return rsa;
    case DEVID_KEY_RSA_PSS:
        return rsa_pss;
    case DEVID_KEY_ED25519:
        break;
    }
    return ed25519;
}

void prov_gen_cleanup(void *vgen)
{
    struct gen *gen = vgen;

    if (gen == NULL)
        return;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        OPENSSL_free(gen->texts[i]);
    OPENSSL_free(gen);
}

void *prov_gen_new(const struct prov_ctx *ctx, enum devid_key_type type,
                   const OSSL_PARAM params[])
{
    struct gen *gen;

    if (!prov_ready(ctx))
        return NULL; /* prov_ready raised */
    gen = OPENSSL_zalloc(sizeof(*gen));
    if (gen == NULL) {
        prov_raise_memory(ctx);
        return NULL;
    }
    gen->ctx = ctx;
    gen->type = type;
    gen->bits = DEFAULT_RSA_BITS;
    if (prov_gen_set_params(gen, params) != 1) {
        prov_gen_cleanup(gen);
        return NULL; /* prov_gen_set_params raised */
    }
    return gen;
}

static const struct devid_algorithm *rsa_algorithm(enum devid_key_type type,
                                                   size_t bits)
{
    const struct devid_algorithm *alg = devid_algorithms();

    for (; alg->name != NULL; alg++) {
        if (alg->type == type && alg->bits == bits)
            return alg;
    }
    return NULL;
}

static const struct devid_algorithm *ec_algorithm(const char *group)
{
    const struct devid_algorithm *alg = devid_algorithm_by_name(group);

    return alg != NULL && alg->type == DEVID_KEY_EC ? alg : NULL;
}

/* What was asked for, as the engine names it; NULL: raised. */
static const char *algorithm_name(const struct gen *gen)
{
    const char *group =
        gen->texts[TEXT_GROUP] != NULL ? gen->texts[TEXT_GROUP] : DEFAULT_GROUP;
    const struct devid_algorithm *alg = NULL;

    switch (gen->type) {
    case DEVID_KEY_EC:
        alg = ec_algorithm(group);
        if (alg == NULL)
            prov_raise(gen->ctx, DEVID_ERR_ALG,
                       "devid makes no EC key on group '%.60s': take P-256, "
                       "P-384 or P-521",
                       group);
        break;
    case DEVID_KEY_RSA:
    case DEVID_KEY_RSA_PSS:
        alg = rsa_algorithm(gen->type, gen->bits);
        if (alg == NULL)
            prov_raise(gen->ctx, DEVID_ERR_ALG,
                       "devid makes no RSA key of %zu bits: take 2048, 3072 "
                       "or 4096",
                       gen->bits);
        break;
    case DEVID_KEY_ED25519:
        return "ed25519";
    }
    return alg != NULL ? alg->name : NULL;
}

void *prov_gen(void *vgen, OSSL_CALLBACK *callback, void *arg)
{
    struct gen *gen = vgen;
    struct devid_key_spec spec = {
        .device = gen->texts[TEXT_DEVICE],
        .algorithm = algorithm_name(gen),
        .parent = gen->texts[TEXT_PARENT],
        .persist = gen->texts[TEXT_PERSIST],
        .label = gen->texts[TEXT_LABEL],
        .hash = gen->texts[TEXT_HASH],
        .decrypt = gen->decrypt != 0,
    };
    struct devid_error err = {0};
    struct devid_key *key = NULL;
    enum devid_err e;

    (void)callback; /* a device tells no progress */
    (void)arg;
    if (spec.algorithm == NULL)
        return NULL; /* algorithm_name raised */
    e = devid_key_create(gen->ctx->engine, &spec, &key, &err);
    if (e != DEVID_OK) {
        prov_raise(gen->ctx, e, "%s", err.text);
        return NULL;
    }
    return prov_key_new(gen->ctx, &key);
}
