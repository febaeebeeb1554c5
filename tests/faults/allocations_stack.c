/* SPDX-License-Identifier: Apache-2.0 */
/* Where a process is: who asked OpenSSL for what it has no memory for. */
#include "allocations.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    FRAMES_MAX = 96
};

static const char *file_of(const Dl_info *info)
{
    const char *slash =
        info->dli_fname != NULL ? strrchr(info->dli_fname, '/') : NULL;

    return slash != NULL ? slash + 1 : "?";
}

/*
 * Of the frames of OpenSSL's only those of functions that it exports have a
 * name, and the last of them, which somebody else has called, is one.
 */
void stack_entry(char *entry, size_t size)
{
    void *frames[FRAMES_MAX];
    const int count = backtrace(frames, FRAMES_MAX);
    const char *name = NULL;
    Dl_info info;

    (void)snprintf(entry, size, "?");
    for (int i = 0; i < count; i++) {
        /* A call may be the last of its function: the byte before it is not. */
        if (dladdr((const char *)frames[i] - 1, &info) == 0)
            continue;
        if (strncmp(file_of(&info), "libcrypto.", 10) == 0) {
            name = info.dli_sname != NULL ? info.dli_sname : "?";
        } else if (name != NULL) {
            (void)snprintf(
                entry, size, "%s by %s", name,
                strncmp(file_of(&info), "devid.", 6) == 0 ? "devid" : "others");
            return;
        }
    }
}

void stack_crashed(int signal_number)
{
    void *frames[FRAMES_MAX];

    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}
