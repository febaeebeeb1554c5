/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "desk.h"
#include "message.h"
#include "output.h"
#include "report.h"
#include "secret_input.h"

/* ---- open -------------------------------------------------------------- */

enum {
    NAME,
    PRODUCT,
    COUNT,
    TOKEN_OUT,
    TOKEN_SOURCE,
};

static const struct option_row open_options[] = {
    [NAME] = {"name", "NAME", "the batch's name", true, false},
    [PRODUCT] = {"product", "MODEL", "the model that its units have", true,
                 false},
    [COUNT] = {"count", "NUMBER", "how many units may be enrolled", true,
               false},
    [TOKEN_OUT] = {"token-out", "FILE",
                   "write a new token to this file, which only its owner may "
                   "read; - is standard output",
                   false, false},
    [TOKEN_SOURCE] = {"token-source", "SOURCE",
                      "take the token that is there: file:PATH, env:NAME or "
                      "prompt",
                      false, false},
    {0},
};

enum {
    TOKEN_BYTES = 32,
    TOKEN_LEAST = 16,
    COUNT_MAX = 1000000000,
};

static enum exit_code new_token(struct secret *token)
{
    uint8_t bytes[TOKEN_BYTES];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return fail("there are no random numbers to make a token of");
    secret_new(token);
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(token->data + 2 * i, 3, "%02x", bytes[i]);
    token->len = 2 * sizeof(bytes);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return EXIT_DONE;
}

static enum exit_code given_token(const char *source, struct secret *token)
{
    enum exit_code code =
        secret_read(token, "token-source", source, "token of the batch", true);

    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; i < token->len; i++) {
        if (token->data[i] <= ' ' || token->data[i] > '~')
            return fail("the token from %s has white space or control "
                        "characters in it, which a request could not carry",
                        source);
    }
    if (token->len < TOKEN_LEAST)
        return fail("the token from %s has %zu characters; at least %d are "
                    "needed so that nobody guesses it",
                    source, token->len, TOKEN_LEAST);
    return EXIT_DONE;
}

/* What the ledger keeps of it. */
static enum exit_code digest_token(const struct secret *token, char hex[65])
{
    uint8_t digest[32];

    if (!EVP_Q_digest(NULL, "SHA256", NULL, token->data, token->len, digest,
                      NULL))
        return fail("libcrypto cannot hash the token");
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return EXIT_DONE;
}

static enum exit_code take_text(const struct args *args, int row, char *text)
{
    const char *given = args_text(args, row);

    if (!*given || strlen(given) >= LEDGER_TEXT_SIZE)
        return wrong_use(args->command->name, "--%s has 1 to %d bytes",
                         args->command->options[row].name,
                         LEDGER_TEXT_SIZE - 1);
    snprintf(text, LEDGER_TEXT_SIZE, "%s", given);
    return EXIT_DONE;
}

static enum exit_code take_batch(const struct args *args,
                                 struct ledger_batch *batch)
{
    const char *given = args_text(args, COUNT);
    char *end = NULL;
    unsigned long count = strtoul(given, &end, 10);
    enum exit_code code = take_text(args, NAME, batch->name);

    if (code == EXIT_DONE)
        code = take_text(args, PRODUCT, batch->product);
    if (code != EXIT_DONE)
        return code;
    if (given[strspn(given, "0123456789")] || count < 1 || count > COUNT_MAX)
        return wrong_use("batch open",
                         "--count is a number from 1 to %d, not '%s'",
                         COUNT_MAX, given);
    batch->quota = count;
    return EXIT_DONE;
}

static enum exit_code write_token(const struct output *out,
                                  const struct secret *token)
{
    char line[SECRET_SIZE];
    int len =
        snprintf(line, sizeof(line), "%.*s\n", (int)token->len, token->data);
    enum exit_code code = output_write(out, line, (size_t)len);

    OPENSSL_cleanse(line, sizeof(line));
    return code;
}

static enum exit_code record(const struct desk *desk, struct ledger_job *job)
{
    job->peer = desk->who;
    switch (ledger_do(desk->ledger, job)) {
    case LEDGER_DONE:
        return EXIT_DONE;
    case LEDGER_AGAIN:
        note("%s", job->error.text);
        return EXIT_DONE;
    case LEDGER_DUPLICATE:
    case LEDGER_NO_BATCH:
    case LEDGER_QUOTA:
    case LEDGER_STATE:
    case LEDGER_NOT_FOUND:
    case LEDGER_FAILED:
        break;
    }
    return fail_engine(&job->error);
}

/*
 * A token is written before its batch is opened: one without a batch opens
 * nothing, a batch whose token nobody has would be lost.
 */
static enum exit_code open_with(const struct args *args,
                                const struct output *out,
                                const struct secret *token,
                                struct ledger_job *job)
{
    bool in_file = args_flag(args, TOKEN_OUT) && out->directory >= 0;
    struct desk desk;
    enum exit_code code = digest_token(token, job->batch.token_digest);

