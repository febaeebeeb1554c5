/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devid doctor --root: files of a system that somebody else made, each up to a
 * NUL, in the order of the table. One that begins with @ is a symbolic link to
 * what follows.
 */
#include "fuzz.h"

#include "args.h"
#include "as_file.h"
#include "commands.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const files[] = {
    "etc/ssl/openssl.cnf",
    "etc/systemd/system/nginx.service",
    "etc/systemd/system/nginx.service.d/own.conf",
    "var/lib/dpkg/status",
    "etc/os-release",
    "etc/pkcs11/modules/own.module",
    "etc/nginx/nginx.conf",
    "etc/passwd",
    "etc/group",
    "dev/tpmrm0",
};

enum {
    FILES = sizeof(files) / sizeof(*files)
};

static void make_folders(int root, const char *path)
{
    char folder[PATH_MAX];

    for (const char *slash = strchr(path, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path),
                       path);
        (void)mkdirat(root, folder, 0755); /* most are there */
    }
}

static void make_link(int root, const char *path, const uint8_t *to, size_t len)
{
    char target[256];

    if (len == 0 || len >= sizeof(target))
        return;
    memcpy(target, to, len);
    target[len] = '\0';
    must(symlinkat(target, root, path) == 0);
}

static void make_file(int root, const char *path, const uint8_t *data,
                      size_t len)
{
    int fd;

    (void)unlinkat(root, path, 0);
    if (len > 0 && *data == '@') {
        make_link(root, path, data + 1, len - 1);
        return;
    }
    fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    must(fd >= 0);
    must(len == 0 || write(fd, data, len) == (ssize_t)len);
    must(close(fd) == 0);
}

static void make_root(const uint8_t *data, size_t size)
{
    int root = open(fuzz_own_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const uint8_t *end = data + size;

    must(root >= 0);
    for (size_t i = 0; i < FILES; i++) {
        const uint8_t *nul =
            data < end ? memchr(data, '\0', (size_t)(end - data)) : NULL;
        size_t len = (size_t)((nul != NULL ? nul : end) - data);

        make_folders(root, files[i]);
        make_file(root, files[i], data, len);
        data = nul != NULL ? nul + 1 : end;
    }
    must(close(root) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char words[][16] = {"doctor", "--root", "--advisories", "--json"};
    char root[64];
    char advisories[256] = FUZZ_ADVISORIES;
    char *argv[] = {words[0],   words[1], root, words[2],
                    advisories, words[3], NULL};
    struct args args;
    enum exit_code code;

    fuzz_silence_output();
    (void)unsetenv("DEVID_TCTI");
    (void)unsetenv("TPM2TOOLS_TCTI");
    make_root(data, size);
    (void)snprintf(root, sizeof(root), "%s", fuzz_own_folder());
    must(args_parse(&doctor_command, 6, argv, &args) == ARGS_RUN);
    code = doctor_command.run(&args);
    must(code == EXIT_DONE || code == EXIT_FAILED);
    args_clear(&args);
    must_leave_no_error();
    return 0;
}
