/* SPDX-License-Identifier: Apache-2.0 */
#include "as_file.h"

#include "fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/devid-fuzz.XXXXXX";
static char own_folder[64];
static char links[FUZZ_FILES][sizeof(folder) + 64];

const char *fuzz_as_file(int which, const uint8_t *data, size_t size)
{
    static struct {
        int fd;
        char path[64];
    } files[FUZZ_FILES];
    int fd = files[which].fd;

    if (fd == 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        must(fd > 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0);
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
    for (int i = 0; i < FUZZ_FILES; i++) {
        if (links[i][0] != '\0')
            (void)unlink(links[i]);
    }
    (void)rmdir(folder);
}

const char *fuzz_as_folder(int which, const char *name, const uint8_t *data,
                           size_t size)
{
    static int made;
    const char *path = fuzz_as_file(which, data, size);

    if (!made) {
        must(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
        made = 1;
    }
    if (links[which][0] == '\0') {
        (void)snprintf(links[which], sizeof(links[which]), "%s/%s", folder,
                       name);
        must(symlink(path, links[which]) == 0);
    }
    return folder;
}

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_own_folder(void)
{
    (void)nftw(own_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_own_folder(void)
{
    static int made;

    if (made)
        return own_folder;
    (void)snprintf(own_folder, sizeof(own_folder), "%s/devid-fuzz.XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(own_folder) != NULL && atexit(remove_own_folder) == 0);
    made = 1;
    return own_folder;
}

void fuzz_silence_output(void)
{
    static int silent;

    if (silent)
        return;
    must(freopen("/dev/null", "w", stdout) != NULL);
    silent = 1;
}
