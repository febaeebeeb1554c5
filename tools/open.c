/* SPDX-License-Identifier: Apache-2.0 */
#include "open.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "message.h"
#include "secret_input.h"
#include "token_uri.h"

/*
 * In the engine the environment wins over what a program sets, which is right
 * for openssl.cnf; what a user has just typed wins over the environment.
 */
static void forget_environment(const char *setting)
{
    for (const struct devid_setting *row = devid_settings(); row->name; row++) {
        if (strcmp(row->name, setting) == 0)
            unsetenv(row->env);
    }
}

/* Options that are settings. */
static const struct setting_row {
    int row;
    const char *setting;
} setting_rows[] = {
    {ROW_TCTI, "tcti"},
    {ROW_MODULE, "pkcs11-module"},
    {ROW_PARENT_AUTH_SOURCE, "parent-auth-source"},
    {ROW_OWNER_AUTH_SOURCE, "owner-auth-source"},
    {ROW_ENDORSEMENT_AUTH_SOURCE, "endorsement-auth-source"},
};

#define PIN_SETTING "pin-source"

enum {
    SETTING_ROWS = sizeof(setting_rows) / sizeof(*setting_rows)
};

bool is_token_uri(const char *text)
{
    return text && strncasecmp(text, "pkcs11:", strlen("pkcs11:")) == 0;
}

/*
 * A PIN that is typed reaches the engine as one from the environment does,
 * which copies it at once. It stands there in this process alone, and is wiped.
 */
static enum exit_code ask_pin(struct devid *engine, const char *device)
{
    static const char name[] = "DEVID_TYPED_PIN";
    const size_t size = sizeof(name) + SECRET_SIZE;
    void *variable = devid_locked_new(size);
    struct devid_error err = {0};
    struct secret secret;
    enum exit_code code;
    char what[256];

    if (!variable)
        die_no_memory();
    snprintf(what, sizeof(what), "user PIN for %.200s", device);
    code = secret_read(&secret, "auth-source", "prompt", what, false);
    if (code == EXIT_DONE) {
        snprintf(variable, size, "%s=%.*s", name, (int)secret.len, secret.data);
        if (putenv(variable))
            die_no_memory();
        if (devid_set(engine, PIN_SETTING, "env:DEVID_TYPED_PIN", &err))
            code = fail_engine(&err);
        unsetenv(name);
    }
    devid_locked_free(&variable, size);
    secret_wipe(&secret);
    return code;
}

/* Does the URI, which may be a key's, or the environment say where it is? */
static bool pin_is_elsewhere(const char *uri)
{
    return strstr(uri, "pin-source=") || strstr(uri, "pin-value=") ||
           getenv("DEVID_PIN_SOURCE");
}

/* Where the PIN is to be read from; NULL: nowhere, or the engine knows. */
static const char *pin_source(const struct args *args, const char *uri,
                              bool needed)
{
    const char *source = args_text(args, ROW_AUTH_SOURCE);

    if (!is_token_uri(uri))
        return NULL;
    if (!source && needed && !pin_is_elsewhere(uri) && isatty(STDIN_FILENO))
        return "prompt";
    return source;
}

static enum exit_code give_pin(struct devid *engine, const char *device,
                               const char *source)
{
    struct devid_error err;

    if (!source)
        return EXIT_DONE;
    if (strcmp(source, "prompt") == 0)
        return ask_pin(engine, device);
    if (devid_set(engine, PIN_SETTING, source, &err))
        return fail_engine(&err);
    return EXIT_DONE;
}

static enum exit_code give_settings(const struct args *args,
                                    struct devid *engine)
{
    struct devid_error err;

    for (int i = 0; i < SETTING_ROWS; i++) {
        const char *value = args_text(args, setting_rows[i].row);
        if (value && devid_set(engine, setting_rows[i].setting, value, &err))
            return fail_engine(&err);
    }
    return EXIT_DONE;
}

void engine_take_module(const struct args *args, const char *device)
{
    char *path = NULL;

    if (is_token_uri(device) && !args_flag(args, ROW_MODULE))
        path = token_uri_module(device);
    if (path && setenv("DEVID_PKCS11_MODULE", path, 1))
        die_no_memory();
    OPENSSL_free(path);
}

static enum exit_code open_with(const struct args *args, const char *device,
                                bool pin_needed, struct devid **engine)
{
    const char *source = pin_source(args, device, pin_needed);
    struct devid_error err;
    enum exit_code code;

    for (int i = 0; i < SETTING_ROWS; i++) {
        if (args_flag(args, setting_rows[i].row))
            forget_environment(setting_rows[i].setting);
    }
    if (source)
        forget_environment(PIN_SETTING);
    engine_take_module(args, device);
    if (devid_new(NULL, engine, &err))
        return fail_engine(&err);
    code = give_settings(args, *engine);
    if (code == EXIT_DONE)
        code = give_pin(*engine, device, source);
    if (code != EXIT_DONE)
        devid_free(engine);
    return code;
}

enum exit_code engine_open(const struct args *args, const char *device,
                           struct devid **engine)
{
    return open_with(args, device, false, engine);
}

enum exit_code engine_open_to_write(const struct args *args, const char *device,
                                    struct devid **engine)
{
    return open_with(args, device, true, engine);
}

/* A value that was not asked for by an option is asked for where one can be. */
static enum exit_code give_auth(const struct args *args, const char *name,
                                struct devid_key *key)
{
    const char *source = args_text(args, ROW_AUTH_SOURCE);
    struct devid_key_info info;
    struct secret secret;
    struct devid_error err;
    enum exit_code code;
    char what[256];

    /* A token's was given already: the search for the key needs it. */
    if (is_token_uri(name) && !devid_key_wants_auth(key))
        return EXIT_DONE;
    devid_key_info(key, &info);
    if (!source)
        source = pin_source(args, info.uri, true);
    if (!source && devid_key_wants_auth(key) && isatty(STDIN_FILENO))
        source = "prompt";
    if (!source)
        return EXIT_DONE;
    snprintf(what, sizeof(what), "%s %.200s",
             is_token_uri(info.uri) ? "user PIN for" : "authorisation value of",
             name);
    code = secret_read(&secret, "auth-source", source, what, false);
    if (code == EXIT_DONE &&
        devid_key_set_auth(key, secret.data, secret.len, &err))
        code = fail_engine(&err);
    secret_wipe(&secret);
    return code;
}

enum exit_code engine_open_key(const struct args *args, const char *file_or_uri,
                               struct devid **engine, struct devid_key **key)
{
    struct devid_error err;
    enum exit_code code = engine_open_to_write(args, file_or_uri, engine);

    if (code != EXIT_DONE)
        return code;
    if (devid_key_open(*engine, file_or_uri, key, &err))
        code = fail_engine(&err);
    else
        code = give_auth(args, file_or_uri, *key);
    if (code != EXIT_DONE) {
        devid_key_free(key);
        devid_free(engine);
    }
    return code;
}
