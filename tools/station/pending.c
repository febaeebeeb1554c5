/* SPDX-License-Identifier: Apache-2.0 */
/* LDevIDs that wait for a person, and what the person says. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "desk.h"
#include "message.h"
#include "report.h"

/* ---- pending ----------------------------------------------------------- */

struct list {
    json_t *rows;
    unsigned count; /* of the last page */
    int64_t last_ms;
    char last_id[LEDGER_ID_SIZE];
};

static bool add_row(void *arg, const struct ledger_ldevid *ldevid)
{
    struct list *list = arg;
    char time[DESK_TIME_SIZE];
    json_t *row = report_new();

    report_text(row, "id", ldevid->id);
    report_text(row, "serial", ldevid->serial);
    report_text(row, "label", ldevid->label);
    report_text(row, "asked", desk_time(ldevid->asked_ms, time));
    report_text(row, "station", ldevid->station);
    report_text(row, "key_sha256", ldevid->key_digest);
    report_text(row, "subject", ldevid->subject);
    report_append(list->rows, row);
    list->count++;
    list->last_ms = ldevid->asked_ms;
    memcpy(list->last_id, ldevid->id, sizeof(list->last_id));
    return true;
}

static enum exit_code read_all(const struct desk *desk, struct list *list)
{
    struct ldevid_query query = {.list = LDEVIDS_PENDING};
    struct devid_error err;

    do {
        list->count = 0;
        if (ledger_ldevids(desk->ledger, &query, add_row, list, &err))
            return fail_engine(&err);
        query.after_ms = list->last_ms;
        query.after_id = list->last_id;
    } while (list->count > 0);
    return EXIT_DONE;
}

static const struct report_column columns[] = {
    {.head = "ID", .member = "id"},
    {.head = "SERIAL", .member = "serial"},
    {.head = "LABEL", .member = "label"},
    {.head = "ASKED", .member = "asked"},
    {.head = "KEY SHA256", .member = "key_sha256"},
    {0},
};

static enum exit_code run_pending(const struct args *args)
{
    struct list list = {0};
    struct desk desk;
    enum exit_code code = desk_open(args, false, &desk);

    if (code != EXIT_DONE)
        return code;
    list.rows = report_array();
    code = read_all(&desk, &list);
    if (code == EXIT_DONE && args_flag(args, ROW_JSON))
        report_print_json(list.rows);
    else if (code == EXIT_DONE && json_array_size(list.rows) > 0)
        report_print_columns(list.rows, columns);
    json_decref(list.rows);
    desk_close(&desk);
    return code;
}

static const struct option_row no_options[] = {{0}};

const struct command pending_command = {
    .name = "pending",
    .operands = "",
    .help = "list the LDevIDs that wait for approval",
    .example = "  devid-station pending\n",
    .options = no_options,
    .common = TAKES(ROW_DIR) | TAKES(ROW_JSON),
    .run = run_pending,
};

/* ---- approve and refuse ------------------------------------------------ */

enum {
    BECAUSE
};

static const struct option_row refuse_options[] = {
    [BECAUSE] = {"because", "TEXT", "why, for the audit log", false, false},
    {0},
};

static enum exit_code judge(const struct desk *desk, const char *id,
                            enum ledger_op op, const char *because)
{
    struct ledger_job job = {.op = op, .peer = desk->who, .detail = because};
    enum ledger_outcome outcome;

    if (strlen(id) >= sizeof(job.ldevid.id))
        return fail("there is no LDevID %.40s... in the ledger", id);
    snprintf(job.ldevid.id, sizeof(job.ldevid.id), "%s", id);
    outcome = ledger_do(desk->ledger, &job);
    ledger_ldevid_clear(&job.ldevid);
    if (outcome == LEDGER_AGAIN)
        note("%s", job.error.text);
    return outcome == LEDGER_DONE || outcome == LEDGER_AGAIN
               ? EXIT_DONE
               : fail_engine(&job.error);
}

static enum exit_code judge_all(const struct args *args, enum ledger_op op,
                                const char *because)
{
    struct desk desk;
    enum exit_code code = desk_open(args, true, &desk);
    enum exit_code worst = code;

    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; i < args->operand_count; i++) {
        code = judge(&desk, args->operands[i], op, because);
        worst = code != EXIT_DONE ? code : worst;
    }
    desk_close(&desk);
    return worst;
}

static enum exit_code run_approve(const struct args *args)
{
    return judge_all(args, LEDGER_APPROVE_LDEVID, NULL);
}

static enum exit_code run_refuse(const struct args *args)
{
    return judge_all(args, LEDGER_REFUSE_LDEVID, args_text(args, BECAUSE));
}

const struct command approve_command = {
    .name = "approve",
    .operands = "ID...",
    .help = "let LDevIDs that wait be issued",
    .example = "  devid-station approve 019aaa5bd0cc0001a1b2c3d4e5f60718\n",
    .options = no_options,
    .common = TAKES(ROW_DIR),
    .operands_min = 1,
    .operands_max = 1000,
    .run = run_approve,
};

const struct command refuse_command = {
    .name = "refuse",
    .operands = "ID...",
    .help = "refuse LDevIDs that wait",
    .example = "  devid-station refuse 019aaa5bd0cc0001a1b2c3d4e5f60718 "
               "\\\n      --because \"not ours\"\n",
    .options = refuse_options,
    .common = TAKES(ROW_DIR),
    .operands_min = 1,
    .operands_max = 1000,
    .run = run_refuse,
};
