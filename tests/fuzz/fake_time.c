/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of engine/wait.c: whoever waits has waited. */
#include "wait.h"

static uint64_t now_ms = 1000;

uint64_t devid_now_ms(void)
{
    return now_ms++;
}

unsigned devid_jittered_us(unsigned ms)
{
    return ms * 1000u;
}

void devid_sleep_jittered(unsigned ms)
{
    now_ms += ms;
}
