/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authorisation values and PINs, from where the command line says that they
 * are. The value itself never stands on a command line, where every user sees
 * it.
 */
#ifndef DEVID_TOOLS_SECRET_INPUT_H
#define DEVID_TOOLS_SECRET_INPUT_H

#include "command.h"

enum {
    SECRET_MAX = 1024
}; /* bytes; what a device takes is less */

/* Zeroed where it has none; else secret_wipe frees it. */
struct secret {
    size_t len;
    char *data; /* locked into memory, SECRET_SIZE bytes */
};

enum {
    SECRET_SIZE = SECRET_MAX + 2 /* room for a line feed, and a NUL */
};

/* Memory for one, whose bytes the caller puts in. */
void secret_new(struct secret *secret);

/*
 * Read a secret. Prints the sentence on failure; the caller wipes it either
 * way.
 *
 * option  the one that names the source, "auth-source"
 * source  "file:PATH" (its last line feed does not count), "env:NAME", or
 *         "prompt": ask on the terminal, without echo
 * what    what is asked for, "authorisation value of key.pem"
 * twice   a new secret: have it typed again
 */
enum exit_code secret_read(struct secret *secret, const char *option,
                           const char *source, const char *what, bool twice);

void secret_wipe(struct secret *secret);

#endif
