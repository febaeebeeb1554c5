/* SPDX-License-Identifier: Apache-2.0 */
/* complete(1) of fish. */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "completion.h"
#include "help.h"

static void begin(const struct program *program)
{
    printf("# fish completion of %s, made by %s --completion fish\n"
           "complete -c %s -f\n",
           program->name, program->name, program->name);
    for (const struct command *const *at = program->commands; *at; at++) {
        printf("complete -c %s -n __fish_use_subcommand -a %s -d ",
               program->name, (*at)->name);
        print_quoted((*at)->help, "\\");
        putchar('\n');
    }
    printf(
        "complete -c %s -n __fish_use_subcommand -a help -d 'show a manual'\n"
        "complete -c %s -n __fish_use_subcommand -l help -d 'print this "
        "help'\n"
        "complete -c %s -n __fish_use_subcommand -l version -d 'print the "
        "version'\n"
        "complete -c %s -n '__fish_seen_subcommand_from help' -a '",
        program->name, program->name, program->name, program->name);
    for (const struct command *const *at = program->commands; *at; at++)
        printf("%s ", (*at)->name);
    for (const struct topic *at = program->topics; at->word; at++)
        printf("%s%s", at->word, at[1].word ? " " : "");
    puts("'");
}

static void group(const struct program *program, const struct command *command)
{
    for (const struct command *const *at = command->actions; *at; at++) {
        printf("complete -c %s -n '__fish_seen_subcommand_from %s; and test "
               "(count (commandline -opc)) -eq 2' -a %s -d ",
               program->name, command->name, command_word(*at));
        print_quoted((*at)->help, "\\");
        putchar('\n');
    }
}

static void group_end(void)
{
}

/* "keygen"; of an action both its words must have been typed, in their order.
 */
static void print_condition(const struct program *program,
                            const struct command *command)
{
    const char *space = strchr(command->name, ' ');

    printf("complete -c %s -n 'test (commandline -opc)[2] = %.*s",
           program->name, (int)strcspn(command->name, " "), command->name);
    if (space)
        printf("; and test (count (commandline -opc)) -gt 2; and test "
               "(commandline -opc)[3] = %s",
               space + 1);
    printf(" 2>/dev/null'");
}

static void print_value(const struct value *value)
{
    switch (value->kind) {
    case VALUE_ANY:
        printf(" -x");
        break;
    case VALUE_FILE:
        printf(" -r -F");
        break;
    case VALUE_FOLDER:
        printf(" -x -a '(__fish_complete_directories)'");
        break;
    case VALUE_WORDS:
        printf(" -x -a '%s'", value->words);
        break;
    }
}

static void leaf(const struct program *program, const struct command *command)
{
    struct value operand = completion_value(command, NULL);

    for (int row = 0; row < ARGS_ROWS_MAX; row++) {
        const struct option_row *option = command_option(command, row);
        if (!option)
            continue;
        struct value value = completion_value(command, option);
        print_condition(program, command);
        printf(" -l %s", option->name);
        if (option->argument)
            print_value(&value);
        printf(" -d ");
        print_quoted(option->help, "\\");
        putchar('\n');
    }
    if (operand.kind == VALUE_ANY)
        return;
    print_condition(program, command);
    if (operand.kind == VALUE_FILE)
        puts(" -F");
    else
        printf(" -a '%s'\n", operand.words);
}

static void end(const struct program *program)
{
    (void)program;
}

const struct shell fish_shell = {
    .name = "fish",
    .begin = begin,
    .group = group,
    .group_end = group_end,
    .leaf = leaf,
    .end = end,
};
