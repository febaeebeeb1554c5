/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subcommand's command line, parsed by the table in its row.
 */
#ifndef DEVID_TOOLS_ARGS_H
#define DEVID_TOOLS_ARGS_H

#include "command.h"

#define ARGS_ROWS_MAX ROW_END

struct args {
    const struct command *command;
    /* In the order of the command line; both borrow from argv. */
    struct given {
        int row;
        const char *value; /* "" for a flag */
    } * given;
    size_t given_count;
    const char **operands;
    size_t operand_count;
};

enum args_result {
    ARGS_RUN,
    ARGS_HELP,  /* --help was given: nothing else was checked */
    ARGS_WRONG, /* the sentence has been printed */
};

/*
 * Parse what stands behind `devid`: argv[0] is the subcommand. An option is
 * taken by its whole name only, so that a new option never changes what an
 * old script means; once only, unless it is repeatable.
 */
enum args_result args_parse(const struct command *command, int argc,
                            char **argv, struct args *args);
void args_clear(struct args *args);

/* The value of an option; NULL where it was not given. */
const char *args_text(const struct args *args, int row);
bool args_flag(const struct args *args, int row);
/* The values of a repeatable option, ended by NULL; the caller frees it. */
const char **args_list(const struct args *args, int row);

/* Row `row` of a command, own or common; NULL where it does not take it. */
const struct option_row *command_option(const struct command *command, int row);

#endif
