/* SPDX-License-Identifier: Apache-2.0 */
#include "paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

static enum exit_code check_characters(const char *path)
{
    for (const char *c = path; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f ||
            strchr("\"'`$\\;{}#&|<>()*?[]!", *c))
            return fail("the path '%s' holds a character that the syntax of "
                        "a configuration would take for its own; use a path "
                        "of letters, digits and ./_-+,:@=~%%",
                        path);
    }
    return EXIT_DONE;
}

enum exit_code path_for_configuration(const char *given, char path[PATH_MAX])
{
    char here[PATH_MAX] = "";
    int len;

    if (*given != '/' && !getcwd(here, sizeof(here)))
        return fail("the working directory has no name");
    len = snprintf(path, PATH_MAX, "%s%s%s", here, *here ? "/" : "", given);
    if (len >= PATH_MAX)
        return fail("the path of %s is too long", given);
    return check_characters(path);
}

enum exit_code path_of_module(char path[PATH_MAX])
{
    static const char beside[] = "../provider/devid.so";
    char tool[PATH_MAX];
    char candidate[PATH_MAX + sizeof(beside)];
    ssize_t len = readlink("/proc/self/exe", tool, sizeof(tool) - 1);

    if (len > 0) {
        tool[len] = '\0';
        *(strrchr(tool, '/') + 1) = '\0';
        snprintf(candidate, sizeof(candidate), "%s%s", tool, beside);
        if (realpath(candidate, path))
            return check_characters(path);
    }
    snprintf(path, PATH_MAX, "%s/devid.so", DEVID_MODULES_DIR);
    return check_characters(path);
}
