/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a browser sends of a form, in a URL's query or as a body:
 * application/x-www-form-urlencoded. Pure.
 */
#ifndef DEVID_STATION_FORM_H
#define DEVID_STATION_FORM_H

#include <stdbool.h>
#include <stddef.h>

#define FORM_FIELDS_MAX 16

struct form {
    size_t count;
    struct {
        const char *name;
        const char *value;
    } fields[FORM_FIELDS_MAX];
    char *memory; /* what these lie in */
};

/*
 * Parse; empty is a form without fields. A sentence where it is none: a % that
 * two hexadecimal digits do not follow, bytes that are no UTF-8 or controls, a
 * field twice, too many fields. NULL: all is well. Cleared by the caller either
 * way.
 */
const char *form_parse(const void *data, size_t len, struct form *form);
void form_clear(struct form *form);

/* A field's value; "" where it is not there. */
const char *form_get(const struct form *form, const char *name);

#endif
