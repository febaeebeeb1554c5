/* SPDX-License-Identifier: Apache-2.0 */
/* Masks, all ones or all zeros, and choices by them, without a branch. */
#ifndef DEVID_CONSTANT_TIME_H
#define DEVID_CONSTANT_TIME_H

#include <stdint.h>

/* So that the compiler does not see what a mask is, and makes no branch. */
static inline uint32_t hide(uint32_t value)
{
    __asm__("" : "+r"(value));
    return value;
}

static inline uint32_t is_zero(uint32_t a)
{
    return 0U - (hide(~a & (a - 1)) >> 31);
}

static inline uint32_t is_equal(uint32_t a, uint32_t b)
{
    return is_zero(a ^ b);
}

/* Of numbers below 2^31. */
static inline uint32_t is_less(uint32_t a, uint32_t b)
{
    return 0U - (hide(a - b) >> 31);
}

static inline uint32_t choose(uint32_t mask, uint32_t yes, uint32_t no)
{
    return (hide(mask) & yes) | (~hide(mask) & no);
}

#endif
