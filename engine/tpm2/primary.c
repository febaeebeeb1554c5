/* SPDX-License-Identifier: Apache-2.0 */
/* Primary keys of the endorsement hierarchy: make, keep, flush. */
#include "identity.h"

#include <string.h>

/* Says so where it is the template that the chip refuses. */
static enum devid_err make_failed(struct tpm2_conn *conn,
                                  const struct tpm2_auth *auth,
                                  const TPM2B_PUBLIC *template, TSS2_RC rc,
                                  struct devid_error *err)
{
    const TPMT_PUBLIC *area = &template->publicArea;
    bool is_ecc = area->type == TPM2_ALG_ECC;

    switch (tpm2_rc_base(rc)) {
    case TPM2_RC_CURVE:
    case TPM2_RC_ASYMMETRIC:
    case TPM2_RC_SYMMETRIC:
    case TPM2_RC_HASH:
    case TPM2_RC_VALUE:
    case TPM2_RC_KEY_SIZE:
        return devid_fail(err, DEVID_ERR_ALG, rc,
                          "this TPM makes no key from the TCG's template for "
                          "%s %u with name algorithm 0x%x: ask for another "
                          "algorithm (0x%x)",
                          is_ecc ? "ECC curve" : "RSA",
                          is_ecc ? area->parameters.eccDetail.curveID
                                 : area->parameters.rsaDetail.keyBits,
                          area->nameAlg, rc);
    default: /* not an enum */
        return tpm2_auth_fail(conn, auth, rc, err);
    }
}

enum devid_err tpm2_primary_make(struct tpm2_conn *conn,
                                 struct tpm2_identity *id,
                                 const TPM2B_PUBLIC *template,
                                 struct tpm2_made *made,
                                 struct devid_error *err)
{
    const TPM2B_SENSITIVE_CREATE sensitive = {0};
    const TPML_PCR_SELECTION pcrs = {0};
    const TPM2B_DATA outside = {0};
    struct tpm2_auth auth = {
        .object = ESYS_TR_RH_ENDORSEMENT,
        .secret = id->endorsement_auth,
        .what = "the endorsement hierarchy (endorsement-auth-source)",
        .doing = "make a primary key of the endorsement hierarchy",
    };
    TPM2B_PUBLIC *pub = NULL;
    TPM2B_CREATION_DATA *creation = NULL;
    TPM2B_DIGEST *hash = NULL;
    TPMT_TK_CREATION *ticket = NULL;
    enum devid_err e = tpm2_auth_begin(conn, &auth, err);
    TSS2_RC rc;

    made->object = ESYS_TR_NONE;
    if (e != DEVID_OK)
        return e;
    rc = Esys_CreatePrimary(conn->esys, auth.object, auth.session, ESYS_TR_NONE,
                            ESYS_TR_NONE, &sensitive, template, &outside, &pcrs,
                            &made->object, &pub, &creation, &hash, &ticket);
    tpm2_auth_end(conn, &auth, rc);
    if (rc != TSS2_RC_SUCCESS) {
        made->object = ESYS_TR_NONE;
        if (tpm2_rc_base(rc) == TPM2_RC_OBJECT_MEMORY)
            tpm2_orphans_objects(conn, id->libctx, ESYS_TR_NONE);
        return make_failed(conn, &auth, template, rc, err);
    }
    made->pub = *pub;
    made->creation = creation->creationData;
    made->creation_hash = *hash;
    made->ticket = *ticket;
    Esys_Free(pub);
    Esys_Free(creation);
    Esys_Free(hash);
    Esys_Free(ticket);
    tpm2_orphans_objects(conn, id->libctx, made->object);
    return DEVID_OK;
}

void tpm2_primary_flush(struct tpm2_conn *conn, struct tpm2_made *made)
{
    /* If this fails it is gone, or the link and all with it. */
    if (made->object != ESYS_TR_NONE)
        tpm2_flush(conn, made->object);
    made->object = ESYS_TR_NONE;
}

enum devid_err tpm2_primary_keep(struct tpm2_conn *conn,
                                 struct tpm2_identity *id,
                                 const struct tpm2_made *made,
                                 struct tpm2_held *held,
                                 struct devid_error *err)
{
    enum devid_err e = tpm2_persist(conn, made->object, held->handle,
                                    id->owner_auth, &held->object, err);

    if (e != DEVID_OK)
        return e;
    held->pub = made->pub;
    held->known = true;
    held->instance = conn->instance;
    return DEVID_OK;
}
