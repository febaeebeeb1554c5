/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The script by which a shell completes a program's command lines, made from
 * the rows that the parser goes by. A shell is a table of functions.
 */
#ifndef DEVID_TOOLS_COMPLETION_H
#define DEVID_TOOLS_COMPLETION_H

#include "command.h"

/* What a value is, by the word that stands for it in a row. */
enum value_kind {
    VALUE_ANY, /* nothing to offer */
    VALUE_FILE,
    VALUE_FOLDER,
    VALUE_WORDS,
};

struct value {
    enum value_kind kind;
    const char *words; /* with spaces between them; "" where they are none */
};

struct shell {
    const char *name; /* "bash" */
    void (*begin)(const struct program *program);
    /* A command of two words, before its actions. */
    void (*group)(const struct program *program, const struct command *command);
    void (*group_end)(void);
    /* A command with options: of one word, or an action. */
    void (*leaf)(const struct program *program, const struct command *command);
    void (*end)(const struct program *program);
};

extern const struct shell bash_shell;
extern const struct shell fish_shell;
extern const struct shell zsh_shell;

/* What an option's value is; of a command's operands where option is NULL. */
struct value completion_value(const struct command *command,
                              const struct option_row *option);

/* Print text within single quotes of a shell; `special` ones of its characters
 * have a backslash before them. */
void print_quoted(const char *text, const char *special);

/* Print the script of the shell that is called `name`. */
enum exit_code print_completion(const struct program *program,
                                const char *name);

#endif
