/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TOOLS_INPUT_H
#define DEVID_TOOLS_INPUT_H

#include "command.h"

/* Larger files are refused: a chain of a hundred certificates takes 200 kB. */
enum {
    INPUT_MAX = 1 << 20
};

/*
 * Read a whole file, "-" for standard input. The data is NUL-ended, the NUL
 * not counted; the caller frees it with OPENSSL_clear_free, since it may hold
 * a private key. Prints the sentence on failure.
 */
enum exit_code input_read(const char *path, char **data, size_t *len);

#endif
