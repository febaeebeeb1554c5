/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCTI that fails one command, for a test in the same process.
 *
 * Its TCTI string is PATH/libtss2-tcti-fault.so:INNER, where INNER is that of a
 * real TPM. The test opens the same file by dlopen(3) and finds the plan, of
 * which there is one a process, by fault_plan_fn, "tcti_fault_plan".
 */
#ifndef DEVID_TESTS_TCTI_FAULT_H
#define DEVID_TESTS_TCTI_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tcti_fault {
    TCTI_FAULT_NONE,
    TCTI_FAULT_TRANSMIT, /* an IO error: the TPM never sees the command */
    TCTI_FAULT_RECEIVE,  /* the TPM did it, and the answer is lost */
    TCTI_FAULT_AGAIN,    /* the answer is not there yet, once */
    TCTI_FAULT_HEADER,   /* the answer ends within its header */
    TCTI_FAULT_SHORT,    /* it ends before its header says so */
    TCTI_FAULT_CUT,      /* the same, and the header says so */
    TCTI_FAULT_NOISE,    /* all of it is noise */
    TCTI_FAULT_BODY,     /* all behind its header is */
    TCTI_FAULT_ONES,     /* likewise, and each byte is 0xff */
    TCTI_FAULT_FLIPPED,  /* one bit in the middle of what is behind it */
    TCTI_FAULT_LONG,     /* it is as long as the buffer, as its header says */
    TCTI_FAULT_TOO_LONG, /* it does not fit the buffer */
    TCTI_FAULT_CODE,     /* a response code: the TPM never sees the command */
    TCTI_FAULT_SLOW,     /* it comes late */
    TCTI_FAULT_ANSWER,   /* what the plan has: the TPM never sees it */
    TCTI_FAULT_HANDLE,   /* the handle in it is another: `code` */
    TCTI_FAULT_CONNECT,  /* IO error, and nor does the next link open */
};

struct tcti_fault_plan {
    enum tcti_fault kind;
    uint32_t code; /* TCTI_FAULT_CODE: which */
    uint32_t only; /* a command's code: others are not counted; 0: all are */
    const uint8_t *answer; /* TCTI_FAULT_ANSWER; borrowed */
    size_t answer_len;
    unsigned at;  /* the number of the command, from 1 */
    bool lasting; /* and all behind it */

    /* What has happened since the plan was made. */
    unsigned commands;
    unsigned struck;
    uint32_t command; /* the code of the first that was struck */
};

typedef struct tcti_fault_plan *fault_plan_fn(void);

#endif
