/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of a policy, each executed in its session. */
#include "policy.h"

#include <stdio.h>
#include <string.h>

/* ---- PolicyPCR, PolicyCounterTimer ----------------------------------- */

static enum devid_err pcr_failed(const struct tpm2_policy_run *r,
                                 const struct tpm2_policy_step *step,
                                 TSS2_RC rc, struct devid_error *err)
{
    char words[TPM2_PCR_WORDS_SIZE];
    bool one = tpm2_pcr_count(&step->u.pcr.selection) == 1;

    if (tpm2_rc_base(rc) != TPM2_RC_VALUE)
        return tpm2_fail(err, rc, "take PolicyPCR");
    tpm2_pcr_words(&step->u.pcr.selection, words);
    return devid_fail(
        err, DEVID_ERR_AUTH, rc,
        "%s %s %s: the machine was started with other firmware, software or "
        "settings; start it as it was, or %s",
        one ? "PCR" : "one or more of the PCRs", words,
        one ? "has not the value that this key is bound to"
            : "have not the values that this key is bound to",
        tpm2_policy_is_signed(r->key->file)
            ? "have the new state signed (devid policy sign)"
            : "make a new key in the new state (devid keygen --pcr)");
}

static enum devid_err run_pcr(struct tpm2_policy_run *r,
                              const struct tpm2_policy_step *step,
                              struct devid_error *err)
{
    TSS2_RC rc = Esys_PolicyPCR(r->conn->esys, r->session, ESYS_TR_NONE,
                                ESYS_TR_NONE, ESYS_TR_NONE, &step->u.pcr.digest,
                                &step->u.pcr.selection);

    return rc == TSS2_RC_SUCCESS ? DEVID_OK : pcr_failed(r, step, rc, err);
}

static enum devid_err run_timer(struct tpm2_policy_run *r,
                                const struct tpm2_policy_step *step,
                                struct devid_error *err)
{
    TSS2_RC rc = Esys_PolicyCounterTimer(
        r->conn->esys, r->session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
        &step->u.timer.operand, step->u.timer.offset, step->u.timer.operation);

    if (rc == TSS2_RC_SUCCESS)
        return DEVID_OK;
    if (tpm2_rc_base(rc) != TPM2_RC_POLICY)
        return tpm2_fail(err, rc, "take PolicyCounterTimer");
    return devid_fail(err, DEVID_ERR_AUTH, rc,
                      "the TPM's clock or counters do not stand where this "
                      "key's policy wants them (offset %u of TPMS_TIME_INFO, "
                      "operation %u): the time that the key was made for is "
                      "over, or has not come",
                      step->u.timer.offset, step->u.timer.operation);
}

/* ---- PolicyAuthorize ------------------------------------------------- */

static enum devid_err not_verified(TSS2_RC rc, struct devid_error *err)
{
    if (tpm2_rc_base(rc) != TPM2_RC_SIGNATURE)
        return tpm2_fail(err, rc, "verify the signature of a policy");
    return devid_fail(err, DEVID_ERR_AUTH, rc,
                      "the signature of the signed policy does not verify "
                      "with the public key that the key is bound to: sign it "
                      "anew (devid policy sign)");
}

/* A ticket of the TPM that it has verified the signature. */
static enum devid_err verify(struct tpm2_policy_run *r,
                             const struct tpm2_policy_step *step,
                             struct devid_error *err)
{
    ESYS_CONTEXT *esys = r->conn->esys;
    TPMT_TK_VERIFIED *ticket = NULL;
    ESYS_TR signer = ESYS_TR_NONE;
    TPM2B_DIGEST to_sign;
    enum devid_err e;
    TSS2_RC rc;

    e = tpm2_policy_to_sign(&r->digest, &step->u.authorize.ref, &to_sign, err);
    if (e != DEVID_OK)
        return e;
    rc = Esys_LoadExternal(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
                           &step->u.authorize.key, ESYS_TR_RH_OWNER, &signer);
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "load the public key of a policy's signer");
    rc = Esys_VerifySignature(esys, signer, ESYS_TR_NONE, ESYS_TR_NONE,
                              ESYS_TR_NONE, &to_sign,
                              &step->u.authorize.signature, &ticket);
    tpm2_flush(r->conn, signer);
    if (rc != TSS2_RC_SUCCESS)
        return not_verified(rc, err);
    r->key->ticket = *ticket;
    r->key->ticket_branch = r->branch;
    r->key->has_ticket = true;
    Esys_Free(ticket);
    return DEVID_OK;
}

/*
 * The ticket is good for as long as the owner hierarchy is, so that it is got
 * once; where the TPM does not take it, the signature is verified again.
 */
static enum devid_err run_authorize(struct tpm2_policy_run *r,
                                    const struct tpm2_policy_step *step,
                                    struct devid_error *err)
{
    struct tpm2_key *key = r->key;
    bool fresh = !key->has_ticket || key->ticket_branch != r->branch;
    enum devid_err e = fresh ? verify(r, step, err) : DEVID_OK;
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = Esys_PolicyAuthorize(r->conn->esys, r->session, ESYS_TR_NONE,
                              ESYS_TR_NONE, ESYS_TR_NONE, &r->digest.value,
                              &step->u.authorize.ref, &step->u.authorize.name,
                              &key->ticket);
    if (rc == TSS2_RC_SUCCESS)
        return DEVID_OK;
    key->has_ticket = false;
    if (!fresh && tpm2_rc_base(rc) == TPM2_RC_VALUE)
        return run_authorize(r, step, err);
    return tpm2_fail(err, rc, "take PolicyAuthorize");
}

