/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of TPM commands that tpm-proxy writes.
 */
#include "command_log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <tss2/tss2_tpm2_types.h>

#include "commands.h"

enum {
    PREFIX_SIZE = 32
};

uint32_t get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

static int open_append(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

bool command_log_open(struct command_log *log, const char *path,
                      const char *raw_path)
{
    *log = (struct command_log){.fd = STDOUT_FILENO, .raw_fd = -1};
    if (path && (log->fd = open_append(path)) < 0)
        return false;
    if (raw_path && (log->raw_fd = open_append(raw_path)) < 0)
        return false;
    return true;
}

/* A log with holes would prove nothing, so a full disk ends the program. */
static void write_line(int fd, const char *line, size_t len)
{
    if (write(fd, line, len) != (ssize_t)len) {
        perror("tpm-proxy: cannot write the log");
        exit(EXIT_FAILURE);
    }
}

static void write_raw(const struct command_log *log, char direction,
                      const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char line[PREFIX_SIZE + 2 * TPM2_MAX_COMMAND_SIZE];
    size_t at;

    if (log->raw_fd < 0)
        return;
    at = (size_t)snprintf(line, PREFIX_SIZE, "%" PRIu64 " %c ", log->sequence,
                          direction);
    for (size_t i = 0; i < len; i++) {
        line[at++] = digits[bytes[i] >> 4];
        line[at++] = digits[bytes[i] & 0xf];
    }
    line[at++] = '\n';
    write_line(log->raw_fd, line, at);
}

static void write_result(const struct command_log *log, const char *result)
{
    const char *name = tpm_command_name(log->command);
    char number[16], line[128];
    struct timespec now;
    int len;

    (void)snprintf(number, sizeof(number), "0x%08" PRIx32, log->command);
    clock_gettime(CLOCK_REALTIME, &now);
    len = snprintf(line, sizeof(line), "%" PRIu64 " %lld.%06ld %s %s\n",
                   log->sequence, (long long)now.tv_sec, now.tv_nsec / 1000,
                   name ? name : number, result);
    write_line(log->fd, line, (size_t)len);
}

void command_log_request(struct command_log *log, const uint8_t *command,
                         size_t len)
{
    log->sequence++;
    log->command = get_u32(command + TPM_CODE_AT);
    write_raw(log, '>', command, len);
}

void command_log_response(struct command_log *log, const uint8_t *response,
                          size_t len)
{
    char result[16];

    write_raw(log, '<', response, len);
    (void)snprintf(result, sizeof(result), "0x%03" PRIx32,
                   get_u32(response + TPM_CODE_AT));
    write_result(log, result);
}

void command_log_lost(struct command_log *log)
{
    write_result(log, "lost");
}
