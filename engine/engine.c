/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: settings by name, back ends by scheme, nothing opened. */
#include "engine.h"
#include "secret.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#define BACKENDS_MAX 4
#define LOCK_TIMEOUT_MAX_S 3600

enum setting {
    SETTING_TCTI,
    SETTING_SHARING,
    SETTING_OPEN,
    SETTING_LOCK_TIMEOUT,
    SETTING_CHECK,
    SETTING_AUTH,
    SETTING_PARENT_AUTH,
    SETTING_OWNER_AUTH,
    SETTING_ENDORSEMENT_AUTH,
    SETTING_LOCKOUT_AUTH,
    SETTING_PIN,
    SETTING_MODULE,
    SETTING_RANDOM,
    SETTING_COUNT,
};

static const struct devid_setting settings[] = {
    [SETTING_TCTI] = {"tcti", "DEVID_TCTI",
                      "where the TPM is, as a TCTI string: device:/dev/tpmrm0"},
    [SETTING_SHARING] = {"tpm2-sharing", "DEVID_TPM2_SHARING",
                         "auto, managed (a resource manager stands before the "
                         "TPM) or bare"},
    [SETTING_OPEN] = {"tpm2-open", "DEVID_TPM2_OPEN",
                      "late (at the first signature) or early (when a key is "
                      "loaded, for children that may not)"},
    [SETTING_LOCK_TIMEOUT] = {"lock-timeout", "DEVID_LOCK_TIMEOUT",
                              "seconds to wait for a busy device"},
    [SETTING_CHECK] = {"check-signatures", "DEVID_CHECK_SIGNATURES",
                       "auto (RSA, and where another key may have signed) or "
                       "always"},
    [SETTING_AUTH] = {"auth-source", "DEVID_AUTH_SOURCE",
                      "where the auth value of keys is: file:PATH or env:NAME"},
    [SETTING_PARENT_AUTH] = {"parent-auth-source", "DEVID_PARENT_AUTH_SOURCE",
                             "where the auth value of the keys' parent is"},
    [SETTING_OWNER_AUTH] = {"owner-auth-source", "DEVID_OWNER_AUTH_SOURCE",
                            "where the owner hierarchy's auth value is"},
    [SETTING_ENDORSEMENT_AUTH] =
        {"endorsement-auth-source", "DEVID_ENDORSEMENT_AUTH_SOURCE",
         "where the endorsement hierarchy's auth value is"},
    [SETTING_LOCKOUT_AUTH] = {"lockout-auth-source",
                              "DEVID_LOCKOUT_AUTH_SOURCE",
                              "where the lockout hierarchy's auth value is"},
    [SETTING_PIN] = {"pin-source", "DEVID_PIN_SOURCE",
                     "where a token's PIN is: file:PATH or env:NAME; or ask, "
                     "for the program's passphrase"},
    [SETTING_MODULE] = {"pkcs11-module", "DEVID_PKCS11_MODULE",
                        "the PKCS#11 module's file, where a key's URI names "
                        "none"},
    [SETTING_RANDOM] = {"random-source", "DEVID_RANDOM_SOURCE",
                        "the device that DEVID-SEED takes random numbers from: "
                        "tpm2: or a token's URI"},
    [SETTING_COUNT] = {NULL, NULL, NULL},
};

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

const struct devid_setting *devid_settings(void)
{
    return settings;
}

/* Where a secret is read from. */
static enum devid_err check_source(const char *value, const char *where,
                                   const char *more, struct devid_error *err)
{
    if ((strncmp(value, "file:", 5) == 0 && value[5] != '\0') ||
        (strncmp(value, "env:", 4) == 0 && value[4] != '\0'))
        return DEVID_OK;
    /* Not shown: it may be the secret itself, put in the wrong place. */
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "%s must be file:PATH or env:NAME, where the secret is "
                      "read from%s; the secret itself never stands there",
                      where, more);
}

/* A whole one. Not shown where it is wrong: a URI may have a PIN in it. */
static enum devid_err check_device(const char *value, const char *where,
                                   struct devid_error *err)
{
    if (strcmp(value, "tpm2:") == 0 ||
        (strncmp(value, "pkcs11:", 7) == 0 && value[7] != '\0'))
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "%s must be a device: tpm2: or a token's URI such as "
                      "pkcs11:token=factory",
                      where);
}

