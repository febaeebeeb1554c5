/* SPDX-License-Identifier: Apache-2.0 */
#include "manual.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "paths.h"
#include "rights.h"

void manual_show(const char *page, const char *section)
{
    char folder[PATH_MAX];
    char file[PATH_MAX];
    char relative[128];

    rights_restore();
    (void)snprintf(relative, sizeof(relative), "../share/man/man%s/%s.%s",
                   section, page, section);
    /* Packages compress theirs, and lie where man looks. */
    if (path_from_program(relative, file) &&
        path_from_program("../share/man", folder))
        (void)execlp("man", "man", "-M", folder, section, page, (char *)NULL);
    else
        (void)execlp("man", "man", section, page, (char *)NULL);
    note("man cannot be run: %s", strerror(errno));
}
