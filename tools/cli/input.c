/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

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

static enum exit_code read_descriptor(int fd, const char *path, char **data,
                                      size_t *len)
{
    char *buffer = OPENSSL_malloc(INPUT_MAX + 1);
    ssize_t got;

    if (!buffer)
        die_no_memory();
    got = read_up_to(fd, buffer, INPUT_MAX + 1);
    if (got >= 0 && got <= INPUT_MAX) {
        buffer[got] = '\0';
        *data = buffer;
        *len = (size_t)got;
        return EXIT_DONE;
    }
    OPENSSL_clear_free(buffer, INPUT_MAX + 1);
    if (got < 0)
        return fail("%s cannot be read: %s", path, strerror(errno));
    return fail("%s is larger than %d bytes: no key or certificate", path,
                (int)INPUT_MAX);
}

enum exit_code input_read(const char *path, char **data, size_t *len)
{
    enum exit_code code;
    int fd;

    *data = NULL;
    *len = 0;
    if (strcmp(path, "-") == 0)
        return read_descriptor(STDIN_FILENO, "standard input", data, len);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail("%s cannot be read: %s", path, strerror(errno));
    code = read_descriptor(fd, path, data, len);
    close(fd);
    return code;
}
