/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#11 modules: which there are, for the administration of tokens.
 */
#ifndef DEVID_TOOLS_MODULES_H
#define DEVID_TOOLS_MODULES_H

#include <stddef.h>

#include "command.h"

struct modules {
    char **paths; /* of their files */
    size_t count;
};

/*
 * The module at `path`; NULL: those of p11-kit's registry, without the ones
 * that hold CA certificates. `name`, may be NULL: only the one that the
 * registry calls so. None is initialised. Prints the sentence on failure.
 */
enum exit_code modules_find(const char *path, const char *name,
                            struct modules *modules);
void modules_clear(struct modules *modules);

#endif
