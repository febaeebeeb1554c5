/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_input.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "message.h"

static enum exit_code take(struct secret *secret, const char *what,
                           const char *data, size_t len)
{
    if (len > SECRET_MAX)
        return fail("the %s has at most %d bytes, not %zu", what,
                    (int)SECRET_MAX, len);
    memcpy(secret->data, data, len);
    secret->len = len;
    return EXIT_DONE;
}

static enum exit_code read_file(struct secret *secret, const char *what,
                                const char *path)
{
    char *data = NULL;
    size_t len = 0;
    enum exit_code code = input_read(path, &data, &len);
    size_t used = len;

    if (code == EXIT_DONE) {
        if (used > 0 && data[used - 1] == '\n')
            used--;
        code = take(secret, what, data, used);
    }
    OPENSSL_clear_free(data, len);
    return code;
}

static enum exit_code read_environment(struct secret *secret, const char *what,
                                       const char *name)
{
    const char *value = getenv(name);

    if (!value)
        return fail("there is no %s in the environment, from which the %s was "
                    "to be taken",
                    name, what);
    return take(secret, what, value, strlen(value));
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
    secret->len = 0;
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

void secret_wipe(struct secret *secret)
{
    OPENSSL_cleanse(secret, sizeof(*secret));
}
