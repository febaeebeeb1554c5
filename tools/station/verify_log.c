/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "commands.h"
#include "desk.h"
#include "keys.h"
#include "message.h"
#include "report.h"

static const struct option_row options[] = {{0}};

static EVP_PKEY *key_of(void *arg, const char *station)
{
    return keys_of_station(arg, station);
}

static bool add_head(void *arg, const struct ledger_head *head)
{
    json_t *report = report_new();

    report_text(report, "station", head->station);
    report_number(report, "entry", (json_int_t)head->seq);
    report_text(report, "hash", head->hash);
    report_append(arg, report);
    return true;
}

static void print_text(const struct ledger_verdict *verdict,
                       const json_t *heads)
{
    const json_t *head;
    size_t i;

    printf("The audit log is whole: %llu entries of %u station%s, and the "
           "rows are as it says.\n",
           (unsigned long long)verdict->entries, verdict->chains,
           verdict->chains == 1 ? "" : "s");
    if (verdict->unsealed > 0)
        printf("The last %llu are not signed yet.\n",
               (unsigned long long)verdict->unsealed);
    json_array_foreach(heads, i, head)
    {
        printf("%s: entry %" JSON_INTEGER_FORMAT ", %s\n",
               report_get(head, "station"),
               json_integer_value(json_object_get(head, "entry")),
               report_get(head, "hash"));
    }
}

static void print_verdict(const struct args *args,
                          const struct ledger_verdict *verdict, json_t *heads)
{
    json_t *report;

    if (!args_flag(args, ROW_JSON)) {
        print_text(verdict, heads);
        return;
    }
    report = report_new();
    report_number(report, "entries", (json_int_t)verdict->entries);
    report_number(report, "unsealed", (json_int_t)verdict->unsealed);
    report_value(report, "heads", json_incref(heads));
    report_print_json(report);
    json_decref(report);
}

static enum exit_code run(const struct args *args)
{
    struct ledger_verdict verdict;
    json_t *heads = report_array();
    struct devid_error err;
    struct desk desk;
    enum exit_code code = desk_open(args, false, &desk);

    if (code != EXIT_DONE)
        goto out;
    /* Before the log is gone through: what is told is what was checked. */
    if (ledger_heads(desk.ledger, add_head, heads, &err) ||
        ledger_verify(desk.ledger, key_of, &desk.config, &verdict, &err))
        code = fail_engine(&err);
    else
        print_verdict(args, &verdict, heads);
    desk_close(&desk);

out:
    json_decref(heads);
    return code;
}

const struct command verify_log_command = {
    .name = "verify-log",
    .operands = "",
    .help = "check the audit log: its hashes, its signed heads, and the rows",
    .example = "  devid-station verify-log --dir line\n",
    .options = options,
    .common = TAKES(ROW_DIR) | TAKES(ROW_JSON),
    .run = run,
};
