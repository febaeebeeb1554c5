/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TOOLS_TRUST_FETCH_H
#define DEVID_TOOLS_TRUST_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "command.h"

enum {
    FETCH_MAX = 32 << 20, /* bytes; a million entries take as many */
    FETCH_URL_MAX = 2000
};

struct fetch_spec {
    const char *url;    /* http, https or file */
    const char *ca;     /* PEM file, for https; NULL: what OpenSSL trusts */
    unsigned timeout_s; /* for all of it */
};

/* Is it one of these, and of characters that a line may hold? */
bool fetch_takes(const char *url);

/*
 * What is there, by free(). Prints the sentence on failure: nothing there,
 * nothing at all, or more than FETCH_MAX.
 */
enum exit_code fetch(const struct fetch_spec *spec, uint8_t **data,
                     size_t *len);

#endif
