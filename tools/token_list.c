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
static const char *state_of(const json_t *token)
{
    const char *pin = report_get(token, "user_pin");

    if (!json_is_true(json_object_get(token, "initialized")))
        return "not initialised";
    if (!json_is_true(json_object_get(token, "user_pin_set")))
        return "no user PIN";
    if (strcmp(pin, "locked") == 0)
        return "user PIN locked";
    return strcmp(pin, "one try left") == 0 ? "one try left" : "ready";
}

static void print_tokens(const json_t *tokens)
{
    static const char *const head[] = {"URI", "STATE", "MODULE"};
    json_t *rows = report_array();
    json_t *row = report_array();
    const json_t *token;
    size_t i;

    for (size_t j = 0; j < sizeof(head) / sizeof(*head); j++)
        report_append_text(row, head[j]);
    report_append(rows, row);
    json_array_foreach(tokens, i, token)
    {
        row = report_array();
        report_append_text(row, report_get(token, "uri"));
        report_append_text(row, state_of(token));
        report_append_text(row, report_get(token, "module"));
        report_append(rows, row);
    }
    report_print_table(rows);
    json_decref(rows);
}

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
        print_tokens(list);
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
