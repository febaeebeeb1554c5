/* SPDX-License-Identifier: Apache-2.0 */
#include "completion.h"

#include <stdio.h>
#include <string.h>

#include "message.h"

static const struct shell *const shells[] = {
    &bash_shell,
    &zsh_shell,
    &fish_shell,
    NULL,
};

/* The first row counts that has the option's name, or what its value is called.
 */
static const struct {
    const char *name;
    struct value value;
} values[] = {
    {"algorithm",
     {VALUE_WORDS, "ec-p256 ec-p384 ec-p521 rsa-2048 rsa-3072 rsa-4096 "
                   "rsa-pss-2048 rsa-pss-3072 rsa-pss-4096 ed25519"}},
    {"outform", {VALUE_WORDS, "pem der"}},
    {"format", {VALUE_WORDS, "csv json html"}},
    {"FILE", {VALUE_FILE, ""}},
    {"KEY", {VALUE_FILE, ""}},
    {"PATH", {VALUE_FILE, ""}},
    {"THING", {VALUE_FILE, ""}},
    {"THING...", {VALUE_FILE, ""}},
    {"DIR", {VALUE_FOLDER, ""}},
    {"DIRECTORY", {VALUE_FOLDER, ""}},
    {"PARENT", {VALUE_WORDS, "owner endorsement platform null"}},
    {"PROGRAM", {VALUE_WORDS, "openssl nginx curl haproxy"}},
};

struct value completion_value(const struct command *command,
                              const struct option_row *option)
{
    const struct value any = {VALUE_ANY, ""};
    const char *argument = option ? option->argument : command->operands;

    if (!argument)
        return any;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        if (strcmp(values[i].name, argument) == 0 ||
            (option && strcmp(values[i].name, option->name) == 0))
            return values[i].value;
    }
    return any;
}

void print_quoted(const char *text, const char *special)
{
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'') {
            printf("'\\''");
            continue;
        }
        if (strchr(special, *text))
            putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

static void print_command(const struct program *program,
                          const struct shell *shell,
                          const struct command *command)
{
    if (!command->actions) {
        shell->leaf(program, command);
        return;
    }
    shell->group(program, command);
    for (const struct command *const *at = command->actions; *at; at++)
        shell->leaf(program, *at);
    shell->group_end();
}

enum exit_code print_completion(const struct program *program, const char *name)
{
    for (const struct shell *const *at = shells; *at; at++) {
        if (strcmp((*at)->name, name) != 0)
            continue;
        (*at)->begin(program);
        for (const struct command *const *row = program->commands; *row; row++)
            print_command(program, *at, *row);
        (*at)->end(program);
        return EXIT_DONE;
    }
    return wrong_use(NULL, "--completion is bash, zsh or fish, not %s", name);
}