/* ---- PolicySecret ---------------------------------------------------- */

static enum devid_err open_entity(struct tpm2_policy_run *r,
                                  const struct tpm2_policy_step *step,
                                  ESYS_TR *object, struct devid_error *err)
{
    const TPM2B_NAME *wanted = &step->u.secret.name;
    uint32_t handle = step->u.secret.handle;
    TPM2B_NAME *name = NULL;
    enum devid_err e;
    bool same;

    *object = tpm2_hierarchy(handle);
    if (handle == 0)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the key's policy names an object whose secret it "
                          "wants, but no handle of it: devid does not search "
                          "for it");
    if (*object != ESYS_TR_NONE)
        return DEVID_OK;
    e = tpm2_read_handle(r->conn, handle, object, NULL, err);
    if (e != DEVID_OK)
        return e;
    same = Esys_TR_GetName(r->conn->esys, *object, &name) == 0 &&
           name->size == wanted->size &&
           memcmp(name->name, wanted->name, wanted->size) == 0;
    Esys_Free(name);
    if (same)
        return DEVID_OK;
    (void)Esys_TR_Close(r->conn->esys, object);
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "handle 0x%08x holds another object than the one whose "
                      "secret this key's policy wants",
                      handle);
}

static enum devid_err run_secret(struct tpm2_policy_run *r,
                                 const struct tpm2_policy_step *step,
                                 struct devid_error *err)
{
    char what[64];
    struct tpm2_auth auth = {
        .secret = r->auth->secret,
        .what = what,
        .doing = "take PolicySecret",
    };
    enum devid_err e = open_entity(r, step, &auth.object, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    (void)snprintf(what, sizeof(what), "0x%08x, which its policy names,",
                   step->u.secret.handle);
    e = tpm2_auth_begin(r->conn, &auth, err);
    if (e == DEVID_OK) {
        rc = Esys_PolicySecret(r->conn->esys, auth.object, r->session,
                               auth.session, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
                               NULL, &step->u.secret.ref, 0, NULL, NULL);
        tpm2_auth_end(r->conn, &auth, rc);
        if (rc != TSS2_RC_SUCCESS)
            e = tpm2_auth_fail(r->conn, &auth, rc, err);
    }
    if (tpm2_hierarchy(step->u.secret.handle) == ESYS_TR_NONE)
        (void)Esys_TR_Close(r->conn->esys, &auth.object);
    return e;
}

/* ---- the others, which have nothing to say --------------------------- */

static enum devid_err run_plain(struct tpm2_policy_run *r,
                                const struct tpm2_policy_step *step,
                                struct devid_error *err)
{
    ESYS_CONTEXT *esys = r->conn->esys;
    TSS2_RC rc;

    if (step->code == TPM2_CC_PolicyOR) {
        rc = Esys_PolicyOR(esys, r->session, ESYS_TR_NONE, ESYS_TR_NONE,
                           ESYS_TR_NONE, &step->u.any_of);
        return rc == 0 ? DEVID_OK : tpm2_fail(err, rc, "take PolicyOR");
    }
    if (step->code == TPM2_CC_PolicyCommandCode) {
        rc =
            Esys_PolicyCommandCode(esys, r->session, ESYS_TR_NONE, ESYS_TR_NONE,
                                   ESYS_TR_NONE, step->u.command);
        return rc == 0 ? DEVID_OK
                       : tpm2_fail(err, rc, "take PolicyCommandCode");
    }
    /* PolicyPassword leads to the same digest, and shows the value to all. */
    r->uses_auth = true;
    rc = Esys_PolicyAuthValue(esys, r->session, ESYS_TR_NONE, ESYS_TR_NONE,
                              ESYS_TR_NONE);
    return rc == 0 ? DEVID_OK : tpm2_fail(err, rc, "take PolicyAuthValue");
}

enum devid_err tpm2_policy_step(struct tpm2_policy_run *r,
                                const struct devid_policy_command *command,
                                struct devid_error *err)
{
    struct tpm2_policy_step step;
    enum devid_err e = tpm2_policy_decode(command, &r->digest, &step, err);

    if (e != DEVID_OK)
        return e;
    if (step.code == TPM2_CC_PolicyPCR)
        e = run_pcr(r, &step, err);
    else if (step.code == TPM2_CC_PolicyCounterTimer)
        e = run_timer(r, &step, err);
    else if (step.code == TPM2_CC_PolicyAuthorize)
        e = run_authorize(r, &step, err);
    else if (step.code == TPM2_CC_PolicySecret)
        e = run_secret(r, &step, err);
    else
        e = run_plain(r, &step, err);
    return e == DEVID_OK ? tpm2_policy_digest_step(&r->digest, &step, err) : e;
}
