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

bool path_from_program(const char *relative, char path[PATH_MAX])
{
    char program[PATH_MAX];
    char candidate[2 * PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (len <= 0)
        return false;
    program[len] = '\0';
    *(strrchr(program, '/') + 1) = '\0';
    (void)snprintf(candidate, sizeof(candidate), "%s%s", program, relative);
    return realpath(candidate, path) != NULL;
}

enum exit_code path_of_module(char path[PATH_MAX])
{
    if (!path_from_program("../provider/devid.so", path) &&
        !path_from_program("../" DEVID_MODULES_BELOW "/devid.so", path))
        (void)snprintf(path, PATH_MAX, "%s/devid.so", DEVID_MODULES_DIR);
    return check_characters(path);
}
