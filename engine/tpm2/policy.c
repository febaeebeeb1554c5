/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy session for one command. The commands of the key file's policy are
 * executed in it, after those of a signed policy where the first of them is
 * PolicyAuthorize; the command that it authorises also ends it.
 *
 * What is wrong with the file itself is found before the TPM is asked: the
 * digest that its policy leads to is computed along the way.
 */
#include "policy.h"

#include "../secret.h"

#include <stdio.h>
#include <string.h>

bool tpm2_policy_needed(const struct tpm2_key *key)
{
    const TPMT_PUBLIC *area = &key->tpm_public.publicArea;

    return key->has_public && area->authPolicy.size > 0 &&
           (area->objectAttributes & TPMA_OBJECT_USERWITHAUTH) == 0;
}

/* ---- before the TPM is asked ----------------------------------------- */

static enum devid_err start_digest(struct tpm2_policy_run *r,
                                   struct devid_error *err)
{
    return tpm2_policy_digest_start(
        &r->digest, r->key->tpm_public.publicArea.nameAlg, r->key->libctx, err);
}

/* Does the policy in the file lead to the digest in the key? */
static enum devid_err check_file(struct tpm2_policy_run *r,
                                 struct devid_error *err)
{
    const struct devid_keyfile *file = r->key->file;
    const TPM2B_DIGEST *wanted = &r->key->tpm_public.publicArea.authPolicy;
    struct tpm2_policy_step step;
    enum devid_err e = start_digest(r, err);

    if (e == DEVID_OK && file->policy.count == 0)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "this key is bound to a policy, and what was given "
                          "for it does not say which: use the key file that "
                          "was written when it was made");
    for (size_t i = 0; e == DEVID_OK && i < file->policy.count; i++) {
        e = tpm2_policy_decode(&file->policy.commands[i], &r->digest, &step,
                               err);
        if (e == DEVID_OK)
            e = tpm2_policy_digest_step(&r->digest, &step, err);
    }
    if (e != DEVID_OK)
        return e;
    if (r->digest.value.size != wanted->size ||
        memcmp(r->digest.value.buffer, wanted->buffer, wanted->size) != 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the policy in the key file is not the one that the "
                          "key was made with: the file was altered; restore it "
                          "from a backup");
    if (tpm2_policy_is_signed(file) && file->signed_policies.count == 0)
        return devid_fail(err, DEVID_ERR_AUTH, 0,
                          "this key obeys policies that its signer has signed, "
                          "and the key file has none yet: add one with devid "
                          "policy sign");
    return DEVID_OK;
}

static bool policy_uses_auth(const struct devid_policy *policy)
{
    for (size_t i = 0; i < policy->count; i++) {
        if (policy->commands[i].code == TPM2_CC_PolicyAuthValue ||
            policy->commands[i].code == TPM2_CC_PolicyPassword)
            return true;
    }
    return false;
}

static bool any_uses_auth(const struct devid_keyfile *file)
{
    bool uses = policy_uses_auth(&file->policy);

    for (size_t i = 0; i < file->signed_policies.count; i++)
        uses = uses || policy_uses_auth(&file->signed_policies.items[i]);
    return uses;
}

/* ---- a whole policy -------------------------------------------------- */

static enum devid_err run_steps(struct tpm2_policy_run *r,
                                const struct devid_policy *policy, size_t from,
                                struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    for (size_t i = from; e == DEVID_OK && i < policy->count; i++)
        e = tpm2_policy_step(r, &policy->commands[i], err);
    return e;
}

static enum devid_err open_session(struct tpm2_policy_run *r,
                                   struct devid_error *err)
{
    bool salted = r->auth->secret != NULL && any_uses_auth(r->key->file);

    r->uses_auth = false;
    return tpm2_session_start(r->conn, TPM2_SE_POLICY, r->digest.hash, salted,
                              &r->session, err);
}

/* A branch that failed leaves its traces in the session. */
static enum devid_err restart(struct tpm2_policy_run *r,
                              struct devid_error *err)
{
    enum devid_err e = start_digest(r, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    if (r->uses_auth) { /* which ESYS remembers, and the TPM does not */
        tpm2_flush(r->conn, r->session);
        r->session = ESYS_TR_NONE;
        return open_session(r, err);
    }
    rc = Esys_PolicyRestart(r->conn->esys, r->session, ESYS_TR_NONE,
                            ESYS_TR_NONE, ESYS_TR_NONE);
    return rc == 0 ? DEVID_OK : tpm2_fail(err, rc, "begin a policy anew");
}

/* Another branch would not help, or would harm. */
static bool is_final(const struct tpm2_policy_run *r,
                     const struct devid_error *err)
{
    return tpm2_rc_action(err->device_rc) != TPM2_ACTION_FAIL ||
           tpm2_rc_base(err->device_rc) == TPM2_RC_LOCKOUT ||
           (r->auth->secret != NULL &&
            devid_secret_is_refused(r->auth->secret));
}

/* The branch that held the last time first, then in the file's order. */
static enum devid_err run_signed(struct tpm2_policy_run *r,
                                 struct devid_error *err)
{
    const struct devid_policies *list = &r->key->file->signed_policies;
    struct devid_error first = {0};
    enum devid_err e = DEVID_OK;

    for (size_t i = 0; i < list->count; i++) {
        struct devid_error why = {0};

        r->branch = (r->key->policy_branch + i) % list->count;
        if (i > 0)
            e = restart(r, err);
        if (e != DEVID_OK)
            return e;
        e = run_steps(r, &list->items[r->branch], 0, &why);
        if (e == DEVID_OK) {
            r->key->policy_branch = r->branch;
            return DEVID_OK;
        }
        if (is_final(r, &why) || list->count == 1) {
            *err = why;
            return e;
        }
        if (i == 0)
            first = why;
        e = DEVID_OK;
    }
    return devid_fail(err, DEVID_ERR_AUTH, first.device_rc,
                      "none of the key's %zu signed policies holds; of one of "
                      "them: %.500s",
                      list->count, first.text);
}

enum devid_err tpm2_policy_begin(struct tpm2_conn *conn, struct tpm2_auth *auth,
                                 struct devid_error *err)
{
    const struct devid_keyfile *file = auth->key->file;
    struct tpm2_policy_run r = {
        .conn = conn, .key = auth->key, .auth = auth, .session = ESYS_TR_NONE};
    struct devid_error local = {0};
    enum devid_err e;

    if (err == NULL)
        err = &local;
    e = check_file(&r, err);
    if (e == DEVID_OK)
        e = start_digest(&r, err);
    if (e == DEVID_OK)
        e = open_session(&r, err);
    if (e == DEVID_OK && tpm2_policy_is_signed(file))
        e = run_signed(&r, err);
    if (e == DEVID_OK)
        e = run_steps(&r, &file->policy, tpm2_policy_is_signed(file) ? 1 : 0,
                      err);
    if (e != DEVID_OK) {
        if (r.session != ESYS_TR_NONE)
            tpm2_flush(conn, r.session);
        return e;
    }
    if (!r.uses_auth)
        auth->secret = NULL; /* the policy had it, where it wanted it */
    auth->session = r.session;
    return DEVID_OK;
}
