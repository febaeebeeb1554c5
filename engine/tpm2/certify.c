/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device says of itself: its EK with its certificate, IAK and IDevID,
 * made where they are not there, and the TPM's word for both.
 */
#include "identity.h"

#include <string.h>

#include <tss2/tss2_mu.h>

struct request_work {
    struct tpm2_identity *id;
    struct devid_identity_request *out;
    struct tpm2_inventory inventory;
};

/* ---- fields ---------------------------------------------------------- */

static enum devid_err put_encoded(struct devid_field *field, TSS2_RC rc,
                                  const uint8_t *data, size_t len,
                                  struct devid_error *err)
{
    if (rc != TSS2_RC_SUCCESS)
        return devid_fail(err, DEVID_ERR_SYSTEM, rc,
                          "what the TPM answered does not encode");
    return tpm2_field_put(field, data, len, err);
}

static enum devid_err put_public(struct devid_field *field,
                                 const TPM2B_PUBLIC *pub,
                                 struct devid_error *err)
{
    uint8_t data[sizeof(TPMT_PUBLIC)];
    size_t len = 0;
    TSS2_RC rc =
        Tss2_MU_TPMT_PUBLIC_Marshal(&pub->publicArea, data, sizeof(data), &len);

    return put_encoded(field, rc, data, len, err);
}

static enum devid_err put_ticket(struct devid_field *field,
                                 const TPMT_TK_CREATION *ticket,
                                 struct devid_error *err)
{
    uint8_t data[sizeof(TPMT_TK_CREATION)];
    size_t len = 0;
    TSS2_RC rc =
        Tss2_MU_TPMT_TK_CREATION_Marshal(ticket, data, sizeof(data), &len);

    return put_encoded(field, rc, data, len, err);
}

static enum devid_err put_creation(struct devid_field *field,
                                   const TPMS_CREATION_DATA *creation,
                                   struct devid_error *err)
{
    uint8_t data[sizeof(TPMS_CREATION_DATA)];
    size_t len = 0;
    TSS2_RC rc =
        Tss2_MU_TPMS_CREATION_DATA_Marshal(creation, data, sizeof(data), &len);

    return put_encoded(field, rc, data, len, err);
}

/* What the TPM certifies, and its signature; frees both. */
static enum devid_err put_certified(struct devid_field *info,
                                    struct devid_field *info_sig,
                                    TPM2B_ATTEST *attest,
                                    TPMT_SIGNATURE *signature,
                                    struct devid_error *err)
{
    uint8_t data[sizeof(TPMT_SIGNATURE)];
    size_t len = 0;
    TSS2_RC rc =
        Tss2_MU_TPMT_SIGNATURE_Marshal(signature, data, sizeof(data), &len);
    enum devid_err e = put_encoded(info_sig, rc, data, len, err);

    if (e == DEVID_OK)
        e = tpm2_field_put(info, attest->attestationData, attest->size, err);
    Esys_Free(attest);
    Esys_Free(signature);
    return e;
}

/* ---- the IAK's creation ---------------------------------------------- */

static enum devid_err certify_creation(struct tpm2_conn *conn,
                                       const struct tpm2_made *made,
                                       struct devid_identity_request *out,
                                       struct devid_error *err)
{
    const TPMT_SIG_SCHEME own = {.scheme = TPM2_ALG_NULL};
    const TPM2B_DATA qualifying = {0};
    TPM2B_ATTEST *attest = NULL;
    TPMT_SIGNATURE *signature = NULL;
    enum devid_err e = put_ticket(&out->atCreateTkt, &made->ticket, err);
    TSS2_RC rc;

    if (e == DEVID_OK)
        e = put_creation(&out->creation, &made->creation, err);
    if (e != DEVID_OK)
        return e;
    rc = Esys_CertifyCreation(conn->esys, made->object, made->object,
                              ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                              &qualifying, &made->creation_hash, &own,
                              &made->ticket, &attest, &signature);
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "certify the creation of its IAK");
    return put_certified(&out->atCertifyInfo, &out->atCertifyInfoSig, attest,
                         signature, err);
}

/*
 * Make a key that is there once more, with its creation ticket. *again is
 * false where no form of `unique` that we know gives that key.
 */
static enum devid_err remake(struct tpm2_conn *conn, struct tpm2_identity *id,
                             struct tpm2_made *made, bool *again,
                             struct devid_error *err)
{
    TPM2B_PUBLIC template = id->iak.pub;
    unsigned forms =
        template.publicArea.type == TPM2_ALG_RSA ? 1 : TPM2_UNIQUE_COUNT;
    enum devid_err e;

