/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

enum {
    FILE_MODE = 0600,
    TRIES = 100
};

#define TEMPORARY_SIZE sizeof(".devid-0123456789abcdef")

static int open_directory(const char *path, const char *name)
{
    char *directory;
    int fd;

    if (name == path)
        return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* With its slash, so that "/key.pem" is in "/". */
    directory = strndup(path, (size_t)(name - path));
    if (!directory)
        die_no_memory();
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    return fd;
}

static enum exit_code look_at_target(const struct output *out)
{
    struct stat info;

    if (fstatat(out->directory, out->name, &info, AT_SYMLINK_NOFOLLOW)) {
        if (errno == ENOENT)
            return EXIT_DONE;
        return fail("%s cannot be written: %s", out->path, strerror(errno));
    }
    if (S_ISLNK(info.st_mode))
        return fail("%s is a symbolic link, and devid writes through none; "
                    "name the file itself, or - for standard output",
                    out->path);
    if (!S_ISREG(info.st_mode))
        return fail("%s is not an ordinary file; name a file, or - for "
                    "standard output",
                    out->path);
    if (!out->force)
        return fail("%s exists; choose another name, or give --force to "
                    "overwrite it",
                    out->path);
    return EXIT_DONE;
}

/* Make an empty file of a new name beside the target. */
static int open_temporary(const struct output *out,
                          char temporary[TEMPORARY_SIZE])
{
    for (int i = 0; i < TRIES; i++) {
        uint64_t random;
        int fd;
        if (RAND_bytes((unsigned char *)&random, sizeof(random)) != 1) {
            errno = EIO;
            return -1;
        }
        snprintf(temporary, TEMPORARY_SIZE, ".devid-%016llx",
                 (unsigned long long)random);
        fd = openat(out->directory, temporary,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    FILE_MODE);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static enum exit_code try_directory(const struct output *out)
{
    char temporary[TEMPORARY_SIZE];
    int fd = open_temporary(out, temporary);

    if (fd < 0)
        return fail("%s cannot be written: no new file can be made in its "
                    "directory: %s",
                    out->path, strerror(errno));
    /* Gone again at once, so that nothing stays where the user stops us. */
    unlinkat(out->directory, temporary, 0);
    close(fd);
    return EXIT_DONE;
}

enum exit_code output_open(struct output *out, const char *path, bool force)
{
    const char *slash = strrchr(path, '/');
    enum exit_code code;

    *out = (struct output){.path = path,
                           .name = slash ? slash + 1 : path,
                           .directory = -1,
                           .force = force,
                           .mode = FILE_MODE};
    if (strcmp(path, "-") == 0)
        return EXIT_DONE;
    if (*out->name == '\0')
        return fail("'%s' is not the name of a file", path);
    out->directory = open_directory(path, out->name);
    if (out->directory < 0)
        return fail("%s cannot be written: its directory cannot be opened: %s",
                    path, strerror(errno));
    code = look_at_target(out);
    if (code == EXIT_DONE)
        code = try_directory(out);
    if (code != EXIT_DONE)
        output_close(out);
    return code;
}

static bool write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t written = write(fd, at, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        at += written;
        len -= (size_t)written;
    }
    return true;
}

static bool give_to_owner(const struct output *out, int fd)
{
    struct stat info;

    if (!out->inherit || geteuid() != 0)
        return true;
    return fstat(out->directory, &info) == 0 &&
           fchown(fd, info.st_uid, info.st_gid) == 0;
}

/* Close what was written; false, with errno, where any step fails. */
static bool write_and_close(const struct output *out, int fd, const void *data,
                            size_t len)
{
    /* The umask may have taken rights away from the owner. */
    bool ok = write_all(fd, data, len) && give_to_owner(out, fd) &&
              fchmod(fd, out->mode) == 0 && fsync(fd) == 0;
    int saved = errno;

    if (close(fd) && ok)
        return false;
    errno = saved;
    return ok;
}

/* Give the temporary file its name, in one step that cannot overwrite. */
static bool put_in_place(const struct output *out, const char *temporary)
{
    int directory = out->directory;

    if (out->force)
        return renameat(directory, temporary, directory, out->name) == 0;
    if (renameat2(directory, temporary, directory, out->name,
                  RENAME_NOREPLACE) == 0)
        return true;
    /* A file system that does not know this flag: NFS and older ones. */
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (linkat(directory, temporary, directory, out->name, 0))
        return false;
    return unlinkat(directory, temporary, 0) == 0;
}

static enum exit_code write_standard_output(const void *data, size_t len)
{
    if (fflush(stdout) || !write_all(STDOUT_FILENO, data, len))
        return fail("standard output cannot be written: %s", strerror(errno));
    return EXIT_DONE;
}

enum exit_code output_write(const struct output *out, const void *data,
                            size_t len)
{
    char temporary[TEMPORARY_SIZE];
    int fd;

    if (out->directory < 0)
        return write_standard_output(data, len);
    fd = open_temporary(out, temporary);
    if (fd < 0)
        return fail("%s cannot be written: %s", out->path, strerror(errno));
    if (!write_and_close(out, fd, data, len) || !put_in_place(out, temporary)) {
        int reason = errno;
        unlinkat(out->directory, temporary, 0);
        return fail("%s cannot be written: %s", out->path, strerror(reason));
    }
    /*
     * The name is to survive a power cut as well. Where it may not, the file
     * is there all the same, and its key must not be taken back.
     */
    if (fsync(out->directory) && errno != EINVAL)
        note("%s is not yet safe on disk: %s", out->path, strerror(errno));
    return EXIT_DONE;
}

enum exit_code output_write_key(const struct output *out,
                                const struct devid_key *key)
{
    struct devid_error err;
    char *pem = NULL;
    size_t len = 0;
    enum exit_code code;

    if (devid_key_to_pem(key, &pem, &len, &err))
        code = fail_engine(&err);
    else
        code = output_write(out, pem, len);
    OPENSSL_free(pem);
    return code;
}

void output_close(struct output *out)
{
    if (out->directory >= 0)
        close(out->directory);
    out->directory = -1;
}