    if (code == EXIT_DONE)
        code = desk_open(args, true, &desk);
    if (code != EXIT_DONE)
        return code;
    if (in_file)
        code = write_token(out, token);
    if (code != EXIT_DONE)
        goto out;
    code = record(&desk, job);
    if (code != EXIT_DONE && in_file)
        unlinkat(out->directory, out->name, 0);
    else if (code == EXIT_DONE && args_flag(args, TOKEN_OUT) && !in_file)
        code = write_token(out, token);

out:
    desk_close(&desk);
    return code;
}

static enum exit_code run_open(const struct args *args)
{
    const char *path = args_text(args, TOKEN_OUT);
    const char *source = args_text(args, TOKEN_SOURCE);
    struct ledger_job job = {.op = LEDGER_OPEN_BATCH};
    struct output out = {.directory = -1};
    struct secret token = {0};
    enum exit_code code;

    if (!path == !source)
        return wrong_use("batch open", "one of --token-out, for a new token, "
                                       "and --token-source is needed");
    code = take_batch(args, &job.batch);
    if (code == EXIT_DONE && path)
        code = output_open(&out, path, false);
    if (code == EXIT_DONE)
        code = source ? given_token(source, &token) : new_token(&token);
    if (code == EXIT_DONE)
        code = open_with(args, &out, &token, &job);
    output_close(&out);
    secret_wipe(&token);
    return code;
}

static const struct command open_action = {
    .name = "batch open",
    .operands = "",
    .help = "open a batch of units, with the token of its line",
    .example = "  devid-station batch open --name B1 --product M1 --count 1000 "
               "\\\n      --token-out B1.token\n",
    .options = open_options,
    .common = TAKES(ROW_DIR),
    .run = run_open,
};

/* ---- list -------------------------------------------------------------- */

static const struct option_row list_options[] = {{0}};

static bool add_batch(void *arg, const struct ledger_batch *batch)
{
    char opened[DESK_TIME_SIZE];
    json_t *report = report_new();

    report_text(report, "name", batch->name);
    report_text(report, "product", batch->product);
    report_number(report, "used", (json_int_t)batch->used);
    report_number(report, "count", (json_int_t)batch->quota);
    report_text(report, "state", batch->closed ? "closed" : "open");
    report_text(report, "opened", desk_time(batch->opened_ms, opened));
    report_append(arg, report);
    return true;
}

static const char *units_of(const json_t *batch, char *room, size_t size)
{
    snprintf(room, size, "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(batch, "used")),
             json_integer_value(json_object_get(batch, "count")));
    return room;
}

static const struct report_column columns[] = {
    {.head = "NAME", .member = "name"},
    {.head = "PRODUCT", .member = "product"},
    {.head = "UNITS", .text = units_of},
    {.head = "STATE", .member = "state"},
    {.head = "OPENED", .member = "opened"},
    {0},
};

static enum exit_code run_list(const struct args *args)
{
    json_t *batches = report_array();
    struct devid_error err;
    struct desk desk;
    enum exit_code code = desk_open(args, false, &desk);

    if (code != EXIT_DONE)
        goto out;
    if (ledger_batches(desk.ledger, add_batch, batches, &err))
        code = fail_engine(&err);
    else if (args_flag(args, ROW_JSON))
        report_print_json(batches);
    else if (json_array_size(batches) > 0)
        report_print_columns(batches, columns);
    else
        puts("The ledger has no batch.");
    desk_close(&desk);

out:
    json_decref(batches);
    return code;
}

static const struct command list_action = {
    .name = "batch list",
    .operands = "",
    .help = "list the batches, and how many of their units are enrolled",
    .example = "  devid-station batch list\n",
    .options = list_options,
    .common = TAKES(ROW_DIR) | TAKES(ROW_JSON),
    .run = run_list,
};

/* ---- close ------------------------------------------------------------- */

static const struct option_row close_options[] = {
    [NAME] = {"name", "NAME", "the batch's name", true, false},
    {0},
};

static enum exit_code run_close(const struct args *args)
{
    struct ledger_job job = {.op = LEDGER_CLOSE_BATCH};
    struct desk desk;
    enum exit_code code = take_text(args, NAME, job.batch.name);

    if (code == EXIT_DONE)
        code = desk_open(args, true, &desk);
    if (code != EXIT_DONE)
        return code;
    code = record(&desk, &job);
    desk_close(&desk);
    return code;
}

static const struct command close_action = {
    .name = "batch close",
    .operands = "",
    .help = "close a batch: its token opens nothing any more",
    .example = "  devid-station batch close --name B1\n",
    .options = close_options,
    .common = TAKES(ROW_DIR),
    .run = run_close,
};

/* ------------------------------------------------------------------------ */

static const struct command *const actions[] = {
    &open_action,
    &list_action,
    &close_action,
    NULL,
};

const struct command batch_command = {
    .name = "batch",
    .operands = "",
    .help = "open, list and close batches of units",
    .example = "  devid-station batch open --name B1 --product M1 --count 1000 "
               "\\\n      --token-out B1.token\n"
               "  devid-station batch list\n",
    .actions = actions,
};
