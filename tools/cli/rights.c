/* SPDX-License-Identifier: Apache-2.0 */
#include "rights.h"

#include <stdbool.h>
#include <sys/stat.h>

static bool tight;
static mode_t users; /* where it is tight */

void rights_tighten(void)
{
    users = umask(077);
    tight = true;
}

void rights_restore(void)
{
    if (tight)
        (void)umask(users);
}

int rights_mkdir_open(const char *path)
{
    int result;

    rights_restore();
    result = mkdir(path, 0755);
    if (tight)
        (void)umask(077);
    return result;
}
