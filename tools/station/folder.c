/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "message.h"

char *config_path(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = OPENSSL_malloc(size);

    if (!path)
        die_no_memory();
    if (*name == '/')
        snprintf(path, size, "%s", name);
    else
        snprintf(path, size, "%s/%s", dir, name);
    return path;
}

const char *config_dir(const struct args *args)
{
    const char *dir = args_text(args, ROW_DIR);

    return dir ? dir : STATION_DIR;
}
