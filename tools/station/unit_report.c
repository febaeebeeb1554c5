/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "desk.h"
#include "html.h"
#include "message.h"
#include "report.h"

enum {
    FORMAT,
    FILTER
};

static const struct option_row options[] = {
    [FORMAT] = {"format", "FORM", "csv (the default), json or html", false,
                false},
    DESK_FILTER_ROWS(FILTER),
    [FILTER + 4] = {0},
};

/* ---- what is told of a unit -------------------------------------------- */

enum {
    CELLS = 15
};

static const char *const heads[CELLS] = {
    "serial",     "model",     "mac",      "batch",       "state",
    "attested",   "station",   "operator", "enrolled",    "changed",
    "generation", "ek_digest", "iak_name", "idevid_name", "idevid_number",
};

struct line {
    const char *cells[CELLS];
    char enrolled[DESK_TIME_SIZE];
    char changed[DESK_TIME_SIZE];
    char generation[16];
    struct desk_cert cert;
};

static void fill_line(const struct ledger_unit *unit, struct line *line)
{
    desk_cert(&unit->idevid_cert, &line->cert);
    snprintf(line->generation, sizeof(line->generation), "%u",
             unit->generation);
    const char *const cells[CELLS] = {
        unit->serial,
        unit->model,
        unit->mac,
        unit->batch,
        unit_state_name(unit->state),
        unit->attested ? "yes" : "no",
        unit->station,
        unit->operator_name,
        desk_time(unit->enrolled_ms, line->enrolled),
        desk_time(unit->changed_ms, line->changed),
        line->generation,
        unit->ek_digest,
        unit->iak_name,
        unit->idevid_name,
        line->cert.number,
    };
    memcpy(line->cells, cells, sizeof(cells));
}

/* ---- CSV: RFC 4180 ----------------------------------------------------- */

/* A spreadsheet would take what begins so for a formula, and run it. */
static bool is_formula(const char *cell)
{
    return *cell != '\0' && strchr("=+-@\t\r", *cell) != NULL;
}

static void csv_cell(const char *cell, bool last)
{
    putchar('"');
    if (is_formula(cell))
        putchar('\'');
    for (; *cell; cell++) {
        if (*cell == '"')
            putchar('"');
        putchar(*cell);
    }
    (void)fputs(last ? "\"\r\n" : "\",", stdout);
}

static void csv_row(const char *const cells[CELLS])
{
    for (int i = 0; i < CELLS; i++)
        csv_cell(cells[i], i + 1 == CELLS);
}

static void csv_begin(void)
{
    csv_row(heads);
}

static void csv_unit(const struct line *line, int count)
{
    (void)count;
    csv_row(line->cells);
}

static void csv_end(int count)
{
    (void)count;
}

/* ---- JSON -------------------------------------------------------------- */

static void json_begin(void)
{
    putchar('[');
}

/* One by one: a million of them need not stand in memory. */
static void json_unit(const struct line *line, int count)
{
    json_t *report = report_new();

    for (int i = 0; i < CELLS; i++)
        report_text(report, heads[i], line->cells[i]);
    (void)fputs(count > 1 ? ",\n " : "\n ", stdout);
    (void)json_dumpf(report, stdout, 0);
    json_decref(report);
}

static void json_end(int count)
{
    puts(count > 0 ? "\n]" : "]");
}

/* ---- HTML -------------------------------------------------------------- */

static void html_begin(void)
{
    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                "<meta charset=\"utf-8\">\n<title>Units</title>\n<style>\n"
                "body { font: 14px sans-serif }\n"
                "table { border-collapse: collapse }\n"
                "th, td { border: 1px solid #ccc; padding: 2px 6px; "
                "text-align: left }\n"
                "</style>\n</head>\n<body>\n<table>\n<tr>",
                stdout);
    for (int i = 0; i < CELLS; i++)
        html_print(stdout, "<th>%s</th>", heads[i]);
    (void)fputs("</tr>\n", stdout);
}

static void html_unit(const struct line *line, int count)
{
    (void)count;
    (void)fputs("<tr>", stdout);
    for (int i = 0; i < CELLS; i++)
        html_print(stdout, "<td>%s</td>", line->cells[i]);
    (void)fputs("</tr>\n", stdout);
}

static void html_end(int count)
{
    html_print(stdout, "</table>\n<p>%d units</p>\n</body>\n</html>\n", count);
}

/* ---- the whole --------------------------------------------------------- */

static const struct form {
    const char *name;
    void (*begin)(void);
    void (*unit)(const struct line *line, int count); /* from 1 */
    void (*end)(int count);
} forms[] = {
    {"csv", csv_begin, csv_unit, csv_end},
    {"json", json_begin, json_unit, json_end},
    {"html", html_begin, html_unit, html_end},
};

static const struct form *find_form(const char *name)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        if (strcmp(forms[i].name, name) == 0)
            return &forms[i];
    }
    return NULL;
}

struct printer {
    const struct form *form;
    int count;
};

static bool print_unit(void *arg, const struct ledger_unit *unit)
{
    struct printer *printer = arg;
    struct line line;

    fill_line(unit, &line);
    printer->form->unit(&line, ++printer->count);
    return !ferror(stdout);
}

static enum exit_code run(const struct args *args)
{
    const char *name = args_text(args, FORMAT);
    struct printer printer = {find_form(name ? name : "csv"), 0};
    struct desk_filter filter;
    struct devid_error err;
    struct desk desk;
    enum exit_code code;

    if (!printer.form)
        return wrong_use("report", "--format is csv, json or html, not '%s'",
                         name);
    code = desk_filter(args, FILTER, &filter);
    if (code == EXIT_DONE)
        code = desk_open(args, false, &desk);
    if (code != EXIT_DONE)
        return code;
    printer.form->begin();
    if (ledger_units(desk.ledger, &filter.filter, print_unit, &printer, &err))
        code = fail_engine(&err);
    else
        printer.form->end(printer.count);
    desk_close(&desk);
    return code;
}

const struct command report_command = {
    .name = "report",
    .operands = "",
    .help =
        "print a row for each unit: for a spreadsheet, a program, a browser",
    .example = "  devid-station report --batch B1 > B1.csv\n"
               "  devid-station report --format html --since 2026-11-22 > "
               "today.html\n",
    .options = options,
    .common = TAKES(ROW_DIR),
    .run = run,
};
