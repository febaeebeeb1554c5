/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "rights.h"

enum {
    FOLDER_MODE = 0755,
    FILE_MODE = 0644,
    NAME_SIZE = NAME_MAX + 1
};

struct folder {
    const char *path;        /* as the user has it; borrowed */
    int above;               /* the directory that it stands in, locked */
    char name[NAME_SIZE];    /* of the link */
    char current[NAME_SIZE]; /* of the version that it leads to; "" */
};

static enum exit_code failed(const struct folder *f, const char *doing)
{
    return fail("the folder %s cannot be %s: %s", f->path, doing,
                strerror(errno));
}

/* ---- open ---------------------------------------------------------------- */

/* As mkdir -p does. */
static bool make_directories(char *path)
{
    for (char *at = path + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        bool made = rights_mkdir_open(path) == 0 || errno == EEXIST;
        *at = '/';
        if (!made)
            return false;
    }
    return rights_mkdir_open(path) == 0 || errno == EEXIST;
}

/* The number of a version by its name, or 0: it is none. */
static unsigned long version_of(const struct folder *f, const char *name)
{
    size_t len = strlen(f->name);
    const char *digits = name + len + 1;

    if (strncmp(name, f->name, len) != 0 || name[len] != '.' ||
        *digits == '0' || *digits == '\0' ||
        strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 9)
        return 0;
    return strtoul(digits, NULL, 10);
}

/* What the path is now: a link to a version, or nothing. */
static enum exit_code read_link(struct folder *f)
{
    ssize_t len =
        readlinkat(f->above, f->name, f->current, sizeof(f->current) - 1);

    if (len < 0 && errno == ENOENT)
        return EXIT_DONE;
    if (len < 0)
        return fail("%s is there and is no folder of devid's, which is a "
                    "symbolic link to a version of it: move it away, or name "
                    "another folder",
                    f->path);
    f->current[len] = '\0';
    if (version_of(f, f->current) != 0)
        return EXIT_DONE;
    return fail("%s is a symbolic link to %s, which devid has not made: name "
                "another folder",
                f->path, f->current);
}

static enum exit_code folder_open(struct folder *f, const char *path, bool make)
{
    char above[PATH_MAX];
    size_t len = strlen(path);
    const char *slash;

    *f = (struct folder){.path = path, .above = -1};
    while (len > 1 && path[len - 1] == '/')
        len--;
    slash = memrchr(path, '/', len);
    if (len == 0 || len >= sizeof(above) || slash == path + len - 1 ||
        (size_t)snprintf(f->name, sizeof(f->name) - 12, "%.*s",
                         (int)(slash ? path + len - slash - 1 : (long)len),
                         slash ? slash + 1 : path) >= sizeof(f->name) - 12)
        return fail("'%s' is not the path of a folder", path);
    (void)snprintf(above, sizeof(above), "%.*s",
                   slash ? (int)(slash - path) + (slash == path) : 1,
                   slash ? path : ".");
    if (make && !make_directories(above))
        return failed(f, "made");
    f->above = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->above < 0)
        return errno == ENOENT && !make ? EXIT_DONE : failed(f, "opened");
    if (flock(f->above, LOCK_EX) != 0)
        return failed(f, "locked");
    return read_link(f);
}

static void folder_close(struct folder *f)
{
    if (f->above >= 0)
        (void)close(f->above); /* read only: nothing to lose */
}

/* ---- compare ------------------------------------------------------------- */

