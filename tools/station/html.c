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

/* A conversion as it stands in a format: "%.1f", "%llu". */
struct spec {
    unsigned longs; /* l */
    bool size;      /* z: as wide as a long, wherever this runs */
    int places;     /* of f */
    char kind;      /* '\0': none that is known here */
};
_Static_assert(sizeof(size_t) == sizeof(unsigned long), "z is not l");

/* Returns what stands behind it; `at` points behind the %. */
static const char *read_spec(const char *at, struct spec *spec)
{
    *spec = (struct spec){.places = 6};
    for (; *at && strchr(".0123456789lz", *at); at++) {
        spec->longs += *at == 'l';
        spec->size = spec->size || *at == 'z';
        if (*at >= '0' && *at <= '9')
            spec->places = *at - '0';
    }
    if (!*at)
        return at;
    spec->kind = *at;
    return at + 1;
}

static void put_signed(FILE *out, const struct spec *spec, va_list *values)
{
    long long value = spec->longs == 0   ? (long long)va_arg(*values, int)
                      : spec->longs == 1 ? (long long)va_arg(*values, long)
                                         : va_arg(*values, long long);

    (void)fprintf(out, "%lld", value);
}

static void put_unsigned(FILE *out, const struct spec *spec, va_list *values)
{
    unsigned longs = spec->size ? 1 : spec->longs;
    unsigned long long value =
        longs == 0   ? (unsigned long long)va_arg(*values, unsigned)
        : longs == 1 ? (unsigned long long)va_arg(*values, unsigned long)
                     : va_arg(*values, unsigned long long);

    (void)fprintf(out, "%llu", value);
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
        put_signed(out, spec, values);
        break;
    case 'u':
        put_unsigned(out, spec, values);
        break;
    case 'f':
        (void)fprintf(out, "%.*f", spec->places, va_arg(*values, double));
        break;
    default:
        break;
    }
}

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