    *again = false;
    for (unsigned form = 0; form < forms; form++) {
        tpm2_template_unique(TPM2_ROLE_IAK, (enum tpm2_unique)form, &template);
        e = tpm2_primary_make(conn, id, &template, made, err);
        if (e != DEVID_OK)
            return e;
        *again = tpm2_public_same(&made->pub, &id->iak.pub);
        if (*again)
            return DEVID_OK;
        tpm2_primary_flush(conn, made);
    }
    return DEVID_OK;
}

/* ---- IAK and IDevID -------------------------------------------------- */

/* What was asked for, else as the other key, else P-256. */
static const struct devid_algorithm *
algorithm_for_new(const struct tpm2_identity *id)
{
    const struct tpm2_held *other = id->iak.known ? &id->iak : &id->idevid;
    struct devid_public pub;

    if (id->alg != NULL)
        return id->alg;
    if (other->known &&
        tpm2_public_to_devid(&other->pub.publicArea, &pub, NULL) == DEVID_OK)
        return pub.alg; /* open_there has compared it with a template */
    return devid_algorithm_by_name("ec-p256");
}

static enum devid_err make_new(struct tpm2_conn *conn, struct tpm2_identity *id,
                               enum tpm2_role role, struct tpm2_made *made,
                               struct devid_error *err)
{
    TPM2B_PUBLIC template;
    enum devid_err e = tpm2_template_devid(role, algorithm_for_new(id),
                                           id->libctx, &template, err);

    return e == DEVID_OK ? tpm2_primary_make(conn, id, &template, made, err)
                         : e;
}

/* Before anything is made: is what is there what belongs there? */
static enum devid_err open_there(struct tpm2_conn *conn,
                                 const struct request_work *w,
                                 enum tpm2_role role, struct devid_error *err)
{
    struct tpm2_identity *id = w->id;
    struct tpm2_held *held = role == TPM2_ROLE_IAK ? &id->iak : &id->idevid;

    if (tpm2_inventory_has(&w->inventory.persistent, held->handle))
        return tpm2_devid_open(conn, id, role, err);
    held->known = false;
    held->object = ESYS_TR_NONE;
    return DEVID_OK;
}

static enum devid_err provide_iak(struct tpm2_conn *conn,
                                  struct request_work *w,
                                  struct devid_error *err)
{
    struct tpm2_identity *id = w->id;
    struct tpm2_made made = {.object = ESYS_TR_NONE};
    const bool there = id->iak.known;
    bool has_ticket = true;
    enum devid_err e = there ? remake(conn, id, &made, &has_ticket, err)
                             : make_new(conn, id, TPM2_ROLE_IAK, &made, err);

    if (e == DEVID_OK && has_ticket)
        e = certify_creation(conn, &made, w->out, err);
    if (e == DEVID_OK && !there)
        e = tpm2_primary_keep(conn, id, &made, &id->iak, err);
    tpm2_primary_flush(conn, &made);
    return e;
}

static enum devid_err provide_idevid(struct tpm2_conn *conn,
                                     struct request_work *w,
                                     struct devid_error *err)
{
    struct tpm2_identity *id = w->id;
    struct tpm2_made made = {.object = ESYS_TR_NONE};
    enum devid_err e;

    if (id->idevid.known)
        return DEVID_OK;
    e = make_new(conn, id, TPM2_ROLE_IDEVID, &made, err);
    if (e == DEVID_OK)
        e = tpm2_primary_keep(conn, id, &made, &id->idevid, err);
    tpm2_primary_flush(conn, &made);
    return e;
}

static enum devid_err fail_hierarchy(const char *name, uint32_t handle,
                                     struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "the key at handle 0x%08x of this TPM looks like an %s, "
                      "and is no primary key of the endorsement hierarchy: it "
                      "was put there by somebody else than the TPM's maker or "
                      "devid",
                      handle, name);
}

static bool same_name(const TPM2B_NAME *a, const TPM2B_NAME *b)
{
    return a->size == b->size && memcmp(a->name, b->name, a->size) == 0;
}

/* The TPM has just said where both keys stand. */
static enum devid_err check_hierarchy(const struct tpm2_identity *id,
                                      const TPM2B_ATTEST *data,
                                      struct devid_error *err)
{
    TPMS_ATTEST attest;
    TPM2B_NAME iak;
    TPM2B_NAME idevid;
    size_t offset = 0;
    enum devid_err e = tpm2_qualified_name(&id->iak.pub, id->libctx, &iak, err);

