/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the place of tools/cli/message.c: a million sentences are nobody's to
 * read, but each must be one.
 */
#include "fuzz.h"
#include "message.h"

#include <stdarg.h>
#include <stdio.h>

const char *program_name = "fuzz";

static char last_sentence[2048];

static void say(const char *format, va_list values)
    __attribute__((format(printf, 1, 0)));

static void say(const char *format, va_list values)
{
    must(vsnprintf(last_sentence, sizeof(last_sentence), format, values) > 0);
}

enum exit_code fail(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    say(format, values);
    va_end(values);
    return EXIT_FAILED;
}

enum exit_code fail_with(enum exit_code code, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    say(format, values);
    va_end(values);
    must(code != EXIT_DONE);
    return code;
}

const char *last_failure(void)
{
    return last_sentence;
}

enum exit_code fail_engine(const struct devid_error *err)
{
    return fail("%s", err->text);
}

enum exit_code fail_about(const char *name, const struct devid_error *err)
{
    return fail("%s: %s", name, err->text);
}

void note(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    say(format, values);
    va_end(values);
}

enum exit_code wrong_use(const char *command, const char *format, ...)
{
    va_list values;

    (void)command;
    va_start(values, format);
    say(format, values);
    va_end(values);
    return EXIT_WRONG_USE;
}

_Noreturn void die_no_memory(void)
{
    abort();
}
