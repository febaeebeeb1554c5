/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "message.h"
#include "report.h"

static long milliseconds_since(const struct timespec *start)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)(now.tv_sec - start->tv_sec) * 1000 +
           (now.tv_nsec - start->tv_nsec) / 1000000;
}

/* One line, at once: who reads it waits for it. Takes `event` over. */
static void print_event(json_t *event)
{
    (void)json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    (void)fputc('\n', stdout); /* program_main sees what fails */
    (void)fflush(stdout);
    json_decref(event);
}

void progress_start(struct progress *progress, bool json)
{
    *progress = (struct progress){.json = json};
    (void)clock_gettime(CLOCK_MONOTONIC, &progress->begun);
}

void progress_step(struct progress *progress, const char *name)
{
    progress->step = name;
    (void)clock_gettime(CLOCK_MONOTONIC, &progress->step_begun);
}

void progress_done(struct progress *progress, const char *format, ...)
{
    long ms = milliseconds_since(&progress->step_begun);
    char *text = NULL;
    va_list values;
    json_t *event;

    va_start(values, format);
    if (vasprintf(&text, format, values) < 0)
        die_no_memory();
    va_end(values);
    if (progress->json) {
        event = report_new();
        report_text(event, "event", "step");
        report_text(event, "step", progress->step);
        report_number(event, "ms", ms);
        report_text(event, "text", text);
        print_event(event);
    } else {
        (void)printf("%-10s %3ld.%03ld s  %s\n", progress->step, ms / 1000,
                     ms % 1000, text);
        (void)fflush(stdout); /* program_main sees what fails */
    }
    free(text);
    progress->step = NULL;
}

enum exit_code progress_end(struct progress *progress, enum exit_code code,
                            const char *refusal, json_t *unit)
{
    long ms = milliseconds_since(&progress->begun);
    json_t *event = unit != NULL ? unit : report_new();

    if (!progress->json) {
        json_decref(event);
        return code;
    }
    report_text(event, "event", code == EXIT_DONE ? "done" : "failed");
    if (code != EXIT_DONE) {
        report_text(event, "step", progress->step);
        report_text(event, "code", refusal);
        report_text(event, "message", last_failure());
    }
    report_number(event, "exit", code);
    report_number(event, "ms", ms);
    print_event(event);
    return code;
}