    if (e == DEVID_OK)
        e = tpm2_qualified_name(&id->idevid.pub, id->libctx, &idevid, err);
    if (e != DEVID_OK)
        return e;
    if (Tss2_MU_TPMS_ATTEST_Unmarshal(data->attestationData, data->size,
                                      &offset, &attest) != TSS2_RC_SUCCESS ||
        attest.type != TPM2_ST_ATTEST_CERTIFY)
        return devid_fail(err, DEVID_ERR_DEVICE, 0,
                          "the TPM's answer to Certify is no certification");
    if (!same_name(&attest.qualifiedSigner, &iak))
        return fail_hierarchy("IAK", id->iak.handle, err);
    if (!same_name(&attest.attested.certify.qualifiedName, &idevid))
        return fail_hierarchy("IDevID", id->idevid.handle, err);
    return DEVID_OK;
}

static enum devid_err certify(struct tpm2_conn *conn, struct request_work *w,
                              struct devid_error *err)
{
    const TPMT_SIG_SCHEME own = {.scheme = TPM2_ALG_NULL};
    const TPM2B_DATA qualifying = {0};
    struct tpm2_identity *id = w->id;
    struct tpm2_tcg_session session = {
        .branch = TPM2_BRANCH_CERTIFY,
        .role = TPM2_ROLE_IDEVID,
        .hash = id->idevid.pub.publicArea.nameAlg,
        .salt = ESYS_TR_NONE,
    };
    TPM2B_ATTEST *attest = NULL;
    TPMT_SIGNATURE *signature = NULL;
    enum devid_err e = tpm2_tcg_session_start(conn, id, &session, err);
    TSS2_RC rc = TSS2_RC_SUCCESS;

    if (e == DEVID_OK) {
        rc = Esys_Certify(conn->esys, id->idevid.object, id->iak.object,
                          session.handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                          &qualifying, &own, &attest, &signature);
        if (rc != TSS2_RC_SUCCESS)
            e = tpm2_fail(err, rc, "certify its IDevID");
    }
    tpm2_tcg_sessions_end(conn, id, e == DEVID_OK);
    if (e != DEVID_OK)
        return e;
    e = check_hierarchy(id, attest, err);
    if (e != DEVID_OK) {
        Esys_Free(attest);
        Esys_Free(signature);
        return e;
    }
    return put_certified(&w->out->sgnCertifyInfo, &w->out->sgnCertifyInfoSig,
                         attest, signature, err);
}

/* ---- the request ----------------------------------------------------- */

static enum devid_err request_op(struct tpm2_conn *conn, void *arg,
                                 struct devid_error *err)
{
    struct request_work *w = arg;
    struct tpm2_identity *id = w->id;
    struct devid_identity_request *out = w->out;
    enum devid_err e;

    devid_identity_request_clear(out); /* of an attempt before this one */
    e = tpm2_inventory_read(conn, &w->inventory, err);
    if (e == DEVID_OK)
        e = open_there(conn, w, TPM2_ROLE_IAK, err);
    if (e == DEVID_OK)
        e = open_there(conn, w, TPM2_ROLE_IDEVID, err);
    if (e == DEVID_OK)
        e = tpm2_ek_open(conn, id, &w->inventory, true, err);
    if (e == DEVID_OK)
        e = tpm2_ek_certs(conn, id, &w->inventory, out, err);
    if (e == DEVID_OK)
        e = provide_iak(conn, w, err);
    if (e == DEVID_OK)
        e = provide_idevid(conn, w, err);
    if (e == DEVID_OK)
        e = certify(conn, w, err);
    if (e == DEVID_OK)
        e = put_public(&out->ekPub, &id->ek.pub, err);
    if (e == DEVID_OK)
        e = put_public(&out->attestPub, &id->iak.pub, err);
    if (e == DEVID_OK)
        e = put_public(&out->signingPub, &id->idevid.pub, err);
    if (e == DEVID_OK)
        e = tpm2_public_to_devid(&id->ek.pub.publicArea, &out->ek, err);
    if (e == DEVID_OK)
        e = tpm2_public_to_devid(&id->iak.pub.publicArea, &out->iak, err);
    if (e == DEVID_OK)
        e = tpm2_public_to_devid(&id->idevid.pub.publicArea, &out->idevid, err);
    out->hash = tpm2_hash_from_id(id->idevid.pub.publicArea.nameAlg);
    out->ek_handle = id->ek.handle;
    out->ek_kind = id->ek_kind != NULL ? id->ek_kind->name : NULL;
    return e;
}

enum devid_err tpm2_identity_request(void *identity,
                                     struct devid_identity_request *request,
                                     struct devid_error *err)
{
    struct request_work work = {.id = identity, .out = request};

    return tpm2_run(work.id->conn, request_op, &work, err);
}
