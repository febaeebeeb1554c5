/* SPDX-License-Identifier: Apache-2.0 */
/* zshcompsys(1), _arguments and _describe. */
#include <stdio.h>

#include "args.h"
#include "completion.h"
#include "help.h"

/* "word:what it does" for _describe. */
static void print_described(const struct command *const *commands)
{
    for (; *commands; commands++) {
        printf("        %s:", command_word(*commands));
        print_quoted((*commands)->help, ":\\");
        putchar('\n');
    }
}

static void begin(const struct program *program)
{
    printf("#compdef %s\n"
           "# zsh completion of %s, made by %s --completion zsh\n"
           "local -a commands\n"
           "if (( CURRENT == 2 )); then\n"
           "    commands=(\n",
           program->name, program->name, program->name);
    print_described(program->commands);
    printf("        help:'show a manual'\n"
           "        --help:'print this help'\n"
           "        --version:'print the version'\n"
           "    )\n"
           "    _describe command commands\n"
           "    return\n"
           "fi\n"
           "local command=$words[2]\n"
           "if [[ $command == help ]]; then\n"
           "    compadd --");
    for (const struct command *const *at = program->commands; *at; at++)
        printf(" %s", (*at)->name);
    for (const struct topic *at = program->topics; at->word; at++)
        printf(" %s", at->word);
    printf("\n"
           "    return\n"
           "fi\n"
           "shift words\n"
           "(( CURRENT-- ))\n"
           "case $command in\n");
}

static void group(const struct program *program, const struct command *command)
{
    (void)program;
    printf("%s)\n"
           "    if (( CURRENT == 2 )); then\n"
           "    commands=(\n",
           command->name);
    print_described(command->actions);
    printf("    )\n"
           "    _describe command commands\n"
           "    return\n"
           "    fi\n"
           "    command+=\" $words[2]\"\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $command in\n");
}

static void group_end(void)
{
    puts("    esac\n    ;;");
}

/* What stands behind an option's description: ":NAME:_files". */
static void print_action(const char *name, const struct value *value)
{
    printf("':%s:", name);
    switch (value->kind) {
    case VALUE_ANY:
        break;
    case VALUE_FILE:
        printf("_files");
        break;
    case VALUE_FOLDER:
        printf("_files -/");
        break;
    case VALUE_WORDS:
        printf("(%s)", value->words);
        break;
    }
    putchar('\'');
}

static void leaf(const struct program *program, const struct command *command)
{
    struct value operand = completion_value(command, NULL);

    (void)program;
    printf("'%s')\n    _arguments", command->name);
    for (int row = 0; row < ARGS_ROWS_MAX; row++) {
        const struct option_row *option = command_option(command, row);
        if (!option)
            continue;
        struct value value = completion_value(command, option);
        printf(" \\\n        %s--%s'['", option->repeatable ? "'*'" : "",
               option->name);
        print_quoted(option->help, "[]:\\");
        printf("']'");
        if (option->argument)
            print_action(option->argument, &value);
    }
    if (*command->operands) {
        printf(" \\\n        '*'");
        print_action(command->operands, &operand);
    }
    puts("\n    ;;");
}

static void end(const struct program *program)
{
    (void)program;
    puts("esac");
}

const struct shell zsh_shell = {
    .name = "zsh",
    .begin = begin,
    .group = group,
    .group_end = group_end,
    .leaf = leaf,
    .end = end,
};
