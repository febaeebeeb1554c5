/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "body.h"
#include "commands.h"
#include "desk.h"
#include "message.h"
#include "report.h"

static const struct option_row options[] = {{0}};

static void describe_cert(json_t *report, const char *name,
                          const struct ledger_blob *der)
{
    struct desk_cert cert;
    json_t *object;

    if (der->len == 0)
        return;
    object = report_new();
    desk_cert(der, &cert);
    report_text(object, "number", cert.number);
    report_text(object, "sha256", cert.sha256);
    report_value(report, name, object);
}

static void describe_unit(json_t *report, const struct ledger_unit *unit)
{
    char time[DESK_TIME_SIZE];

    report_text(report, "serial", unit->serial);
    report_text(report, "model", unit->model);
    report_text(report, "mac", unit->mac);
    report_text(report, "state", unit_state_name(unit->state));
    report_flag(report, "attested", unit->attested);
    report_text(report, "batch", unit->batch);
    report_text(report, "station", unit->station);
    report_text(report, "operator", unit->operator_name);
    report_number(report, "generation", (json_int_t)unit->generation);
    report_text(report, "enrolled", desk_time(unit->enrolled_ms, time));
    report_text(report, "changed", desk_time(unit->changed_ms, time));
    report_text(report, "id", unit->id);
    report_text(report, "ek_digest", unit->ek_digest);
    report_text(report, "iak_name", unit->iak_name);
    report_text(report, "idevid_name", unit->idevid_name);
    describe_cert(report, "idevid", &unit->idevid_cert);
    describe_cert(report, "iak", &unit->iak_cert);
    report_flag(report, "escrow", unit->escrow.len > 0);
}

/* What its authorisations are wrapped in, for who has the escrow key. */
static void append_escrow(json_t *list, const struct ledger_blob *cms,
                          int64_t replaced_ms)
{
    char time[DESK_TIME_SIZE];
    json_t *report = report_new();
    struct desk_cert digest;

    desk_cert(cms, &digest);
    report_text(report, "replaced", desk_time(replaced_ms, time));
    report_text(report, "sha256", digest.sha256);
    report_value(report, "cms", body_base64(cms->data, cms->len));
    report_append(list, report);
}

static bool add_escrow(void *arg, const struct ledger_escrow *escrow)
{
    append_escrow(arg, &escrow->cms, escrow->replaced_ms);
    return true;
}

/* The newest first; what is older stands in the history. */
enum {
    LDEVIDS_SHOWN = 20
};

static bool add_ldevid(void *arg, const struct ledger_ldevid *ldevid)
{
    char time[DESK_TIME_SIZE];
    json_t *report = report_new();

    report_text(report, "label", ldevid->label);
    report_text(report, "state",
                ldevid->revoked_ms > 0 ? "revoked"
                                       : ldevid_state_name(ldevid->state));
    report_text(report, "asked", desk_time(ldevid->asked_ms, time));
    report_text(report, "ends", desk_time(ldevid->not_after_ms, time));
    report_text(report, "number", ldevid->number);
    report_text(report, "renews", ldevid->renews);
    report_text(report, "key_sha256", ldevid->key_digest);
    report_text(report, "id", ldevid->id);
    report_append(arg, report);
    return true;
}

static const struct report_column ldevid_columns[] = {
    {.head = "LABEL", .member = "label"},
    {.head = "STATE", .member = "state"},
    {.head = "ASKED", .member = "asked"},
    {.head = "ENDS", .member = "ends"},
    {.head = "LDEVID", .member = "number"},
    {0},
};

static bool add_entry(void *arg, const struct ledger_entry *entry)
{
    char time[DESK_TIME_SIZE];
    json_t *report = report_new();

    report_text(report, "time", desk_time(entry->time_ms, time));
    report_text(report, "station", entry->station);
    report_number(report, "entry", (json_int_t)entry->seq);
    report_text(report, "event", entry->event);
    report_text(report, "peer", entry->peer);
    report_text(report, "detail", entry->detail);
    report_append(arg, report);
    return true;
}

