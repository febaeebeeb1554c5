/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running an operation on a token, and what happens when contact is lost:
 * first everything that was found is found again; then the module is started
 * again, which is how SoftHSM notices that a token is back.
 */
#include "pkcs11.h"

#include "../libcrypto.h"

#include <stdio.h>
#include <string.h>

/* One, one more with all found anew, and three after a restart each. */
#define ATTEMPTS 5
#define RESTART_FROM 2

/* What an attempt leaves for the decision whether to make another. */
struct attempt {
    bool wrote; /* the operation itself began, and it changes the token */
    uint64_t contact;
    struct p11_module *module;
    uint64_t epoch;
};

static enum devid_err in_session(struct p11_token *token, enum p11_need need,
                                 p11_op *op, void *arg, struct attempt *at,
                                 struct devid_error *err)
{
    struct p11_session session;
    enum devid_err e =
        p11_session_take(token, need == P11_WRITE, &session, err);

    at->contact = session.contact;
    if (e != DEVID_OK)
        return e;
    if (need != P11_READ)
        e = p11_login(&session, err);
    if (e == DEVID_OK) {
        at->wrote = need == P11_WRITE;
        e = op(&session, arg, err);
    }
    /* What a token does not hold is an answer: nothing is amiss. */
    p11_session_put(&session, e == DEVID_OK || (e == DEVID_ERR_NOT_FOUND &&
                                                err->device_rc == 0));
    return e;
}

/* The module that is to be started again should the attempt have failed. */
static void note(struct p11_token *token, struct attempt *at)
{
    pthread_mutex_lock(&token->lock);
    at->contact = token->contact;
    at->module = token->module;
    if (at->module == NULL && token->in.count == 1)
        at->module = token->in.modules[0];
    pthread_mutex_unlock(&token->lock);
    at->epoch = at->module != NULL ? p11_module_epoch(at->module) : 0;
    if (at->module != NULL)
        devid_foreign_enter(p11_module_called(at->module), NULL);
}

static enum devid_err attempt(struct p11_token *token, enum p11_need need,
                              p11_op *op, void *arg, struct attempt *at,
                              struct devid_error *err)
{
    enum devid_err e;

    err->device_rc = 0;
    p11_gate_enter();
    /* Modules leave errors of their own in the program's queue. */
    devid_quiet_begin();
    e = p11_token_connect(token, err);
    note(token, at);
    if (e == DEVID_OK)
        e = in_session(token, need, op, arg, at, err);
    if (e != DEVID_OK)
        p11_fail_name(err, token->label);
    if (e != DEVID_OK && p11_rv_action(err->device_rc) != P11_ACTION_FAIL)
        p11_token_forget(token, at->contact, err->device_rc);
    devid_quiet_end();
    p11_gate_leave();
    return e;
}

/* A parent's module cannot be started again from its child. */
static void say_inherited(const struct attempt *at, struct devid_error *err)
{
    size_t used = strlen(err->text);

    if (at->module != NULL && p11_module_is_inherited(at->module))
        (void)snprintf(err->text + used, sizeof(err->text) - used,
                       "; this process has the module from its parent, so "
                       "that only a restart of the program starts it again");
}

enum devid_err p11_run(struct p11_token *token, enum p11_need need, p11_op *op,
                       void *arg, struct devid_error *err)
{
    struct devid_error local = {0};
    struct attempt at = {0};
    enum devid_err e = DEVID_OK;

    if (err == NULL)
        err = &local;
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        if (i >= RESTART_FROM &&
            (at.module == NULL ||
             !p11_module_restart(at.module, at.epoch, i - RESTART_FROM))) {
            say_inherited(&at, err);
            break;
        }
        e = attempt(token, need, op, arg, &at, err);
        /* A second key for one that was made after all helps nobody. */
        if (e == DEVID_OK || at.wrote ||
            p11_rv_action(err->device_rc) == P11_ACTION_FAIL)
            break;
    }
    return e;
}
