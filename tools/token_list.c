/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "tokens.h"

static enum exit_code add_token(const struct token *token, void *arg)
{
    json_t *report = report_new();

    token_describe(report, token);
    report_append(arg, report);
    return EXIT_DONE;
}

/* What a person may do with it next. */
static const char *state_of(const json_t *token, char *room, size_t size)
{
    const char *pin = report_get(token, "user_pin");

    (void)room;
    (void)size;
    if (!json_is_true(json_object_get(token, "initialized")))
        return "not initialised";
    if (!json_is_true(json_object_get(token, "user_pin_set")))
        return "no user PIN";
    if (strcmp(pin, "locked") == 0)
        return "user PIN locked";
    return strcmp(pin, "one try left") == 0 ? "one try left" : "ready";
}

static const struct report_column columns[] = {
    {.head = "URI", .member = "uri"},
    {.head = "STATE", .text = state_of},
    {.head = "MODULE", .member = "module"},
    {0},
};

static enum exit_code run_list(const struct args *args)
{
    struct tokens tokens;
    json_t *list = report_array();
    enum exit_code code = tokens_open(args, &tokens);

    if (code == EXIT_DONE)
        code = tokens_each(&tokens, add_token, list);
    tokens_close(&tokens);
    if (code == EXIT_DONE && args_flag(args, ROW_JSON))
        report_print_json(list);
    else if (code == EXIT_DONE && json_array_size(list) > 0)
        report_print_columns(list, columns);
    else if (code == EXIT_DONE)
        puts("There is no token.");
    json_decref(list);
    return code;
}

static const struct option_row options[] = {{0}};

const struct command token_list_action = {
    .name = "token list",
    .operands = "",
    .help = "list the tokens of all modules, or of one",
    .example = "  devid token list\n"
               "  devid token list --module /usr/lib/softhsm/libsofthsm2.so\n",
    .options = options,
    .common = TAKES(ROW_MODULE) | TAKES(ROW_JSON),
    .run = run_list,
};
