/* SPDX-License-Identifier: Apache-2.0 */
/* Which station, and how it is known: the options that say so. */
#ifndef DEVID_TOOLS_WHERE_H
#define DEVID_TOOLS_WHERE_H

#include "http.h"

/* As they were typed; NULL: not given. */
struct where_options {
    const char *url;
    const char *ca;
    const char *fingerprint;
    const char *timeout;
};

struct where {
    struct http_spec spec;
    uint8_t *fingerprint; /* own */
};

/* Prints the sentence on failure, as `command`. Cleared either way. */
enum exit_code where_read(const char *command,
                          const struct where_options *options,
                          struct where *where);
void where_clear(struct where *where);

#endif