static bool holds(int version, const struct folder_file *file)
{
    int fd = openat(version, file->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char *data = malloc(file->len + 1);
    size_t len = 0;
    ssize_t got = 0;
    bool same;

    if (data == NULL)
        die_no_memory();
    while (fd >= 0 && len <= file->len &&
           (got = read(fd, data + len, file->len + 1 - len)) > 0)
        len += (size_t)got;
    same = fd >= 0 && got == 0 && len == file->len &&
           memcmp(data, file->data, len) == 0;
    free(data);
    if (fd >= 0)
        (void)close(fd); /* read only */
    return same;
}

static bool is_current(const struct folder *f, const struct folder_file *files,
                       size_t count)
{
    int version;
    bool same = true;

    if (*f->current == '\0')
        return false;
    version = openat(f->above, f->current,
                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (version < 0)
        return false;
    for (size_t i = 0; same && i < count; i++)
        same = holds(version, &files[i]);
    (void)close(version); /* read only */
    return same;
}

/* ---- remove -------------------------------------------------------------- */

static bool remove_version(const struct folder *f, const char *name)
{
    int fd =
        openat(f->above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (dir == NULL)
        return false;
    while ((entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0); /* rmdir will tell */
    (void)closedir(dir);
    return unlinkat(f->above, name, AT_REMOVEDIR) == 0;
}

/* All versions but the current one. False, with errno: one stays. */
static bool remove_others(const struct folder *f)
{
    int fd = openat(f->above, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    bool ok = dir != NULL;

    while (ok && (entry = readdir(dir)) != NULL) {
        if (version_of(f, entry->d_name) != 0 &&
            strcmp(entry->d_name, f->current) != 0)
            ok = remove_version(f, entry->d_name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return ok;
}

enum exit_code folder_remove(const char *path)
{
    struct folder f;
    enum exit_code code = folder_open(&f, path, false);

    if (code == EXIT_DONE && f.above >= 0) {
        f.current[0] = '\0';
        if ((unlinkat(f.above, f.name, 0) != 0 && errno != ENOENT) ||
            !remove_others(&f) || fsync(f.above) != 0)
            code = failed(&f, "removed");
    }
    folder_close(&f);
    return code;
}

/* ---- replace ------------------------------------------------------------- */

static bool write_file(int version, const struct folder_file *file)
{
    int fd =
        openat(version, file->name,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    size_t done = 0;
    bool ok = fd >= 0;

    while (ok && done < file->len) {
        ssize_t wrote = write(fd, file->data + done, file->len - done);

        ok = wrote > 0 || (wrote < 0 && errno == EINTR);
        if (wrote > 0)
            done += (size_t)wrote;
    }
    /* The umask may have taken rights away. */
    ok = ok && fchmod(fd, FILE_MODE) == 0 && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok;
}

static bool write_version(const struct folder *f, const char *name,
                          const struct folder_file *files, size_t count)
{
    int version;
    bool ok;

    if (mkdirat(f->above, name, FOLDER_MODE) != 0)
        return false;
    version =
        openat(f->above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    ok = version >= 0 && fchmod(version, FOLDER_MODE) == 0;
    for (size_t i = 0; ok && i < count; i++)
        ok = write_file(version, &files[i]);
    ok = ok && fsync(version) == 0;
    if (version >= 0)
        (void)close(version); /* read only */
    return ok;
}

/* rename() replaces a link in one step; symlink() does not. */
static bool switch_link(struct folder *f, const char *name)
{
    char link[NAME_SIZE + 8];

    (void)snprintf(link, sizeof(link), ".%s.new", f->name);
    if ((unlinkat(f->above, link, 0) != 0 && errno != ENOENT) ||
        symlinkat(name, f->above, link) != 0 || fsync(f->above) != 0 ||
        renameat(f->above, link, f->above, f->name) != 0)
        return false;
    memcpy(f->current, name, NAME_SIZE);
    return fsync(f->above) == 0;
}

enum exit_code folder_replace(const char *path, const struct folder_file *files,
                              size_t count, bool *changed)
{
    struct folder f;
    char name[NAME_SIZE];
    enum exit_code code = folder_open(&f, path, true);

    *changed = false;
    if (code == EXIT_DONE && !remove_others(&f))
        code = failed(&f, "tidied up");
    if (code == EXIT_DONE && !is_current(&f, files, count)) {
        (void)snprintf(
            name, sizeof(name), "%.*s.%lu", NAME_SIZE - 12, f.name,
            (*f.current ? version_of(&f, f.current) : 0) % 999999999 + 1);
        *changed = true;
        if (!write_version(&f, name, files, count) || !switch_link(&f, name) ||
            !remove_others(&f))
            code = failed(&f, "replaced");
    }
    folder_close(&f);
    return code;
}
