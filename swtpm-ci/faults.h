/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults that tpm-proxy makes, as a file says that a test may replace, by
 * renaming another over it, or remove at any time. A line is a rule:
 *     refuse COMMAND CODE [after=N] [times=N]
 *     delay COMMAND MILLISECONDS [after=N] [times=N]
 *     hold COMMAND [after=N] [times=N]
 *     lose COMMAND [after=N] [times=N]
 *     garble COMMAND [after=N] [times=N]
 *     cut
 * refuse answers with a response code and the TPM never sees the command.
 * delay holds it back, and all that come behind it, as a slow TPM does. hold
 * does that until the file is replaced or removed, and says so by an empty file
 * of its name and ".held". lose lets the TPM do it and breaks the client's
 * connection in place of the answer. garble turns one bit in the last byte of
 * the answer's parameters. cut breaks every connection that anything comes
 * from.
 *
 * COMMAND is a name as in the log; Sign/RSAPSS, Sign/RSASSA or Sign/ECDSA for
 * those with that scheme; or * for all. The first N of after=N go free, then
 * times=N are struck, without it all.
 */
#ifndef DEVID_SWTPM_CI_FAULTS_H
#define DEVID_SWTPM_CI_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
    FAULTS_MAX = 16,
    FAULT_NAME_SIZE = 40
};

enum fault_kind {
    FAULT_REFUSE,
    FAULT_DELAY,
    FAULT_HOLD,
    FAULT_LOSE,
    FAULT_GARBLE,
    FAULT_CUT
};

struct fault {
    enum fault_kind kind;
    char command[FAULT_NAME_SIZE];
    uint32_t number; /* response code, or milliseconds */
    uint32_t after;  /* so many more go free */
    uint32_t times;  /* so many more are struck */
};

struct faults {
    const char *path; /* NULL: no faults */
    struct stat read; /* the file as it was read last */
    size_t count;
    struct fault rules[FAULTS_MAX];
};

/* What is to become of one command. */
struct fault_effect {
    uint32_t refusal; /* response code; 0: it goes to the TPM */
    bool lose;
    bool garble;
};

/* True while every connection is to be broken. Reads the file where it is
 * another than last time; a line that is no rule ends the program. */
bool faults_cut(struct faults *faults);

/*
 * What the rules last read do to a command of at least a header's length.
 * Returns after the delay that they ask for.
 */
struct fault_effect faults_strike(struct faults *faults, const uint8_t *command,
                                  size_t len);

/* Writes the answer that refuses a command: a header. Returns its length. */
size_t faults_refusal(uint32_t code, uint8_t *response);

/* Spoils an answer, to the command of that code, that succeeded. */
void faults_garble(uint32_t command, uint8_t *response, size_t len);

#endif
