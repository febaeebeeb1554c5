/* SPDX-License-Identifier: Apache-2.0 */
#include "as_file.h"

#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static char folder[] = "/tmp/devid-fuzz.XXXXXX";
static char link_path[sizeof(folder) + 64];

const char *fuzz_as_file(int which, const uint8_t *data, size_t size)
{
    static struct {
        int fd;
        char path[64];
    } files[FUZZ_FILES];
    int fd = files[which].fd;

    if (fd == 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        must(fd > 0);
        files[which].fd = fd;
        (void)snprintf(files[which].path, sizeof(files[which].path),
                       "/proc/%ld/fd/%d", (long)getpid(), fd);
    }
    must(ftruncate(fd, 0) == 0);
    must(size == 0 || pwrite(fd, data, size, 0) == (ssize_t)size);
    return files[which].path;
}

static void remove_folder(void)
{
    (void)unlink(link_path);
    (void)rmdir(folder);
}

const char *fuzz_as_folder(const char *name, const uint8_t *data, size_t size)
{
    const char *path = fuzz_as_file(0, data, size);

    if (link_path[0] != '\0')
        return folder;
    must(mkdtemp(folder) != NULL);
    (void)snprintf(link_path, sizeof(link_path), "%s/%s", folder, name);
    must(symlink(path, link_path) == 0);
    must(atexit(remove_folder) == 0);
    return folder;
}

void fuzz_silence_output(void)
{
    static int silent;

    if (silent)
        return;
    must(freopen("/dev/null", "w", stdout) != NULL);
    silent = 1;
}
