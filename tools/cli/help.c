/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "args.h"
#include "message.h"
#include "nearest.h"

enum {
    LINE_WIDTH = 78,
    COLUMN_MAX = 24,
    EXIT_COLUMN = 5,
    ACTION_COLUMN = 14,
    COMMAND_COLUMN = 16
};

const char *command_word(const struct command *command)
{
    const char *space = strchr(command->name, ' ');

    return space ? space + 1 : command->name;
}

/* Text from column `column` on, wrapped there; the cursor is at `at`. */
static void print_wrapped(const char *text, int at, int column)
{
    int used = column;

    if (at + 2 > column) {
        putchar('\n');
        at = 0;
    }
    printf("%*s", column - at, "");
    while (*text) {
        int word_len = (int)strcspn(text, " ");
        if (used > column && used + 1 + word_len > LINE_WIDTH) {
            printf("\n%*s", column, "");
            used = column;
        }
        used += printf("%s%.*s", used > column ? " " : "", word_len, text);
        text += word_len;
        text += strspn(text, " ");
    }
    putchar('\n');
}

void print_program_help(const struct program *program)
{
    const char *name = program->name;

    printf("%s - %s\n\n"
           "usage: %s COMMAND [OPTION...]\n"
           "       %s help [TOPIC]\n"
           "       %s --version\n\n"
           "commands:\n",
           name, program->about, name, name, name);
    for (const struct command *const *row = program->commands; *row; row++)
        print_wrapped((*row)->help, printf("  %s", (*row)->name),
                      COMMAND_COLUMN);
    printf("\ntopics:\n  each command");
    for (const struct topic *topic = program->topics; topic->word; topic++)
        printf(", %s", topic->word);
    printf("\n\nexample:\n%s\n%s\n", program->example, program->see);
}

static int option_width(const struct option_row *option)
{
    size_t width = strlen("  --") + strlen(option->name);

    if (option->argument)
        width += 1 + strlen(option->argument);
    return (int)width;
}

static void print_usage(const struct command *command)
{
    int used = printf("usage: %s %s", program_name, command->name);

    for (int row = 0; row < ARGS_ROWS_MAX; row++) {
        const struct option_row *option = command_option(command, row);
        if (!option || !option->required)
            continue;
        if (used + option_width(option) - 1 > LINE_WIDTH)
            used = printf("\n      ") - 1;
        used += printf(" --%s %s", option->name, option->argument);
    }
    if (used + (int)strlen(" [OPTION...]") > LINE_WIDTH)
        printf("\n      ");
    printf(" [OPTION...]%s%s\n", *command->operands ? " " : "",
           command->operands);
}

static void print_actions(const struct command *command)
{
    printf("usage: %s %s COMMAND [OPTION...]\n"
           "       %s %s COMMAND --help\n\ncommands:\n",
           program_name, command->name, program_name, command->name);
    for (const struct command *const *at = command->actions; *at; at++)
        print_wrapped((*at)->help, printf("  %s", command_word(*at)),
                      ACTION_COLUMN);
}

static void print_options(const struct command *command)
{
    int column = 0;

    for (int row = 0; row < ARGS_ROWS_MAX; row++) {
        const struct option_row *option = command_option(command, row);
        if (option && option_width(option) + 2 > column &&
            option_width(option) + 2 <= COLUMN_MAX)
            column = option_width(option) + 2;
    }
    puts("\noptions:");
    for (int row = 0; row < ARGS_ROWS_MAX; row++) {
        const struct option_row *option = command_option(command, row);
        if (!option)
            continue;
        int at = printf("  --%s%s%s", option->name, option->argument ? " " : "",
                        option->argument ? option->argument : "");
        print_wrapped(option->help, at, column);
    }
}

/* What the code means by these rows, which may be NULL; NULL: nothing. */
static const char *exit_when(const struct exit_row *rows, enum exit_code code)
{
    for (; rows && rows->when; rows++) {
        if (rows->code == code)
            return rows->when;
    }
    return NULL;
}

static void print_exits(const struct command *command)
{
    static const struct exit_row usual[] = {
        {EXIT_DONE, "done"},
        {EXIT_FAILED, "it failed"},
        {EXIT_WRONG_USE, "it was used wrongly"},
        {0},
    };

    puts("\nexit codes:");
    for (enum exit_code code = EXIT_DONE; code < EXIT_CODES; code++) {
        const char *when = exit_when(command->exits, code);
        if (!when)
            when = exit_when(usual, code);
        if (when)
            print_wrapped(when, printf("  %d", (int)code), EXIT_COLUMN);
    }
}

void print_command_help(const struct program *program,
                        const struct command *command)
{
    printf("%s %s - %s\n\n", program->name, command->name, command->help);
    if (command->actions) {
        print_actions(command);
    } else {
        print_usage(command);
        print_options(command);
        print_exits(command);
    }
    printf("\nexample:\n%s\nSee %s%s%.*s(%c).\n", command->example,
           program->name, program->one_page ? "" : "-",
           program->one_page ? 0 : (int)strcspn(command->name, " "),
           command->name, program->section);
}

const struct command *nearest_command(const struct command *const *commands,
                                      const char *mistyped)
{
    struct nearest nearest = {.mistyped = mistyped};

    for (; *commands; commands++)
        nearest_offer(&nearest, command_word(*commands), *commands);
    return nearest.found;
}