static enum devid_err check_seconds(const char *value, const char *where,
                                    struct devid_error *err)
{
    char *end = NULL;
    unsigned long seconds;

    errno = 0;
    seconds = strtoul(value, &end, 10);
    if (*value >= '0' && *value <= '9' && *end == '\0' && errno == 0 &&
        seconds <= LOCK_TIMEOUT_MAX_S)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "%s is '%s': it must be a number of seconds from 0 to "
                      "%d",
                      where, value, LOCK_TIMEOUT_MAX_S);
}

static enum devid_err check_value(size_t which, const char *value,
                                  const char *where, struct devid_error *err)
{
    switch ((enum setting)which) {
    case SETTING_TCTI:
        if (*value != '\0')
            return DEVID_OK;
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%s is empty: give a TCTI string such as "
                          "device:/dev/tpmrm0, or leave it out",
                          where);
    case SETTING_SHARING:
        if (strcmp(value, "auto") == 0 || strcmp(value, "managed") == 0 ||
            strcmp(value, "bare") == 0)
            return DEVID_OK;
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%s is '%s': it must be auto, managed or bare", where,
                          value);
    case SETTING_OPEN:
        if (strcmp(value, "early") == 0 || strcmp(value, "late") == 0)
            return DEVID_OK;
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%s is '%s': it must be early or late", where, value);
    case SETTING_CHECK:
        if (strcmp(value, "auto") == 0 || strcmp(value, "always") == 0)
            return DEVID_OK;
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%s is '%s': it must be auto or always", where,
                          value);
    case SETTING_LOCK_TIMEOUT:
        return check_seconds(value, where, err);
    case SETTING_MODULE:
        if (*value != '\0')
            return DEVID_OK;
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%s is empty: give the file of a PKCS#11 module, or "
                          "leave it out",
                          where);
    case SETTING_RANDOM:
        return check_device(value, where, err);
    case SETTING_PIN:
        if (strcmp(value, "ask") == 0)
            return DEVID_OK;
        return check_source(value, where, ", or ask", err);
    case SETTING_AUTH:
    case SETTING_PARENT_AUTH:
    case SETTING_OWNER_AUTH:
    case SETTING_ENDORSEMENT_AUTH:
    case SETTING_LOCKOUT_AUTH:
        return check_source(value, where, "", err);
    case SETTING_COUNT:
        break;
    }
    return devid_fail(err, DEVID_ERR_INPUT, 0, "%s is no setting", where);
}

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
        const char *value = getenv(settings[i].env);
        const char *where = settings[i].env;

        if (value == NULL && i == SETTING_TCTI) {
            /* Every TPM tool knows this one; only ours beats openssl.cnf. */
            value = getenv("TPM2TOOLS_TCTI");
            where = "TPM2TOOLS_TCTI";
        }
        if (value == NULL)
            continue;
        enum devid_err e = check_value(i, value, where, err);
        if (e == DEVID_OK)
            e = put_value(engine, i, value, err);
        if (e != DEVID_OK)
            return e;
        engine->from_env[i] = where == settings[i].env;
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

static enum devid_err no_such_setting(const char *name, struct devid_error *err)
{
    char known[512] = "";
    size_t len = 0;

    for (size_t i = 0; i < SETTING_COUNT && len < sizeof(known); i++)
        len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
                                i == 0                   ? ""
                                : i == SETTING_COUNT - 1 ? " and "
                                                         : ", ",
                                settings[i].name);
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "there is no setting '%s': devid has %s", name, known);
}

enum devid_err devid_set(struct devid *engine, const char *name,
                         const char *value, struct devid_error *err)
{
    enum devid_err e;

    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].name, name) != 0)
            continue;
        e = check_value(i, value, name, err);
        if (e != DEVID_OK || engine->from_env[i])
            return e;
        return put_value(engine, i, value, err);
    }
    return no_such_setting(name, err);
}

const struct devid_secret *devid_captured(const struct devid *engine,
                                          const char *setting)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].name, setting) == 0)
            return engine->captured[i];
    }
    return NULL;
}

const char *devid_get(const struct devid *engine, const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].name, name) == 0)
            return engine->values[i];
    }
    return NULL;
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
