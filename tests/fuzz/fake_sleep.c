/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of libc's: whoever sleeps has slept, and it is later then. But
 * for the fuzzer's own thread, which watches over memory. */
#include <time.h>
#include <unistd.h>

/* libcrypto is to find them as well. */
#pragma GCC visibility push(default)
int nanosleep(const struct timespec *pause, struct timespec *left);
int usleep(useconds_t useconds);
unsigned sleep(unsigned seconds);
time_t time(time_t *out);
#pragma GCC visibility pop

static time_t slept;

static void sleep_for(time_t seconds, long rest)
{
    const struct timespec pause = {seconds, rest};

    if (gettid() == getpid())
        slept += seconds + (rest > 0);
    else
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

unsigned sleep(unsigned seconds)
{
    sleep_for((time_t)seconds, 0);
    return 0;
}

int nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)left;
    sleep_for(pause->tv_sec, pause->tv_nsec);
    return 0;
}

int usleep(useconds_t useconds)
{
    sleep_for((time_t)(useconds / 1000000), (long)(useconds % 1000000) * 1000);
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now = {0, 0};
    time_t then;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    then = now.tv_sec + slept;
    if (out != NULL)
        *out = then;
    return then;
}
