/* SPDX-License-Identifier: Apache-2.0 */
/* Time, and waiting for a device that others are using. */
#include "wait.h"

#include <time.h>
#include <unistd.h>

uint64_t devid_now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

unsigned devid_jittered_us(unsigned ms)
{
    struct timespec ts;
    unsigned us = ms * 500u;
    unsigned char noise = 0;

    /* getpid alone would do: this only has to differ between processes. */
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    noise = (unsigned char)((unsigned long)ts.tv_nsec / 64u +
                            (unsigned long)getpid());
    return us + us / 255u * noise;
}

void devid_sleep_jittered(unsigned ms)
{
    struct timespec ts = {.tv_nsec = (long)devid_jittered_us(ms) * 1000L};

    (void)nanosleep(&ts, NULL); /* shorter where a signal comes: no harm */
}
