/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of --help, made from the rows that the parser goes by.
 */
#ifndef DEVID_TOOLS_HELP_H
#define DEVID_TOOLS_HELP_H

#include "command.h"

void print_program_help(const struct program *program);
void print_command_help(const struct program *program,
                        const struct command *command);

/* What the user types for it: "keygen"; the second word of "token init". */
const char *command_word(const struct command *command);

/* The command whose name is nearest to a mistyped one; NULL: none is near. */
const struct command *nearest_command(const struct command *const *commands,
                                      const char *mistyped);

#endif
