/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "message.h"
#include "offline.h"
#include "output.h"

enum {
    CHALLENGE_IN,
    CHALLENGE_HOURS,
};

enum {
    HOURS_DEFAULT = 24,
    HOURS_MAX = 24 * 365
};

static const struct option_row challenge_options[] = {
    [CHALLENGE_IN] = {"in", "FILE", "the request that was imported", true,
                      false},
    [CHALLENGE_HOURS] = {"hours", "NUMBER",
                         "for how long it may be answered; the default is 24",
                         false, false},
    {0},
};

static enum exit_code read_hours(const struct args *args, unsigned *seconds)
{
    const char *text = args_text(args, CHALLENGE_HOURS);
    char *end = NULL;
    unsigned long hours = HOURS_DEFAULT;

    if (text) {
        hours = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
        if (!end || *end != '\0' || hours < 1 || hours > HOURS_MAX)
            return wrong_use("challenge",
                             "--hours is a number from 1 to %d, not %s",
                             (int)HOURS_MAX, text);
    }
    *seconds = (unsigned)hours * 3600;
    return EXIT_DONE;
}

/* The request made again is the same unit's, with a new challenge. */
static enum exit_code challenge(const struct context *context,
                                const struct file *file, unsigned seconds,
                                const struct output *out)
{
    struct exchange x = {.context = context, .challenge_seconds = seconds};
    struct ledger_unit unit = {0};
    const char *serial =
        json_string_value(json_object_get(file->body, "serial"));
    uint8_t *data = NULL;
    size_t len = 0;
    enum exit_code code;

    if (offline_is_asserted(file))
        return fail("a PKCS#10 request is not challenged: its certificate is "
                    "there once it is imported");
    if (!serial)
        return fail("the request does not say the unit's serial number");
    code = offline_find(context, serial, &unit);
    x.batch = unit.batch;
    if (code == EXIT_DONE)
        code = offline_units(&x, file, NULL, NULL);
    if (code == EXIT_DONE) {
        data = offline_bytes(&x, "challenge", &len);
        code = output_write(out, data, len);
    }
    OPENSSL_free(data);
    exchange_clear(&x);
    ledger_unit_clear(&unit);
    return code;
}

static enum exit_code run_challenge(const struct args *args)
{
    struct context context;
    struct file file = {0};
    struct output out;
    unsigned seconds = 0;
    enum exit_code code = read_hours(args, &seconds);

    if (code == EXIT_DONE)
        code = output_open(&out, args_text(args, ROW_OUT),
                           args_flag(args, ROW_FORCE));
    if (code != EXIT_DONE)
        return code;
    code = context_open(args, &context);
    if (code == EXIT_DONE) {
        code = offline_open(args_text(args, CHALLENGE_IN), &file);
        if (code == EXIT_DONE)
            code = challenge(&context, &file, seconds, &out);
        offline_close(&file);
        context_close(&context);
    }
    output_close(&out);
    return code;
}

const struct command challenge_command = {
    .name = "challenge",
    .operands = "",
    .help = "write the challenge that only the unit's TPM can answer",
    .example = "  devid-station challenge --dir line --in unit.req --out "
               "unit.challenge\n",
    .options = challenge_options,
    .common = TAKES(ROW_OUT) | TAKES(ROW_FORCE) | TAKES(ROW_DIR),
    .run = run_challenge,
};
