/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes, chance, and the changes that know nothing of what they change. */
#include "mutate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPAN_MAX 64

void die(const char *format, ...)
{
    va_list args;

    (void)fputs("mutate: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(2);
}

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
 * generators, 2014). */
static uint64_t next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9E3779B97F4A7C15U;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

struct rng rng_new(uint64_t seed, uint64_t number)
{
    struct rng rng = {seed};

    rng.state = next(&rng) ^ number;
    (void)next(&rng);
    return rng;
}

size_t rng_below(struct rng *rng, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(next(rng) % limit);
}

struct bytes bytes_new(const void *data, size_t len)
{
    struct bytes bytes = {malloc(len + 1), len};

    if (bytes.data == NULL)
        die("out of memory");
    if (data != NULL)
        memcpy(bytes.data, data, len);
    else
        memset(bytes.data, 0, len);
    return bytes;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    bytes->data = NULL;
    bytes->len = 0;
}

void bytes_splice(struct bytes *bytes, size_t at, size_t removed,
                  const void *data, size_t len)
{
    struct bytes to = bytes_new(NULL, bytes->len - removed + len);

    memcpy(to.data, bytes->data, at);
    if (len > 0)
        memcpy(to.data + at, data, len);
    memcpy(to.data + at + len, bytes->data + at + removed,
           bytes->len - at - removed);
    bytes_free(bytes);
    *bytes = to;
}

/* ---- changes --------------------------------------------------------- */

static void flip_bit(struct bytes *file, struct rng *rng)
{
    if (file->len > 0)
        file->data[rng_below(rng, file->len)] ^=
            (uint8_t)(1U << rng_below(rng, 8));
}

static void set_byte(struct bytes *file, struct rng *rng)
{
    static const uint8_t values[] = {0x00, 0x01, 0x7F, 0x80, 0xFF,
                                     '\n', '\r', ' ',  '-',  '='};
    size_t n = rng_below(rng, 2 * sizeof(values));
    uint8_t value =
        n < sizeof(values) ? values[n] : (uint8_t)rng_below(rng, 256);

    if (file->len > 0)
        file->data[rng_below(rng, file->len)] = value;
}

static void truncate_end(struct bytes *file, struct rng *rng)
{
    file->len = rng_below(rng, file->len + 1);
}

/* A span that starts at *at and does not pass the end. */
static size_t pick_span(const struct bytes *file, struct rng *rng, size_t *at)
{
    size_t len = rng_below(rng, SPAN_MAX) + 1;

    *at = rng_below(rng, file->len + 1);
    return len > file->len - *at ? file->len - *at : len;
}

static void cut_span(struct bytes *file, struct rng *rng)
{
    size_t at;
    size_t len = pick_span(file, rng, &at);

    bytes_splice(file, at, len, NULL, 0);
}

static void repeat_span(struct bytes *file, struct rng *rng)
{
    size_t at;
    size_t len = pick_span(file, rng, &at);
    struct bytes span = bytes_new(file->data + at, len);

    bytes_splice(file, rng_below(rng, file->len + 1), 0, span.data, len);
    bytes_free(&span);
}

static void insert_bytes(struct bytes *file, struct rng *rng)
{
    uint8_t data[SPAN_MAX];
    size_t len = rng_below(rng, SPAN_MAX) + 1;

    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)rng_below(rng, 256);
    bytes_splice(file, rng_below(rng, file->len + 1), 0, data, len);
}

const struct mutation raw_mutations[] = {
    {"flip-bit", flip_bit},
    {"set-byte", set_byte},
    {"truncate", truncate_end},
    {"cut-span", cut_span},
    {"repeat-span", repeat_span},
    {"insert-bytes", insert_bytes},
    {NULL, NULL},
};
