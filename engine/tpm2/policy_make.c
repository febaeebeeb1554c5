/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that devid makes: of a new key, and signed ones. */
#include "policy.h"

#include "create.h"

#include <string.h>

#include <openssl/crypto.h>

/* ---- steps ----------------------------------------------------------- */

/* The digest of the PCRs, as the text gives it or as they are now. */
static enum devid_err pcr_step(struct tpm2_conn *conn, const char *text,
                               const struct tpm2_policy_digest *how,
                               struct tpm2_policy_step *step,
                               struct devid_error *err)
{
    TPM2B_DIGEST *digest = &step->u.pcr.digest;
    bool current = false;
    enum devid_err e =
        tpm2_pcr_parse(text, &step->u.pcr.selection, digest, &current, err);

    step->code = TPM2_CC_PolicyPCR;
    if (e != DEVID_OK)
        return e;
    if (current)
        return tpm2_pcr_read(conn, &step->u.pcr.selection, how, digest, err);
    if (digest->size == how->value.size)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the digest of PCR values in '%.100s' has %u bytes, and "
                      "must have %u, those of the key's name algorithm (%s)",
                      text, digest->size, how->value.size,
                      tpm2_hash_name(how->hash));
}

/* The attributes are what openssl_tpm2_engine gives it: they are hashed. */
static enum devid_err authorize_step(const struct devid_public *signer,
                                     OSSL_LIB_CTX *libctx,
                                     struct tpm2_policy_step *step,
                                     struct devid_error *err)
{
    TPMT_PUBLIC *area = &step->u.authorize.key.publicArea;

    memset(step, 0, sizeof(*step));
    step->code = TPM2_CC_PolicyAuthorize;
    step->u.authorize.signature.sigAlg = TPM2_ALG_NULL;
    area->nameAlg = TPM2_ALG_SHA256;
    area->objectAttributes = TPMA_OBJECT_USERWITHAUTH |
                             TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT;
    tpm2_public_from_devid(signer, area);
    return tpm2_public_name(area, libctx, &step->u.authorize.name, err);
}

static enum devid_err add_step(const struct tpm2_policy_step *step,
                               struct tpm2_policy_digest *digest,
                               struct devid_policy *policy,
                               struct devid_error *err)
{
    enum devid_err e = tpm2_policy_digest_step(digest, step, err);

    return e == DEVID_OK ? tpm2_policy_encode(step, policy, err) : e;
}

/* ---- a new key's ----------------------------------------------------- */

enum devid_err tpm2_policy_check(const struct devid_key_spec *spec,
                                 struct devid_error *err)
{
    TPML_PCR_SELECTION selection;
    TPM2B_DIGEST digest;
    bool current;

    if (spec->pcrs == NULL && spec->policy_signer == NULL)
        return DEVID_OK;
    if (spec->pcrs != NULL && spec->policy_signer != NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "a key obeys its PCRs or its policies' signer, who "
                          "then signs for the PCRs: make it for the signer, "
                          "and add the PCRs with devid policy sign");
    if (spec->policy_signer != NULL &&
        spec->policy_signer->type == DEVID_KEY_RSA_PSS)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "an RSA-PSS key signs no policies: take an ordinary "
                          "RSA key, or one on P-256");
    if (spec->persist != NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "a key with a policy stays in its file, which has "
                          "the policy: it cannot be made persistent as well");
    if (spec->pcrs == NULL)
        return DEVID_OK;
    return tpm2_pcr_parse(spec->pcrs, &selection, &digest, &current, err);
}

/* A signer whose key the TPM cannot load could never sign a policy. */
static enum devid_err check_signer(struct tpm2_conn *conn,
                                   const struct tpm2_policy_step *step,
                                   struct devid_error *err)
{
    const TPMT_PUBLIC *area = &step->u.authorize.key.publicArea;
    const TPMT_PUBLIC_PARMS parms = {.type = area->type,
                                     .parameters = area->parameters};
    TSS2_RC rc = Esys_TestParms(conn->esys, ESYS_TR_NONE, ESYS_TR_NONE,
                                ESYS_TR_NONE, &parms);

    if (rc == TSS2_RC_SUCCESS)
        return DEVID_OK;
    if (tpm2_rc_base(rc) == 0 || tpm2_rc_action(rc) != TPM2_ACTION_FAIL)
        return tpm2_fail(err, rc, "look at the policy signer's public key");
    return devid_fail(err, DEVID_ERR_ALG, rc,
                      "this TPM does not verify signatures of the policy "
                      "signer's key, whose algorithm or size it lacks (0x%x): "
                      "take another, such as one on P-256",
                      rc);
}

enum devid_err tpm2_policy_make(struct tpm2_conn *conn,
                                struct tpm2_create *create,
                                struct devid_error *err)
{
    const struct devid_key_spec *spec = create->spec;
    struct tpm2_policy_step step = {0};
    struct tpm2_policy_digest digest;
    enum devid_err e;

