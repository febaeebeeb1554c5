/* SPDX-License-Identifier: Apache-2.0 */
/* What the files share that lock a TPM. */
#ifndef DEVID_TPM2_LOCK_H
#define DEVID_TPM2_LOCK_H

#include "identity.h"

#include "../lock.h"

struct lock_work {
    struct tpm2_identity *id;
    struct devid_lock *lock;
    bool again; /* an attempt came before, and may have done something */
};

/* ---- lock.c: hierarchies and sessions --------------------------------- */

/* One that hides parameters; it is ended with tpm2_tcg_sessions_end. */
DEVID_CHECK enum devid_err tpm2_lock_session(struct tpm2_conn *conn,
                                             struct tpm2_identity *id,
                                             ESYS_TR *session,
                                             struct devid_error *err);
/* For the next command: what of it is encrypted, and whether it is the last. */
TSS2_RC tpm2_lock_session_use(struct tpm2_conn *conn, ESYS_TR session,
                              TPMA_SESSION attributes);

/* ---- lock_seed.c ------------------------------------------------------ */

/* Values for what is not set: by the seed of a run before, or by a new one. */
DEVID_CHECK enum devid_err tpm2_lock_seed(struct tpm2_conn *conn,
                                          struct lock_work *w,
                                          struct devid_error *err);
/* The last of all. */
DEVID_CHECK enum devid_err tpm2_lock_seed_remove(struct tpm2_conn *conn,
                                                 const struct lock_work *w,
                                                 struct devid_error *err);

#endif
