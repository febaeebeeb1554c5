/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "desk.h"
#include "exchange.h"
#include "message.h"

enum {
    REASON
};

static const struct option_row options[] = {
    [REASON] = {"reason", "REASON",
                "unspecified, compromise, affiliation, superseded or cessation",
                true, false},
    {0},
};

static enum exit_code revoke(const struct desk *desk, const char *serial,
                             struct ledger_job *job)
{
    enum ledger_outcome outcome;

    if (strlen(serial) >= sizeof(job->unit.serial))
        return fail("there is no unit %.100s... in the ledger", serial);
    snprintf(job->unit.serial, sizeof(job->unit.serial), "%s", serial);
    job->peer = desk->who;
    outcome = ledger_do(desk->ledger, job);
    ledger_unit_clear(&job->unit);
    if (outcome != LEDGER_DONE && outcome != LEDGER_AGAIN)
        return fail_engine(&job->error);
    if (outcome == LEDGER_AGAIN)
        note("%s", job->error.text);
    return EXIT_DONE;
}

static enum exit_code run(const struct args *args)
{
    const char *reason = args_text(args, REASON);
    struct ledger_job job = {.op = LEDGER_RETIRE, .detail = reason};
    struct desk desk;
    enum exit_code code;

    if (!revocation_reason(reason, &job.reason))
        return wrong_use("revoke",
                         "--reason is unspecified, compromise, affiliation, "
                         "superseded or cessation, not '%s'",
                         reason);
    code = desk_open(args, true, &desk);
    if (code != EXIT_DONE)
        return code;
    code = revoke(&desk, args->operands[0], &job);
    desk_close(&desk);
    return code;
}

const struct command revoke_command = {
    .name = "revoke",
    .operands = "SERIAL",
    .help = "retire a unit and revoke its certificates",
    .example = "  devid-station revoke SN-0001 --reason compromise\n",
    .options = options,
    .common = TAKES(ROW_DIR),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
