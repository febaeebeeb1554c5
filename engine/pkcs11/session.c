/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions. An operation takes one for itself and gives it back; one is opened
 * only where none is idle, so that there are as many as work at once.
 */
#include "pkcs11.h"

#include <string.h>

enum devid_err p11_session_take(struct p11_token *token, bool read_write,
                                struct p11_session *session,
                                struct devid_error *err)
{
    CK_FLAGS flags = CKF_SERIAL_SESSION | (read_write ? CKF_RW_SESSION : 0);
    CK_RV rv = CKR_OK;

    memset(session, 0, sizeof(*session));
    pthread_mutex_lock(&token->lock);
    session->contact = token->contact;
    if (token->module == NULL) {
        rv = CKR_TOKEN_NOT_PRESENT; /* lost by another thread just now */
    } else {
        session->token = token;
        session->f = token->module->f;
        session->read_write = read_write;
        session->epoch = token->epoch;
        if (!read_write && token->idle_count > 0) {
            session->handle = token->idle[--token->idle_count];
        } else {
            rv = session->f->C_OpenSession(token->slot, flags, NULL, NULL,
                                           &session->handle);
            token->open_count += rv == CKR_OK;
        }
    }
    pthread_mutex_unlock(&token->lock);
    return rv == CKR_OK ? DEVID_OK : p11_fail(err, rv, "open a session");
}

/* PKCS#11 v2.40, 5.6: closing a token's last session logs out. */
static void close_session(struct p11_token *t, struct p11_session *session)
{
    /* A failed one may be gone already, which is as well. */
    (void)session->f->C_CloseSession(session->handle);
    if (t->epoch != session->epoch || t->open_count == 0)
        return;
    t->open_count--;
    if (t->open_count == 0) {
        t->logged_in = false;
        t->contact++;
    }
}

void p11_session_put(struct p11_session *session, bool ok)
{
    struct p11_token *t = session->token;

    pthread_mutex_lock(&t->lock);
    if (ok && !session->read_write && t->contact == session->contact &&
        t->idle_count < P11_SESSIONS_MAX)
        t->idle[t->idle_count++] = session->handle;
    else
        close_session(t, session);
    pthread_mutex_unlock(&t->lock);
}
