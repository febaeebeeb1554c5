/* SPDX-License-Identifier: Apache-2.0 */
#include "html.h"

#include <stdarg.h>

static void escape(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            putc(*text, out);
            break;
        }
    }
}

void html_print(FILE *out, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    for (; *format; format++) {
        if (*format != '%') {
            putc(*format, out);
            continue;
        }
        format++;
        if (*format == 's')
            escape(out, va_arg(values, const char *));
        else if (*format == 'd')
            fprintf(out, "%d", va_arg(values, int));
        else if (*format == '%')
            putc('%', out);
        if (*format == '\0')
            break;
    }
    va_end(values);
}
