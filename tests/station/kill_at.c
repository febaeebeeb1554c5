/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: the process is killed at the DEVID_KILL_AT-th of the moments
 * before and after each fsync or fdatasync, where a power cut would make a
 * difference.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void moment(void)
{
    static atomic_int count;
    const char *at = getenv("DEVID_KILL_AT");

    if (at && atomic_fetch_add(&count, 1) + 1 == (int)strtol(at, NULL, 10))
        (void)raise(SIGKILL);
}

static int sync_by(const char *name, int fd)
{
    int (*real)(int) = NULL;
    void *found = dlsym(RTLD_NEXT, name);
    int result;

    memcpy(&real, &found, sizeof(real));
    moment();
    result = real(fd);
    moment();
    return result;
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    return sync_by("fsync", fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    return sync_by("fdatasync", fd);
}
