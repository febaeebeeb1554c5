/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of TPM commands that tpm-proxy writes.
 *
 * A line: sequence number, time, command, response code:
 *     17 1732230000.123456 Sign 0x000
 * "lost" stands in place of the code where the TPM did not answer. The raw log
 * has two lines for it, what went to the TPM and what came back, in hex:
 *     17 > 80020000...
 *     17 < 80020000...
 * Each line is one write in append mode, so whoever reads the log may truncate
 * it at any time.
 */
#ifndef DEVID_SWTPM_CI_COMMAND_LOG_H
#define DEVID_SWTPM_CI_COMMAND_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tag, size, code: TPM 2.0 Part 3, command and response headers. */
enum {
    TPM_HEADER_LEN = 10,
    TPM_SIZE_AT = 2,
    TPM_CODE_AT = 6
};

struct command_log {
    int fd;
    int raw_fd; /* -1: none */
    uint64_t sequence;
    uint32_t command; /* code of the command under way */
};

/* Four bytes, big endian. */
uint32_t get_u32(const uint8_t *bytes);

/*
 * Open the logs, to append to them.
 *
 * log       out
 * path      NULL for standard output
 * raw_path  NULL for no raw log
 *
 * Returns false, with errno, where one cannot be opened.
 */
bool command_log_open(struct command_log *log, const char *path,
                      const char *raw_path);

/* A command of at least TPM_HEADER_LEN bytes is about to go to the TPM. */
void command_log_request(struct command_log *log, const uint8_t *command,
                         size_t len);

/* The response to it, of at least TPM_HEADER_LEN bytes. */
void command_log_response(struct command_log *log, const uint8_t *response,
                          size_t len);

/* Or there was none. */
void command_log_lost(struct command_log *log);

#endif
