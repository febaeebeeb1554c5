/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program says when it fails: "devid: SENTENCE" on standard error.
 */
#ifndef DEVID_TOOLS_MESSAGE_H
#define DEVID_TOOLS_MESSAGE_H

#include "command.h"
#include "devid.h"

/* The program's name, before every sentence; program_main sets it. */
extern const char *program_name;

/* Print the sentence and return EXIT_FAILED: for `return fail(...)`. */
enum exit_code fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* The same for another code than EXIT_FAILED. */
enum exit_code fail_with(enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The sentence that was printed last, for who reports it elsewhere too; "". */
const char *last_failure(void);

/* The same with the engine's sentence. */
enum exit_code fail_engine(const struct devid_error *err);

/* As fail_engine, about a file whose name the engine does not know. */
enum exit_code fail_about(const char *name, const struct devid_error *err);

/* Print "devid: note: SENTENCE": what matters, and fails nothing. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Print the sentence and where the right use is to be read; returns
 * EXIT_WRONG_USE. `command` is the subcommand, NULL: the program as a whole.
 */
enum exit_code wrong_use(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Only where nothing has been made yet that would have to be removed. */
_Noreturn void die_no_memory(void);

#endif
