/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in: once, and with a wrong PIN once in a whole tree of processes. */
#include "pkcs11.h"

#include "../secret.h"
#include "../wait.h"

#include <stdio.h>

enum {
    PIN_TRIES = 6,
    PIN_PAUSE_MS = 20
};

/* What the token says of its counter, now. */
static const char *tries_left(struct p11_session *session)
{
    CK_TOKEN_INFO info;

    if (session->f->C_GetTokenInfo(session->token->slot, &info) != CKR_OK)
        return "";
    if ((info.flags & CKF_USER_PIN_LOCKED) != 0)
        return ", and the token has now locked it";
    if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0)
        return "; one more wrong try locks it";
    if ((info.flags & CKF_USER_PIN_COUNT_LOW) != 0)
        return "; a few more wrong tries lock it";
    return "";
}

static enum devid_err refused_before(const struct p11_token *token,
                                     struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_AUTH, 0,
                      "the token '%s' refused this PIN before, so it is not "
                      "tried again: give the right one and load the key again",
                      token->label);
}

static enum devid_err login_failed(struct p11_session *session, CK_RV rv,
                                   struct devid_error *err)
{
    const struct p11_token *t = session->token;

    switch (rv) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
        return devid_fail(err, DEVID_ERR_AUTH, (uint32_t)rv,
                          "the token '%s' refused the PIN (%s); it is not "
                          "tried again%s",
                          t->label, p11_rv_name(rv), tries_left(session));
    case CKR_PIN_LOCKED:
        return devid_fail(err, DEVID_ERR_LOCKED, (uint32_t)rv,
                          "the token '%s' has locked its PIN after too many "
                          "wrong ones (CKR_PIN_LOCKED): unblock it with the SO "
                          "PIN",
                          t->label);
    default: /* not an enum */
        return p11_fail(err, rv, "log in");
    }
}

static bool is_refusal(CK_RV rv)
{
    return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID ||
           rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_LOCKED;
}

/* SoftHSM writes its file at a login, and who reads it meanwhile finds no PIN.
 */
static bool has_lost_its_pin(const struct p11_token *token, CK_RV rv)
{
    return rv == CKR_USER_PIN_NOT_INITIALIZED &&
           (token->info.flags & CKF_USER_PIN_INITIALIZED) != 0;
}

static CK_RV log_in(struct p11_session *session, CK_USER_TYPE user)
{
    const struct devid_secret *pin = session->token->pin;
    CK_RV rv = CKR_OK;

    for (int i = 0; i < PIN_TRIES; i++) {
        if (i > 0)
            devid_sleep_jittered(PIN_PAUSE_MS);
        /* The module takes a pointer to what it does not change. */
        rv = session->f->C_Login(
            session->handle, user,
            (CK_UTF8CHAR *)(uintptr_t)devid_secret_data(pin),
            devid_secret_len(pin));
        if (!has_lost_its_pin(session->token, rv))
            break;
    }
    return rv;
}

/* The token is locked, and has a PIN. */
static enum devid_err login_as(struct p11_session *session, CK_USER_TYPE user,
                               struct devid_error *err)
{
    struct devid_secret *pin = session->token->pin;
    enum devid_secret_turn turn = devid_secret_begin(pin);
    CK_RV rv;

    if (turn == DEVID_SECRET_REFUSED)
        return refused_before(session->token, err);
    rv = log_in(session, user);
    if (is_refusal(rv))
        devid_secret_refuse(pin);
    else if (turn == DEVID_SECRET_TRY)
        devid_secret_end(pin, rv == CKR_OK);
    /* Another user of the module, or a parent, has logged in: as good. */
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return DEVID_OK;
    return login_failed(session, rv, err);
}

enum devid_err p11_login(struct p11_session *session, struct devid_error *err)
{
    struct p11_token *t = session->token;
    enum devid_err e = DEVID_OK;

    pthread_mutex_lock(&t->lock);
    if (!t->logged_in && t->pin != NULL) {
        e = login_as(session, CKU_USER, err);
        t->logged_in = e == DEVID_OK && t->contact == session->contact;
    }
    pthread_mutex_unlock(&t->lock);
    return e;
}

enum devid_err p11_login_for_key(struct p11_session *session,
                                 struct devid_error *err)
{
    struct p11_token *t = session->token;
    enum devid_err e;

    pthread_mutex_lock(&t->lock);
    if (t->pin != NULL)
        e = login_as(session, CKU_CONTEXT_SPECIFIC, err);
    else
        e = devid_fail(err, DEVID_ERR_AUTH, 0,
                       "this key wants the PIN for each signature, and none "
                       "was given: by pin-source in its URI, or by the setting "
                       "pin-source");
    pthread_mutex_unlock(&t->lock);
    return e;
}

enum devid_err p11_check_hidden(struct p11_session *session, const char *what,
                                struct devid_error *err)
{
    struct p11_token *t = session->token;
    bool hidden;

    pthread_mutex_lock(&t->lock);
    hidden = !t->logged_in && t->pin == NULL &&
             (t->info.flags & CKF_LOGIN_REQUIRED) != 0;
    pthread_mutex_unlock(&t->lock);
    if (!hidden)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_AUTH, 0,
                      "without a PIN the token '%s' shows no %s, and none "
                      "was given: by pin-source in the URI "
                      "(?pin-source=file:/path), the setting pin-source, or "
                      "the program's passphrase",
                      t->label, what);
}
