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

/* The same of up to 64 kB, into memory that is locked: of a private key in
 * software. Freed by input_free_key. */
enum exit_code input_read_key(const char *path, char **data, size_t *len);
void input_free_key(char **data);

/* Into memory of the caller's, without a NUL. *len is `size` where there is as
 * much, or more. */
enum exit_code input_read_into(const char *path, char *data, size_t size,
                               size_t *len);

#endif
