/* SPDX-License-Identifier: Apache-2.0 */
#include "open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "secret.h"

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

/* Options that are settings, under the same name. */
static const int setting_rows[] = {ROW_TCTI, ROW_PARENT_AUTH_SOURCE,
                                   ROW_OWNER_AUTH_SOURCE};

enum {
    SETTING_ROWS = sizeof(setting_rows) / sizeof(*setting_rows)
};

enum exit_code engine_open(const struct args *args, struct devid **engine)
{
    struct devid_error err;

    for (int i = 0; i < SETTING_ROWS; i++) {
        if (args_flag(args, setting_rows[i]))
            forget_environment(
                command_option(args->command, setting_rows[i])->name);
    }
    if (devid_new(NULL, engine, &err))
        return fail_engine(&err);
    for (int i = 0; i < SETTING_ROWS; i++) {
        const char *value = args_text(args, setting_rows[i]);
        if (value &&
            devid_set(*engine,
                      command_option(args->command, setting_rows[i])->name,
                      value, &err)) {
            devid_free(engine);
            return fail_engine(&err);
        }
    }
    return EXIT_DONE;
}

/* A value that was not asked for by an option is asked for where one can be. */
static enum exit_code give_auth(const struct args *args, const char *name,
                                struct devid_key *key)
{
    const char *source = args_text(args, ROW_AUTH_SOURCE);
    struct secret secret;
    struct devid_error err;
    enum exit_code code;
    char what[256];

    if (!source && devid_key_wants_auth(key) && isatty(STDIN_FILENO))
        source = "prompt";
    if (!source)
        return EXIT_DONE;
    snprintf(what, sizeof(what), "authorisation value of %s", name);
    code = secret_read(&secret, source, what, false);
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
    enum exit_code code = engine_open(args, engine);

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
