/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_input.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devid.h"
#include "input.h"
#include "message.h"

static enum exit_code too_long(const char *what)
{
    return fail("the %s has at most %d bytes, and this is longer", what,
                (int)SECRET_MAX);
}

static enum exit_code read_file(struct secret *secret, const char *what,
                                const char *path)
{
    enum exit_code code =
        input_read_into(path, secret->data, SECRET_SIZE, &secret->len);

    if (code != EXIT_DONE)
        return code;
    if (secret->len > 0 && secret->len < SECRET_SIZE &&
        secret->data[secret->len - 1] == '\n')
        secret->len--;
    return secret->len <= SECRET_MAX ? EXIT_DONE : too_long(what);
}

static enum exit_code read_environment(struct secret *secret, const char *what,
                                       const char *name)
{
    const char *value = getenv(name);

    if (!value)
        return fail("there is no %s in the environment, from which the %s was "
                    "to be taken",
                    name, what);
    if (strlen(value) > SECRET_MAX)
        return too_long(what);
    secret->len = strlen(value);
    memcpy(secret->data, value, secret->len);
    return EXIT_DONE;
}

static enum exit_code read_terminal(struct secret *secret, const char *what,
                                    bool twice)
{
    char prompt[256];

    snprintf(prompt, sizeof(prompt), "The %s: ", what);
    if (EVP_read_pw_string_min(secret->data, 0, SECRET_MAX, prompt, twice))
        return fail("no %s was given on the terminal", what);
    secret->len = strlen(secret->data);
    return EXIT_DONE;
}

enum exit_code secret_read(struct secret *secret, const char *option,
                           const char *source, const char *what, bool twice)
{
    secret_new(secret);
    if (strncmp(source, "file:", 5) == 0)
        return read_file(secret, what, source + 5);
    if (strncmp(source, "env:", 4) == 0)
        return read_environment(secret, what, source + 4);
    if (strcmp(source, "prompt") == 0)
        return read_terminal(secret, what, twice);
    /* Not shown: it may be the secret itself, put in the wrong place. */
    return fail("--%s is file:PATH, env:NAME or prompt; the value itself never "
                "stands on a command line",
                option);
}

void secret_new(struct secret *secret)
{
    secret->len = 0;
    secret->data = devid_locked_new(SECRET_SIZE);
    if (!secret->data)
        die_no_memory();
}

void secret_wipe(struct secret *secret)
{
    void *memory = secret->data;

    devid_locked_free(&memory, SECRET_SIZE);
    *secret = (struct secret){0};
}
