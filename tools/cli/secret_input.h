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

struct secret {
    size_t len;
    char data[SECRET_MAX + 2]; /* room for a line feed, and a NUL */
};

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
