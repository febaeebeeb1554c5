/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *program_name = "devid";

static char last_sentence[2048];

static void say(const char *kind, const char *format, va_list values)
    __attribute__((format(printf, 2, 0)));

/* One line, whatever stands in the names and values that it quotes. */
static void say(const char *kind, const char *format, va_list values)
{
    char *sentence = NULL;

    if (vasprintf(&sentence, format, values) < 0)
        die_no_memory();
    for (char *c = sentence; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
    fprintf(stderr, "%s: %s%s\n", program_name, kind, sentence);
    if (*kind == '\0')
        snprintf(last_sentence, sizeof(last_sentence), "%s", sentence);
    free(sentence);
}

enum exit_code fail(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    say("", format, values);
    va_end(values);
    return EXIT_FAILED;
}

enum exit_code fail_with(enum exit_code code, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    say("", format, values);
    va_end(values);
    return code;
}

const char *last_failure(void)
{
    return last_sentence;
}

void note(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    say("note: ", format, values);
    va_end(values);
}

enum exit_code fail_engine(const struct devid_error *err)
{
    return fail("%s", err->text);
}

enum exit_code fail_about(const char *name, const struct devid_error *err)
{
    return fail("%s: %s", name, err->text);
}

enum exit_code wrong_use(const char *command, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    say("", format, values);
    va_end(values);
    fprintf(stderr, "try '%s %s%s--help'\n", program_name,
            command ? command : "", command ? " " : "");
    return EXIT_WRONG_USE;
}

_Noreturn void die_no_memory(void)
{
    fprintf(stderr, "%s: out of memory\n", program_name);
    exit(EXIT_FAILED);
}
