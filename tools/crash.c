/* SPDX-License-Identifier: Apache-2.0 */
#include "crash.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

enum {
    FATAL_COUNT = sizeof(fatal) / sizeof(fatal[0]),
    LINE_MAX_LEN = 512
};

static struct sigaction before[FATAL_COUNT];

/* What stdio does, here where it must not be called. */
static void append(char *line, size_t *len, const char *text)
{
    for (; *text && *len < LINE_MAX_LEN - 1; text++) {
        line[*len] = *text;
        if ((unsigned char)*text < ' ')
            line[*len] = '?';
        (*len)++;
    }
}

static void append_number(char *line, size_t *len, int number)
{
    char digits[] = {(char)('0' + number / 10), (char)('0' + number % 10), 0};

    append(line, len, number < 10 ? digits + 1 : digits);
}

static void say_and_end(int number)
{
    const char *call = NULL;
    const char *module = devid_foreign_module(&call);
    char line[LINE_MAX_LEN];
    size_t len = 0;
    ssize_t written;

    if (!module) {
        for (int i = 0; i < FATAL_COUNT; i++) {
            if (fatal[i] == number)
                sigaction(number, &before[i], NULL);
        }
        return; /* to where it happens again */
    }
    append(line, &len, "devid: the PKCS#11 module ");
    append(line, &len, module);
    append(line, &len, " crashed (signal ");
    append_number(line, &len, number);
    append(line, &len, ")");
    append(line, &len, call ? " in " : "");
    append(line, &len, call ? call : "");
    line[len++] = '\n';
    written = write(STDERR_FILENO, line, len);
    (void)written; /* there is nowhere else to say it */
    _exit(EXIT_FAILED);
}

void crash_watch(void)
{
    struct sigaction action = {.sa_handler = say_and_end};

    sigemptyset(&action.sa_mask);
    for (int i = 0; i < FATAL_COUNT; i++)
        sigaction(fatal[i], &action, &before[i]);
}
