/* SPDX-License-Identifier: Apache-2.0 */
#include "form.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)((at - digits) % 16) : -1;
}

/* In place, up to the NUL; false: a % stands alone, or for a NUL. */
static bool decode(char *text)
{
    char *to = text;

    for (const char *at = text; *at; at++) {
        int high = *at == '%' ? digit(at[1]) : 0;
        int low = *at == '%' && high >= 0 ? digit(at[2]) : 0;
        if (high < 0 || low < 0)
            return false;
        if (*at == '%' && high == 0 && low == 0)
            return false;
        if (*at != '%') {
            *to++ = (char)(*at == '+' ? ' ' : *at);
            continue;
        }
        *to++ = (char)(16 * high + low);
        at += 2;
    }
    *to = '\0';
    return true;
}

static const char *add(struct form *form, char *field)
{
    char *value = strchr(field, '=');

    if (value)
        *value++ = '\0';
    else
        value = field + strlen(field);
    if (!decode(field) || !decode(value))
        return "a % in the form is followed by no two hexadecimal digits";
    if (!utf8_is_clean(field) || !utf8_is_clean(value))
        return "the form has bytes that are no UTF-8, or control characters";
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->fields[i].name, field) == 0)
            return "the form has a field twice";
    }
    if (form->count == FORM_FIELDS_MAX)
        return "the form has too many fields";
    form->fields[form->count].name = field;
    form->fields[form->count].value = value;
    form->count++;
    return NULL;
}

const char *form_parse(const void *data, size_t len, struct form *form)
{
    const char *why = NULL;
    char *rest;

    *form = (struct form){0};
    if (len == 0)
        return NULL;
    if (memchr(data, '\0', len))
        return "the form has a NUL in it";
    form->memory = malloc(len + 1);
    if (!form->memory)
        return "the station is out of memory";
    memcpy(form->memory, data, len);
    form->memory[len] = '\0';
    rest = form->memory;
    while (rest && !why) {
        char *field = rest;
        rest = strchr(field, '&');
        if (rest)
            *rest++ = '\0';
        if (*field)
            why = add(form, field);
    }
    return why;
}

void form_clear(struct form *form)
{
    free(form->memory);
    *form = (struct form){0};
}

const char *form_get(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->fields[i].name, name) == 0)
            return form->fields[i].value;
    }
    return "";
}
