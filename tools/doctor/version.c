/* SPDX-License-Identifier: Apache-2.0 */
#include "version.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers and dots ---------------------------------------------------- */

static unsigned long long next_number(const char **at)
{
    char *end = NULL;
    unsigned long long number = strtoull(*at, &end, 10);

    *at = *end == '.' ? end + 1 : end + strlen(end);
    return number;
}

int version_compare(const char *a, const char *b)
{
    while (*a || *b) {
        unsigned long long x = next_number(&a);
        unsigned long long y = next_number(&b);

        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

bool version_begins(const char *version, const char *part)
{
    while (*part) {
        if (!*version || next_number(&version) != next_number(&part))
            return false;
    }
    return true;
}

bool version_in(const char *version, const json_t *ranges)
{
    const json_t *range;
    size_t i;

    json_array_foreach(ranges, i, range)
    {
        const char *is = json_string_value(json_object_get(range, "is"));
        const char *from = json_string_value(json_object_get(range, "from"));
        const char *below = json_string_value(json_object_get(range, "below"));

        if (is) {
            if (version_begins(version, is))
                return true;
            continue;
        }
        if ((!from || version_compare(version, from) >= 0) &&
            (!below || version_compare(version, below) < 0))
            return true;
    }
    return false;
}

/* ---- Debian's ------------------------------------------------------------ */

/* Letters before other characters, a tilde before the end itself. */
static int weight(char c)
{
    if (c == '~')
        return -1;
    if (c == '\0' || isdigit((unsigned char)c))
        return 0;
    if (isalpha((unsigned char)c))
        return c;
    return c + 256;
}

/* The parts up to `a_end` and `b_end`, in turn as text and as number. */
static int compare_part(const char *a, size_t a_len, const char *b,
                        size_t b_len)
{
    char x[128];
    char y[128];
    const char *p = x;
    const char *q = y;

    (void)snprintf(x, sizeof(x), "%.*s", (int)a_len, a);
    (void)snprintf(y, sizeof(y), "%.*s", (int)b_len, b);
    while (*p || *q) {
        unsigned long long m;
        unsigned long long n;
        char *end = NULL;

        while ((*p && !isdigit((unsigned char)*p)) ||
               (*q && !isdigit((unsigned char)*q))) {
            int difference = weight(*p) - weight(*q);

            if (difference != 0)
                return difference;
            p += *p != '\0';
            q += *q != '\0';
        }
        m = strtoull(p, &end, 10);
        p = end;
        n = strtoull(q, &end, 10);
        q = end;
        if (m != n)
            return m < n ? -1 : 1;
    }
    return 0;
}

struct deb_version {
    unsigned long long epoch;
    const char *upstream;
    size_t upstream_len;
    const char *revision; /* "" where there is none */
};

static struct deb_version split(const char *version)
{
    struct deb_version parts = {0};
    const char *colon = strchr(version, ':');
    const char *dash;

    if (colon) {
        parts.epoch = strtoull(version, NULL, 10);
        version = colon + 1;
    }
    dash = strrchr(version, '-');
    parts.upstream = version;
    parts.upstream_len = dash ? (size_t)(dash - version) : strlen(version);
    parts.revision = dash ? dash + 1 : "";
    return parts;
}

int deb_version_compare(const char *a, const char *b)
{
    struct deb_version x = split(a);
    struct deb_version y = split(b);
    int difference;

    if (x.epoch != y.epoch)
        return x.epoch < y.epoch ? -1 : 1;
    difference =
        compare_part(x.upstream, x.upstream_len, y.upstream, y.upstream_len);
    if (difference != 0)
        return difference;
    return compare_part(x.revision, strlen(x.revision), y.revision,
                        strlen(y.revision));
}

void deb_version_upstream(const char *version, char *text, size_t size)
{
    struct deb_version parts = split(version);

    (void)snprintf(text, size, "%.*s", (int)parts.upstream_len, parts.upstream);
}

/* ---- firmware ------------------------------------------------------------ */

void firmware_version(uint32_t v1, uint32_t v2, const json_t *widths,
                      char *text, size_t size)
{
    static const unsigned usual[] = {16, 16, 16, 16};
    uint64_t rest = (uint64_t)v1 << 32 | v2;
    size_t count = json_is_array(widths) ? json_array_size(widths) : 4;
    size_t used = 0;

    *text = '\0';
    for (size_t i = 0; i < count; i++) {
        json_int_t given = json_integer_value(json_array_get(widths, i));
        unsigned bits = json_is_array(widths) ? (unsigned)given : usual[i % 4];
        int n;

        if (bits == 0 || bits > 32)
            return;
        n = snprintf(text + used, size - used, "%s%" PRIu64, i > 0 ? "." : "",
                     rest >> (64 - bits));
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
        rest <<= bits;
    }
}
