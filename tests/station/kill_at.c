/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: the process is killed at the DEVID_KILL_AT-th of the moments
 * at which a kill makes a difference to what a database has: before and after
 * each fsync or fdatasync, and on a Unix socket, as libpq uses it, after each
 * send: what was sent is done, and nobody hears of it. Where DEVID_KILL_ARMED
 * names a file they count from when it is there.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void moment(void)
{
    static atomic_int count;
    const char *at = getenv("DEVID_KILL_AT");
    const char *armed = getenv("DEVID_KILL_ARMED");

    if (armed && access(armed, F_OK))
        return;
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

static bool is_unix(int fd)
{
    int domain = 0;
    socklen_t len = sizeof(domain);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
           domain == AF_UNIX;
}

__attribute__((visibility("default"))) ssize_t send(int fd, const void *data,
                                                    size_t len, int flags)
{
    ssize_t (*real)(int, const void *, size_t, int) = NULL;
    void *found = dlsym(RTLD_NEXT, "send");
    ssize_t sent;

    memcpy(&real, &found, sizeof(real));
    sent = real(fd, data, len, flags);
    if (is_unix(fd))
        moment();
    return sent;
}
