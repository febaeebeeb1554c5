/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: settings by name, back ends by scheme, nothing opened. */
#include "engine.h"
#include "secret.h"
#include "settings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#define BACKENDS_MAX 4

struct devid {
    atomic_int refs;
    OSSL_LIB_CTX *libctx; /* borrowed from the caller of devid_new */
    char *values[SETTING_COUNT];
    bool from_env[SETTING_COUNT];
    struct devid_secret *captured[SETTING_COUNT]; /* of env:NAME values */
    pthread_mutex_t lock;                         /* guards states[] */
    const struct devid_backend *const *table;
    void *states[BACKENDS_MAX]; /* in the table's order; NULL: not opened */
};

/* Take a checked value over. */
static enum devid_err put_value(struct devid *engine, size_t which,
                                const char *value, struct devid_error *err)
{
    char *copy = OPENSSL_strdup(value);
    const char *secret = NULL;

    if (copy == NULL)
        return devid_no_memory(err);
    OPENSSL_free(engine->values[which]);
    engine->values[which] = copy;
    devid_secret_free(&engine->captured[which]);
    if (which >= SETTING_AUTH && which <= SETTING_PIN &&
        strncmp(value, "env:", 4) == 0)
        secret = getenv(value + 4);
    if (secret == NULL)
        return DEVID_OK;
    return devid_secret_new(secret, strlen(secret), &engine->captured[which],
                            err);
}

static enum devid_err read_environment(struct devid *engine,
                                       struct devid_error *err)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *value = getenv(devid_settings()[i].env);
        const char *where = devid_settings()[i].env;

        if (value == NULL && i == SETTING_TCTI) {
            /* Every TPM tool knows this one; only ours beats openssl.cnf. */
            value = getenv("TPM2TOOLS_TCTI");
            where = "TPM2TOOLS_TCTI";
        }
        if (value == NULL)
            continue;
        enum devid_err e = devid_setting_check(i, value, where, err);
        if (e == DEVID_OK)
            e = put_value(engine, i, value, err);
        if (e != DEVID_OK)
            return e;
        engine->from_env[i] = where == devid_settings()[i].env;
    }
    return DEVID_OK;
}

enum devid_err devid_new_with(OSSL_LIB_CTX *libctx,
                              const struct devid_backend *const *table,
                              struct devid **engine, struct devid_error *err)
{
    struct devid *self = OPENSSL_zalloc(sizeof(*self));
    enum devid_err e;

    *engine = NULL;
    if (self == NULL)
        return devid_no_memory(err);
    if (pthread_mutex_init(&self->lock, NULL) != 0) {
        OPENSSL_free(self);
        return devid_no_memory(err);
    }
    atomic_init(&self->refs, 1);
    self->libctx = libctx;
    self->table = table;
    e = read_environment(self, err);
    if (e != DEVID_OK) {
        devid_free(&self);
        return e;
    }
    *engine = self;
    return DEVID_OK;
}

enum devid_err devid_new(OSSL_LIB_CTX *libctx, struct devid **engine,
                         struct devid_error *err)
{
    return devid_new_with(libctx, devid_backends, engine, err);
}

struct devid *devid_up_ref(struct devid *engine)
{
    atomic_fetch_add(&engine->refs, 1);
    return engine;
}

void devid_free(struct devid **engine)
{
    struct devid *self = *engine;

    *engine = NULL;
    if (self == NULL || atomic_fetch_sub(&self->refs, 1) > 1)
        return;
    for (size_t i = 0; self->table[i] != NULL; i++) {
        if (self->states[i] != NULL)
            self->table[i]->close(&self->states[i]);
    }
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        OPENSSL_free(self->values[i]);
        devid_secret_free(&self->captured[i]);
    }
    pthread_mutex_destroy(&self->lock);
    OPENSSL_free(self);
}

enum devid_err devid_set(struct devid *engine, const char *name,
                         const char *value, struct devid_error *err)
{
    enum devid_err e;

    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(devid_settings()[i].name, name) != 0)
            continue;
        e = devid_setting_check(i, value, name, err);
        if (e != DEVID_OK || engine->from_env[i])
            return e;
        return put_value(engine, i, value, err);
    }
    return devid_setting_unknown(name, err);
}

const struct devid_secret *devid_captured(const struct devid *engine,
                                          const char *setting)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(devid_settings()[i].name, setting) == 0)
            return engine->captured[i];
    }
    return NULL;
}

const char *devid_get(const struct devid *engine, const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(devid_settings()[i].name, name) == 0)
            return engine->values[i];
    }
    return NULL;
}

bool devid_is(const struct devid *engine, const char *name, const char *value)
{
    const char *set = devid_get(engine, name);

    return set != NULL && strcmp(set, value) == 0;
}

OSSL_LIB_CTX *devid_libctx(const struct devid *engine)
{
    return engine->libctx;
}

void devid_shutdown(void)
{
    for (size_t i = 0; devid_backends[i] != NULL; i++)
        devid_backends[i]->shutdown();
}

/* True where `uri` starts with one of the back end's schemes and a colon. */
static bool has_scheme(const struct devid_backend *be, const char *uri)
{
    for (size_t i = 0; be->schemes[i] != NULL; i++) {
        size_t len = strlen(be->schemes[i]);

        if (strncasecmp(uri, be->schemes[i], len) == 0 && uri[len] == ':')
            return true;
    }
    return false;
}

static enum devid_err backend_state(struct devid *engine, size_t which,
                                    void **state, struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    pthread_mutex_lock(&engine->lock);
    if (engine->states[which] == NULL)
        e = engine->table[which]->open(engine, &engine->states[which], err);
    *state = engine->states[which];
    pthread_mutex_unlock(&engine->lock);
    return e;
}

enum devid_err devid_backend_for(struct devid *engine, const char *uri,
                                 const struct devid_backend **be, void **state,
                                 struct devid_error *err)
{
    char known[128] = "";
    size_t used = 0;

    for (size_t i = 0; engine->table[i] != NULL; i++) {
        if (uri == NULL || has_scheme(engine->table[i], uri)) {
            *be = engine->table[i];
            return backend_state(engine, i, state, err);
        }
        for (size_t j = 0; engine->table[i]->schemes[j] != NULL; j++) {
            int n = snprintf(known + used, sizeof(known) - used,
                             "%s%s:", used == 0 ? "" : ", ",
                             engine->table[i]->schemes[j]);
            if (n > 0 && (size_t)n < sizeof(known) - used)
                used += (size_t)n;
        }
    }
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "'%.200s' does not start with a scheme that devid knows "
                      "(%s)",
                      uri, known);
}
