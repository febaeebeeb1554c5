/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include <string.h>

static const uint8_t *rest;
static size_t left;

void answers_begin(const uint8_t *data, size_t size)
{
    rest = data;
    left = size;
}

size_t answers_left(void)
{
    return left;
}

void answers_take(void *out, size_t size)
{
    size_t got = size < left ? size : left;

    if (size == 0)
        return;
    memset(out, 0, size);
    if (got > 0)
        memcpy(out, rest, got);
    rest += got;
    left -= got;
}

uint8_t answers_byte(void)
{
    uint8_t byte;

    answers_take(&byte, 1);
    return byte;
}
