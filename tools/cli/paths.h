/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths as they stand in a configuration: absolute, and without characters
 * that its syntax would take for its own.
 */
#ifndef DEVID_TOOLS_PATHS_H
#define DEVID_TOOLS_PATHS_H

#include <limits.h>

#include "command.h"

/*
 * The path of what stands beside this program: `relative` to the directory that
 * the program is in. False where there is no such file. `path` holds PATH_MAX
 * bytes.
 */
bool path_from_program(const char *relative, char path[PATH_MAX]);

/*
 * Where the provider's module is: beside this tool in a build tree or below
 * another prefix, else where it was or will be installed. `path` holds PATH_MAX
 * bytes.
 */
enum exit_code path_of_module(char path[PATH_MAX]);

/*
 * The absolute form of what the user named, whether it is there or not.
 * Prints the sentence where a configuration could not hold it.
 */
enum exit_code path_for_configuration(const char *given, char path[PATH_MAX]);

#endif
