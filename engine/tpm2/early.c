/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm2-open = early: the device is opened when a key is loaded, by a process
 * that may, and used by its children, who may not any more.
 *
 * They share one open file, so one lock admits a command at a time in all of
 * them. It is robust: where its owner was killed in the middle of a command,
 * the next one takes the lock over and the answer that nobody waits for away.
 */
#include "tpm2.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

/* A signature of the slowest chip takes less. */
#define STALE_ANSWER_MS 3000

static bool init_shared(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    bool ok;

    if (pthread_mutexattr_init(&attr) != 0)
        return false;
    ok = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0 &&
         pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0 &&
         pthread_mutex_init(lock, &attr) == 0;
    pthread_mutexattr_destroy(&attr);
    return ok;
}

bool tpm2_early_init(struct tpm2_conn *conn)
{
    void *page = mmap(NULL, sizeof(*conn->shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return false;
    conn->shared = page;
    return init_shared(conn->shared);
}

void tpm2_early_free(struct tpm2_conn *conn)
{
    /* Not destroyed: other processes may hold it. */
    if (conn->shared != NULL)
        (void)munmap(conn->shared, sizeof(*conn->shared));
    conn->shared = NULL;
}

enum devid_err tpm2_early_open(struct tpm2_conn *conn, struct devid_error *err)
{
    enum devid_err e = DEVID_OK;
    TSS2_RC rc = TSS2_RC_SUCCESS;

    if (conn->shared == NULL)
        return DEVID_OK;
    if (conn->uses_glib) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "tpm2-open is early, and a connection to tpm2-abrmd "
                          "cannot be handed to a child: set tcti to "
                          "device:/dev/tpmrm0, or leave tpm2-open out");
    }
    pthread_mutex_lock(&conn->lock);
    if (conn->esys == NULL)
        rc = tpm2_tcti_open(conn);
    if (rc != TSS2_RC_SUCCESS)
        e = tpm2_tcti_fail(conn, rc, err);
    pthread_mutex_unlock(&conn->lock);
    return e;
}

/* Read away what the TPM answered to somebody who is gone. */
static void drop_answer(const struct tpm2_conn *conn)
{
    uint8_t waste[TPM2_MAX_RESPONSE_SIZE];

    for (size_t i = 0; i < conn->fd_count; i++) {
        struct pollfd fd = {.fd = conn->fds[i], .events = POLLIN};

        if (poll(&fd, 1, STALE_ANSWER_MS) == 1 &&
            read(fd.fd, waste, sizeof(waste)) < 0)
            return; /* the next command shows what is wrong */
    }
}

void tpm2_early_lock(struct tpm2_conn *conn)
{
    if (conn->shared == NULL || pthread_mutex_lock(conn->shared) != EOWNERDEAD)
        return;
    (void)pthread_mutex_consistent(conn->shared);
    drop_answer(conn);
}

void tpm2_early_unlock(struct tpm2_conn *conn)
{
    if (conn->shared != NULL)
        pthread_mutex_unlock(conn->shared);
}

/*
 * After trouble on the link: open it anew where this process may, else go on
 * with the file that is open, from a clean state.
 */
static void renew(struct tpm2_conn *conn)
{
    TSS2_TCTI_CONTEXT *old_tcti = conn->tcti_ctx;
    ESYS_CONTEXT *old_esys = conn->esys;

    conn->tcti_ctx = NULL;
    conn->esys = NULL;
    if (old_esys == NULL)
        return;
    if (tpm2_tcti_open(conn) == TSS2_RC_SUCCESS) {
        struct tpm2_conn old = {.tcti_ctx = old_tcti, .esys = old_esys};

        tpm2_tcti_close(&old);
        return;
    }
    Esys_Finalize(&old_esys);
    drop_answer(conn);
    conn->tcti_ctx = old_tcti;
    if (Esys_Initialize(&conn->esys, old_tcti, NULL) != TSS2_RC_SUCCESS)
        conn->esys = NULL;
    conn->instance++;
}

void tpm2_early_renew(struct tpm2_conn *conn)
{
    tpm2_early_lock(conn);
    renew(conn);
    tpm2_early_unlock(conn);
}