/* A certificate is one line for people: its number. */
static void print_unit(const json_t *unit)
{
    json_t *lines = json_copy((json_t *)(uintptr_t)unit);
    static const char *const certs[] = {"idevid", "iak"};
    const json_t *escrows = json_object_get(unit, "escrows");
    char number[80];

    if (!lines)
        die_no_memory();
    for (size_t i = 0; i < sizeof(certs) / sizeof(*certs); i++) {
        const json_t *cert = json_object_get(unit, certs[i]);
        if (!cert)
            continue;
        snprintf(number, sizeof(number), "%s", report_get(cert, "number"));
        report_text(lines, certs[i], number);
    }
    json_object_del(lines, "history");
    json_object_del(lines, "ldevids");
    if (json_array_size(escrows) > 1) {
        snprintf(number, sizeof(number), "yes, %zu in all (--json)",
                 json_array_size(escrows));
        report_text(lines, "escrow", number);
    }
    json_object_del(lines, "escrows");
    report_print_text(lines);
    json_decref(lines);
}

static const struct report_column columns[] = {
    {.head = "TIME", .member = "time"},
    {.head = "STATION", .member = "station"},
    {.head = "ENTRY", .member = "entry"},
    {.head = "EVENT", .member = "event"},
    {.head = "PEER", .member = "peer"},
    {.head = "DETAIL", .member = "detail"},
    {0},
};

/* For people. */
static void print_all(const json_t *report, const json_t *history,
                      const char *serial, bool found)
{
    const json_t *ldevids = json_object_get(report, "ldevids");

    if (found)
        print_unit(report);
    else
        printf("No unit %s is enrolled.\n", serial);
    putchar('\n');
    if (json_array_size(ldevids) > 0) {
        report_print_columns(ldevids, ldevid_columns);
        putchar('\n');
    }
    report_print_columns(history, columns);
}

static enum devid_err read_ldevids(const struct desk *desk, const char *unit,
                                   json_t *report, struct devid_error *err)
{
    const struct ldevid_query query = {
        .list = LDEVIDS_OF_UNIT, .unit = unit, .limit = LDEVIDS_SHOWN};
    json_t *list = report_array();
    enum devid_err e =
        ledger_ldevids(desk->ledger, &query, add_ldevid, list, err);

    report_value(report, "ldevids", list);
    return e;
}

static enum devid_err read_escrows(const struct desk *desk,
                                   const struct ledger_unit *unit,
                                   json_t *report, struct devid_error *err)
{
    json_t *list = report_array();
    enum devid_err e;

    if (unit->escrow.len > 0)
        append_escrow(list, &unit->escrow, 0);
    e = ledger_former_escrows(desk->ledger, unit->id, add_escrow, list, err);
    report_value(report, "escrows", list);
    return e;
}

/* What was refused of a unit that never got a row is shown as well. */
static enum exit_code show(const struct args *args, const struct desk *desk,
                           const char *serial)
{
    json_t *report = report_new();
    json_t *history = report_array();
    struct ledger_unit unit;
    struct devid_error err;
    enum exit_code code = EXIT_DONE;
    enum devid_err e =
        ledger_find(desk->ledger, UNIT_BY_SERIAL, serial, &unit, &err);
    bool found = e == DEVID_OK;

    if (found) {
        describe_unit(report, &unit);
        e = read_ldevids(desk, unit.id, report, &err);
        if (e == DEVID_OK)
            e = read_escrows(desk, &unit, report, &err);
    }
    ledger_unit_clear(&unit);
    if ((e != DEVID_OK && (found || e != DEVID_ERR_NOT_FOUND)) ||
        ledger_entries(desk->ledger, serial, add_entry, history, &err) ||
        (!found && json_array_size(history) == 0)) {
        code = fail_engine(&err);
    } else if (args_flag(args, ROW_JSON)) {
        if (!found)
            report_text(report, "serial", serial);
        report_value(report, "history", json_incref(history));
        report_print_json(report);
    } else {
        print_all(report, history, serial, found);
    }
    json_decref(history);
    json_decref(report);
    return code;
}

static enum exit_code run(const struct args *args)
{
    struct desk desk;
    enum exit_code code = desk_open(args, false, &desk);

    if (code != EXIT_DONE)
        return code;
    code = show(args, &desk, args->operands[0]);
    desk_close(&desk);
    return code;
}

const struct command show_command = {
    .name = "show",
    .operands = "SERIAL",
    .help = "show a unit, and all that was done or refused of it",
    .example = "  devid-station show SN-0001\n",
    .options = options,
    .common = TAKES(ROW_DIR) | TAKES(ROW_JSON),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
