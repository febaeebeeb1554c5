/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a provisioning has come: a line a step, with the time that it took,
 * or an object of JSON a line for the software of a factory line. The members
 * are documented in devid-provision(1).
 */
#ifndef DEVID_TOOLS_PROGRESS_H
#define DEVID_TOOLS_PROGRESS_H

#include <jansson.h>
#include <time.h>

#include "command.h"

struct progress {
    bool json;
    const char *step; /* at work; NULL: none */
    struct timespec begun;
    struct timespec step_begun;
};

void progress_start(struct progress *progress, bool json);

/* A step begins; `name` is a literal, one word. */
void progress_step(struct progress *progress, const char *name);

/* The step at work is done; what it came to, in words. */
void progress_done(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The end, with all that is known of the unit (taken over; may be NULL).
 * refusal: the station's word for it, or "". Returns `code`.
 */
enum exit_code progress_end(struct progress *progress, enum exit_code code,
                            const char *refusal, json_t *unit);

#endif
