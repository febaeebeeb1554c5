/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devid.h"
#include "message.h"

enum {
    KEY_MAX = 1 << 16
};

/* Returns the bytes read, at most `size`; -1 with errno. */
static ssize_t read_up_to(int fd, char *data, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t got = read(fd, data + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

enum exit_code input_read_into(const char *path, char *data, size_t size,
                               size_t *len)
{
    bool standard = strcmp(path, "-") == 0;
    enum exit_code code = EXIT_DONE;
    ssize_t got;
    int fd;

    *len = 0;
    fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail("%s cannot be read: %s", path, strerror(errno));
    got = read_up_to(fd, data, size);
    if (got < 0)
        code = fail("%s cannot be read: %s", standard ? "standard input" : path,
                    strerror(errno));
    else
        *len = (size_t)got;
    if (!standard)
        close(fd);
    return code;
}

/* A whole file in `buffer`, which has room for a NUL behind `max` bytes. */
static enum exit_code read_whole(const char *path, char *buffer, size_t max,
                                 size_t *len)
{
    enum exit_code code = input_read_into(path, buffer, max + 1, len);

    if (code != EXIT_DONE)
        return code;
    if (*len > max)
        return fail("%s is larger than %zu bytes: no key or certificate",
                    strcmp(path, "-") == 0 ? "standard input" : path, max);
    buffer[*len] = '\0';
    return EXIT_DONE;
}

enum exit_code input_read(const char *path, char **data, size_t *len)
{
    char *buffer = OPENSSL_malloc(INPUT_MAX + 1);
    enum exit_code code;

    *data = NULL;
    if (!buffer)
        die_no_memory();
    code = read_whole(path, buffer, INPUT_MAX, len);
    if (code == EXIT_DONE) {
        *data = buffer;
        return code;
    }
    OPENSSL_clear_free(buffer, INPUT_MAX + 1);
    *len = 0;
    return code;
}

enum exit_code input_read_key(const char *path, char **data, size_t *len)
{
    char *buffer = devid_locked_new(KEY_MAX + 1);
    enum exit_code code;

    *data = NULL;
    if (!buffer)
        die_no_memory();
    code = read_whole(path, buffer, KEY_MAX, len);
    if (code != EXIT_DONE)
        input_free_key(&buffer);
    *data = buffer;
    return code;
}

void input_free_key(char **data)
{
    void *memory = *data;

    devid_locked_free(&memory, KEY_MAX + 1);
    *data = NULL;
}