    devid_policy_clear(&create->policy); /* of an attempt before this one */
    if (spec->pcrs == NULL && spec->policy_signer == NULL)
        return DEVID_OK;
    e = tpm2_policy_digest_start(&digest, TPM2_ALG_SHA256, create->libctx, err);
    if (e == DEVID_OK && spec->pcrs != NULL)
        e = pcr_step(conn, spec->pcrs, &digest, &step, err);
    if (e == DEVID_OK && spec->policy_signer != NULL)
        e = authorize_step(spec->policy_signer, create->libctx, &step, err);
    if (e == DEVID_OK && spec->policy_signer != NULL)
        e = check_signer(conn, &step, err);
    if (e == DEVID_OK)
        e = add_step(&step, &digest, &create->policy, err);
    if (e == DEVID_OK && spec->auth_len > 0) {
        step.code = TPM2_CC_PolicyAuthValue;
        e = add_step(&step, &digest, &create->policy, err);
    }
    create->policy_digest = digest.value;
    return e;
}

/* ---- a signed one ---------------------------------------------------- */

struct sign_request {
    const struct tpm2_key *key;
    const struct devid_policy_spec *spec;
    struct tpm2_policy_digest digest;
    struct tpm2_policy_step step; /* PolicyPCR */
};

static enum devid_err read_op(struct tpm2_conn *conn, void *arg,
                              struct devid_error *err)
{
    struct sign_request *r = arg;

    return pcr_step(conn, r->spec->pcrs, &r->digest, &r->step, err);
}

/* What the key's own policy says of the signer. */
static enum devid_err own_authorize(const struct sign_request *r,
                                    struct tpm2_policy_step *step,
                                    struct devid_error *err)
{
    const struct devid_keyfile *file = r->key->file;
    struct devid_public bound;
    enum devid_err e;

    e = tpm2_policy_decode(&file->policy.commands[0], &r->digest, step, err);
    if (e == DEVID_OK)
        e = tpm2_public_to_devid(&step->u.authorize.key.publicArea, &bound,
                                 err);
    if (e != DEVID_OK || devid_public_equal(&bound, r->spec->signer))
        return e;
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "this key obeys policies of another signer: sign with "
                      "the private key of the public key that was given to "
                      "devid keygen --policy-authorize");
}

static void put_signature(const struct devid_sig *sig, TPMI_ALG_HASH hash,
                          bool is_ec, TPMT_SIGNATURE *to)
{
    memset(to, 0, sizeof(*to));
    to->sigAlg = is_ec ? TPM2_ALG_ECDSA : TPM2_ALG_RSASSA;
    to->signature.any.hashAlg = hash;
    if (is_ec) {
        TPMS_SIGNATURE_ECC *ecc = &to->signature.ecdsa;
        size_t len = sig->len / 2;

        ecc->signatureR.size = (UINT16)len;
        memcpy(ecc->signatureR.buffer, sig->data, len);
        ecc->signatureS.size = (UINT16)len;
        memcpy(ecc->signatureS.buffer, sig->data + len, len);
    } else {
        to->signature.rsassa.sig.size = (UINT16)sig->len;
        memcpy(to->signature.rsassa.sig.buffer, sig->data, sig->len);
    }
}

/* Sign what the digest stands at, by the caller's function. */
static enum devid_err ask_signer(const struct sign_request *r,
                                 struct tpm2_policy_step *authorize,
                                 struct devid_error *err)
{
    const struct devid_policy_spec *spec = r->spec;
    bool is_ec = spec->signer->type == DEVID_KEY_EC;
    struct devid_sig sig = {0};
    struct devid_tbs tbs = {0};
    TPM2B_DIGEST to_sign;
    enum devid_err e = tpm2_policy_to_sign(
        &r->digest, &authorize->u.authorize.ref, &to_sign, err);

    tbs.scheme = is_ec ? DEVID_ECDSA : DEVID_RSA_PKCS1;
    tbs.hash = devid_hash_by_name(tpm2_hash_name(r->digest.hash));
    tbs.digest = to_sign.buffer;
    tbs.digest_len = to_sign.size;
    if (e == DEVID_OK)
        e = spec->sign(spec->arg, &tbs, &sig, err);
    if (e == DEVID_OK)
        e = devid_verify(spec->signer, r->key->libctx, &tbs, &sig, err);
    put_signature(&sig, r->digest.hash, is_ec,
                  &authorize->u.authorize.signature);
    return e;
}

enum devid_err tpm2_policy_sign(void *key, const struct devid_policy_spec *spec,
                                struct devid_policy *policy,
                                struct devid_error *err)
{
    struct tpm2_policy_step authorize;
    struct sign_request r = {.key = key, .spec = spec};
    enum devid_err e;

    if (!tpm2_policy_is_signed(r.key->file))
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "this key obeys no signed policies: such a key is "
                          "made with devid keygen --policy-authorize");
    e = tpm2_policy_digest_start(
        &r.digest, r.key->tpm_public.publicArea.nameAlg, r.key->libctx, err);
    if (e == DEVID_OK)
        e = own_authorize(&r, &authorize, err);
    if (e == DEVID_OK)
        e = tpm2_run(r.key->conn, read_op, &r, err);
    if (e == DEVID_OK)
        e = add_step(&r.step, &r.digest, policy, err);
    if (e == DEVID_OK)
        e = ask_signer(&r, &authorize, err);
    if (e == DEVID_OK)
        e = tpm2_policy_encode(&authorize, policy, err);
    return e;
}
