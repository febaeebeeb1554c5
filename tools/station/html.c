/* SPDX-License-Identifier: Apache-2.0 */
#include "html.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "utf8.h"

/* What could not be written shows at the end of who has opened `out`. */
static void put(FILE *out, const char *text)
{
    (void)fputs(text, out);
}

/* ---- text -------------------------------------------------------------- */

/* A name that turns the direction of text would show as another name. */
static bool turns_text(const unsigned char *at, size_t len)
{
    return len == 3 && at[0] == 0xe2 &&
           ((at[1] == 0x80 && ((at[2] >= 0xaa && at[2] <= 0xae) ||
                               at[2] == 0x8e || at[2] == 0x8f)) ||
            (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9));
}

static void escape_one(FILE *out, char c)
{
    switch (c) {
    case '&':
        put(out, "&amp;");
        break;
    case '<':
        put(out, "&lt;");
        break;
    case '>':
        put(out, "&gt;");
        break;
    case '"':
        put(out, "&quot;");
        break;
    case '\'':
        put(out, "&#39;");
        break;
    default:
        (void)putc(c, out);
        break;
    }
}

static void escape(FILE *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)(text ? text : "");

    while (*at) {
        size_t len = utf8_len(at);
        if (len == 0 || turns_text(at, len))
            put(out, "\xef\xbf\xbd");
        else if (len == 1)
            escape_one(out, (char)*at);
        else
            (void)fwrite(at, 1, len, out);
        at += len ? len : 1;
    }
}

void html_query(FILE *out, const char *value)
{
    for (const unsigned char *at = (const unsigned char *)value; *at; at++) {
        if ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
            (*at >= '0' && *at <= '9') || strchr("-._~", *at))
            (void)putc(*at, out);
        else
            (void)fprintf(out, "%%%02X", *at);
    }
}

/* ---- numbers ----------------------------------------------------------- */

enum {
    SPEC_MAX = 15
};

/* A conversion as it stands in a format: "%05.1f", "%llu". */
struct spec {
    char text[SPEC_MAX + 1];
    unsigned longs; /* l */
    bool size;      /* z */
    char kind;      /* '\0': none that is known here */
};

/* Returns what stands behind it; `at` points behind the %. */
static const char *read_spec(const char *at, struct spec *spec)
{
    size_t len = 0;

    *spec = (struct spec){.text = "%"};
    len = 1;
    for (; *at && strchr("-+ 0123456789.lz", *at); at++) {
        spec->longs += *at == 'l';
        spec->size = spec->size || *at == 'z';
        if (len < SPEC_MAX - 1)
            spec->text[len++] = *at;
    }
    if (!*at)
        return at;
    spec->kind = *at;
    spec->text[len] = *at;
    return at + 1;
}

/* Their formats are pieces of one that the compiler has checked. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void put_number(FILE *out, const struct spec *spec, va_list *values)
{
    bool is_signed = spec->kind == 'd';

    if (spec->size)
        (void)fprintf(out, spec->text, va_arg(*values, size_t));
    else if (spec->longs == 0 && is_signed)
        (void)fprintf(out, spec->text, va_arg(*values, int));
    else if (spec->longs == 0)
        (void)fprintf(out, spec->text, va_arg(*values, unsigned));
    else if (spec->longs == 1)
        (void)fprintf(out, spec->text, va_arg(*values, unsigned long));
    else
        (void)fprintf(out, spec->text, va_arg(*values, unsigned long long));
}

static void put_value(FILE *out, const struct spec *spec, va_list *values)
{
    switch (spec->kind) {
    case 's':
        escape(out, va_arg(*values, const char *));
        break;
    case 'c':
        escape_one(out, (char)va_arg(*values, int));
        break;
    case '%':
        (void)putc('%', out);
        break;
    case 'd':
    case 'u':
    case 'x':
        put_number(out, spec, values);
        break;
    case 'f':
        (void)fprintf(out, spec->text, va_arg(*values, double));
        break;
    default:
        break;
    }
}

#pragma GCC diagnostic pop

void html_print(FILE *out, const char *format, ...)
{
    struct spec spec;
    va_list values;

    va_start(values, format);
    while (*format) {
        if (*format != '%') {
            (void)putc(*format++, out);
            continue;
        }
        format = read_spec(format + 1, &spec);
        put_value(out, &spec, &values);
    }
    va_end(values);
}
