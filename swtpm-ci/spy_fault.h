/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test in the same process asks of the spy: to fail one call. It opens
 * the module's file by dlopen(3) and finds the plan, of which there is one a
 * process, by spy_seen_fn, "pkcs11_spy_seen". Not for threads.
 */
#ifndef DEVID_SWTPM_CI_SPY_FAULT_H
#define DEVID_SWTPM_CI_SPY_FAULT_H

#include <stdbool.h>

#include <p11-kit/pkcs11.h>

struct spy_plan {
    unsigned at;  /* the number of the call, from 1; 0: none */
    bool lasting; /* and all behind it */
    CK_RV rv;     /* what it answers; the module never sees it, ... */
    bool done;    /* ... or has done it, and its answer is lost */

    /* What has happened since the plan was made. */
    unsigned calls;
    unsigned struck;
    unsigned logins;  /* calls of C_Login that were struck */
    const char *name; /* of the first that was struck */
};

struct spy_seen {
    struct spy_plan plan;
    long sessions; /* that the caller has opened and has not asked to close */
};

typedef struct spy_seen *spy_seen_fn(void);

#endif
