/* SPDX-License-Identifier: Apache-2.0 */
#include "html.h"

#include <stdarg.h>

/* What could not be written shows at the end of main. */
static void escape(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            (void)fputs("&amp;", out);
            break;
        case '<':
            (void)fputs("&lt;", out);
            break;
        case '>':
            (void)fputs("&gt;", out);
            break;
        case '"':
            (void)fputs("&quot;", out);
            break;
        case '\'':
            (void)fputs("&#39;", out);
            break;
        default:
            (void)putc(*text, out);
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
            (void)putc(*format, out);
            continue;
        }
        format++;
        if (*format == 's')
            escape(out, va_arg(values, const char *));
        else if (*format == 'd')
            (void)fprintf(out, "%d", va_arg(values, int));
        else if (*format == '%')
            (void)putc('%', out);
        if (*format == '\0')
            break;
    }
    va_end(values);
}
