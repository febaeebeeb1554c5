/* SPDX-License-Identifier: Apache-2.0 */
/* What was found, and how it is printed. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "message.h"
#include "report.h"

static const struct level_row {
    const char *name; /* in JSON */
    const char *mark;
    const char *colour;
} levels[] = {
    [LEVEL_OK] = {"ok", "ok  ", "\033[32m"},
    [LEVEL_NOTE] = {"note", "note", "\033[36m"},
    [LEVEL_WARNING] = {"warning", "warn", "\033[33m"},
    [LEVEL_BAD] = {"bad", "bad ", "\033[31;1m"},
};

static bool is_accepted(const struct doctor *doctor, const char *id)
{
    for (const char **at = doctor->accepted; at && *at; at++) {
        if (strcmp(*at, id) == 0)
            return true;
    }
    return false;
}

void add_finding(struct doctor *doctor, const struct finding *finding)
{
    json_t *row = report_new();
    enum level level = finding->level;
    bool accepted = level > LEVEL_NOTE && is_accepted(doctor, finding->id);

    if (accepted)
        level = LEVEL_NOTE;
    report_text(row, "id", finding->id);
    report_text(row, "level", levels[level].name);
    report_text(row, "what", finding->what);
    report_text(row, "means", finding->means);
    report_text(row, "type", finding->type);
    report_text(row, "source", finding->source);
    if (accepted)
        report_flag(row, "accepted", true);
    report_append(doctor->findings, row);
}

static void add(struct doctor *doctor, enum level level,
                const struct finding *finding)
{
    struct finding with = *finding;

    with.level = level;
    add_finding(doctor, &with);
}

void is_ok(struct doctor *doctor, const char *id, const char *what)
{
    add(doctor, LEVEL_OK, &(struct finding){.id = id, .what = what});
}

void is_note(struct doctor *doctor, const char *id, const char *what,
             const char *means, const char *type)
{
    add(doctor, LEVEL_NOTE,
        &(struct finding){
            .id = id, .what = what, .means = means, .type = type});
}

void is_warning(struct doctor *doctor, const char *id, const char *what,
                const char *means, const char *type)
{
    add(doctor, LEVEL_WARNING,
        &(struct finding){
            .id = id, .what = what, .means = means, .type = type});
}

void is_bad(struct doctor *doctor, const char *id, const char *what,
            const char *means, const char *type)
{
    add(doctor, LEVEL_BAD,
        &(struct finding){
            .id = id, .what = what, .means = means, .type = type});
}

const char *words(struct doctor *doctor, const char *format, ...)
{
    char text[2048];
    va_list args;
    json_t *kept;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    report_append_text(doctor->kept, text);
    kept = json_array_get(doctor->kept, json_array_size(doctor->kept) - 1);
    return json_string_value(kept);
}

static enum level level_of(const json_t *row)
{
    const char *name = report_get(row, "level");

    for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
        if (strcmp(levels[i].name, name) == 0)
            return (enum level)i;
    }
    return LEVEL_BAD;
}

size_t count_findings(const struct doctor *doctor, enum level level)
{
    size_t count = 0;
    const json_t *row;
    size_t i;

    json_array_foreach(doctor->findings, i, row) count +=
        level_of(row) == level;
    return count;
}

static void print_row(const json_t *row, bool colour)
{
    const struct level_row *level = &levels[level_of(row)];
    const char *means = report_get(row, "means");
    const char *type = report_get(row, "type");

    printf("%s%s%s  %s", colour ? level->colour : "", level->mark,
           colour ? "\033[0m" : "", report_get(row, "what"));
    if (*means)
        printf(": %s", means);
    if (*type)
        printf(" -> %s", type);
    if (json_is_true(json_object_get(row, "accepted")))
        printf(" (accepted)");
    putchar('\n');
}

void print_findings(const struct doctor *doctor, bool colour)
{
    const json_t *row;
    size_t i;

    json_array_foreach(doctor->findings, i, row) print_row(row, colour);
    printf("%zu bad, %zu to be looked at, %zu notes, %zu ok\n",
           count_findings(doctor, LEVEL_BAD),
           count_findings(doctor, LEVEL_WARNING),
           count_findings(doctor, LEVEL_NOTE),
           count_findings(doctor, LEVEL_OK));
}

json_t *findings_report(const struct doctor *doctor)
{
    json_t *report = report_new();

    report_number(report, "bad", (json_int_t)count_findings(doctor, LEVEL_BAD));
    report_number(report, "warnings",
                  (json_int_t)count_findings(doctor, LEVEL_WARNING));
    report_number(report, "notes",
                  (json_int_t)count_findings(doctor, LEVEL_NOTE));
    report_number(report, "ok", (json_int_t)count_findings(doctor, LEVEL_OK));
    report_value(report, "findings", json_incref(doctor->findings));
    return report;
}
