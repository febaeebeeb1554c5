/* SPDX-License-Identifier: Apache-2.0 */
/* Make a key in the TPM: its commands. */
#include "create.h"

#include "../secret.h"
#include "policy.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* ---- what the chip has ----------------------------------------------- */

static bool chip_has(struct tpm2_conn *conn, const struct devid_algorithm *alg,
                     const char *hash)
{
    struct devid_key_spec spec = {.algorithm = alg->name, .hash = hash};
    TPMT_PUBLIC_PARMS parms = {0};
    TPM2B_PUBLIC template;

    tpm2_template_key(&spec, alg, &template);
    parms.type = template.publicArea.type;
    parms.parameters = template.publicArea.parameters;
    return Esys_TestParms(conn->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                          &parms) == TSS2_RC_SUCCESS;
}

/* Says what the chip has where the algorithm was what it refused. */
static enum devid_err create_failed(struct tpm2_conn *conn,
                                    const struct tpm2_create *r,
                                    const struct tpm2_auth *auth, TSS2_RC rc,
                                    struct devid_error *err)
{
    const char *hash = r->spec->hash;
    char list[160] = "";
    size_t used = 0;

    if (tpm2_rc_base(rc) == 0 || tpm2_rc_action(rc) != TPM2_ACTION_FAIL ||
        chip_has(conn, r->alg, hash))
        return tpm2_auth_fail(conn, auth, rc, err);
    for (const struct devid_algorithm *a = devid_algorithms(); a->name != NULL;
         a++) {
        if (!chip_has(conn, a, NULL))
            continue;
        int n = snprintf(list + used, sizeof(list) - used, "%s%s",
                         used ? ", " : "", a->name);
        if (n > 0 && (size_t)n < sizeof(list) - used)
            used += (size_t)n;
    }
    return devid_fail(err, DEVID_ERR_ALG, rc,
                      "this TPM has no %s%s%s; it has %s (0x%x)", r->alg->name,
                      hash != NULL ? " with " : "", hash != NULL ? hash : "",
                      used ? list : "no algorithm that devid uses", rc);
}

/* ---- creation -------------------------------------------------------- */

/* The key that an attempt before this one made. */
static bool is_ours(const struct tpm2_create *r, const TPM2B_PUBLIC *found)
{
    struct devid_public made;
    struct devid_public there;

    return r->persisting && r->public_part != NULL &&
           tpm2_public_to_devid(&r->public_part->publicArea, &made, NULL) ==
               DEVID_OK &&
           tpm2_public_to_devid(&found->publicArea, &there, NULL) == DEVID_OK &&
           devid_public_equal(&made, &there);
}

/* *done: the TPM had put the key there, when the link was lost. */
static enum devid_err check_free(struct tpm2_conn *conn,
                                 const struct tpm2_create *r, bool *done,
                                 struct devid_error *err)
{
    ESYS_TR object = ESYS_TR_NONE;
    TPM2B_PUBLIC pub;
    enum devid_err e = tpm2_read_handle(conn, r->persist, &object, &pub, err);

    if (e == DEVID_ERR_NOT_FOUND)
        return DEVID_OK;
    if (e != DEVID_OK)
        return e;
    (void)Esys_TR_Close(conn->esys, &object);
    *done = is_ours(r, &pub);
    if (*done)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_EXISTS, 0,
                      "persistent handle 0x%08x of this TPM is taken: give "
                      "another, or free it with devid delete "
                      "tpm2:handle=0x%08x",
                      r->persist, r->persist);
}

static enum devid_err make_persistent(struct tpm2_conn *conn,
                                      struct tpm2_create *r,
                                      const struct tpm2_parent *parent,
                                      struct devid_error *err)
{
    ESYS_TR loaded = ESYS_TR_NONE;
    enum devid_err e = tpm2_parent_load(conn, parent, r->private_part,
                                        r->public_part, &loaded, err);

    if (e != DEVID_OK)
        return e;
    r->persisting = true;
    e = tpm2_evict(conn, loaded, r->persist, r->owner_auth,
                   "make the new key persistent", err);
    tpm2_flush(conn, loaded);
    return e;
}

/* TPM2_Create; the new key's auth value crosses encrypted. */
static enum devid_err create_key(struct tpm2_conn *conn, struct tpm2_create *r,
                                 const struct tpm2_parent *parent,
                                 struct devid_error *err)
{
    struct tpm2_auth auth = {
        .object = parent->handle,
        .secret = parent->auth,
        .encrypt = r->spec->auth_len > 0,
        .what = "the key's parent",
        .doing = "make the key",
    };
    TPM2B_SENSITIVE_CREATE sensitive = {0};
    TPML_PCR_SELECTION pcrs = {0};
    TPM2B_DATA outside = {0};
    TPM2B_PUBLIC template;
    enum devid_err e;
    TSS2_RC rc;

    if (!parent->transient && auth.encrypt)
        tpm2_salt_remember(conn, parent->handle);
    e = tpm2_auth_begin(conn, &auth, err);
    if (e != DEVID_OK)
        return e;
    tpm2_template_key(r->spec, r->alg, &template);
    if (r->policy.count > 0) {
        template.publicArea.objectAttributes &= ~TPMA_OBJECT_USERWITHAUTH;
        template.publicArea.authPolicy = r->policy_digest;
    }
    sensitive.sensitive.userAuth.size = (UINT16)r->spec->auth_len;
    if (r->spec->auth_len > 0) /* parse_spec has checked its length */
        memcpy(sensitive.sensitive.userAuth.buffer, r->spec->auth,
               r->spec->auth_len);
    rc = Esys_Create(conn->esys, parent->handle, auth.session, ESYS_TR_NONE,
                     ESYS_TR_NONE, &sensitive, &template, &outside, &pcrs,
                     &r->private_part, &r->public_part, NULL, NULL, NULL);
    OPENSSL_cleanse(&sensitive, sizeof(sensitive));
    tpm2_auth_end(conn, &auth, rc);
    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : create_failed(conn, r, &auth, rc, err);
}

static enum devid_err create_op(struct tpm2_conn *conn, void *arg,
                                struct devid_error *err)
{
    struct tpm2_create *r = arg;
    struct tpm2_parent parent = {.handle = ESYS_TR_NONE};
    enum devid_err e = DEVID_OK;
    bool done = false;

    if (r->persist != 0)
        e = check_free(conn, r, &done, err);
    if (e != DEVID_OK || done)
        return e;
    e = tpm2_policy_make(conn, r, err);
    if (e == DEVID_OK)
        e = tpm2_parent_open_default(conn, &r->parent, r->parent_auth, &parent,
                                     err);
    if (e != DEVID_OK)
        return e;
    Esys_Free(r->private_part); /* of an attempt before this one */
    r->persisting = false;
    Esys_Free(r->public_part);
    r->private_part = NULL;
    r->public_part = NULL;
    e = create_key(conn, r, &parent, err);
    if (e == DEVID_OK && r->persist != 0)
        e = make_persistent(conn, r, &parent, err);
    tpm2_parent_close(conn, &parent);
    return e;
}

/*
 * Sign once. A chip that salts RSA-PSS otherwise than TLS takes it has no use
 * for a key that signs nothing else: said now, not in the handshake.
 */
static enum devid_err prove_pss(void *state, const struct devid_key_spec *spec,
                                const struct devid_keyfile *file,
                                struct devid_error *err)
{
    static const uint8_t digest[EVP_MAX_MD_SIZE];
    struct devid_tbs tbs = {.scheme = DEVID_RSA_PSS, .digest = digest};
    struct devid_key_limits limits = {0};
    struct devid_secret *auth = NULL;
    struct devid_public pub;
    struct devid_sig sig;
    void *key = NULL;
    enum devid_err e = tpm2_key_open(state, file, &key, &pub, &limits, err);

    if (e != DEVID_OK)
        return e;
    if (spec->auth_len > 0)
        e = devid_secret_new(spec->auth, spec->auth_len, &auth, err);
    if (e == DEVID_OK && auth != NULL)
        tpm2_key_set_auth(key, auth);
    tbs.hash = pub.hash;
    tbs.digest_len = pub.hash->len;
    tbs.salt_len = pub.hash->len;
    if (e == DEVID_OK)
        e = tpm2_sign(key, &tbs, &sig, err);
    tpm2_key_free(&key);
    /* Nothing stays behind; if it does, the sentence is still right. */
    if (e != DEVID_OK && file->uri != NULL)
        (void)tpm2_remove(state, file->uri, NULL);
    return e;
}

enum devid_err tpm2_key_create(void *state, const struct devid_key_spec *spec,
                               struct devid_keyfile *file,
                               struct devid_error *err)
{
    const struct tpm2_state *self = state;
    struct tpm2_create request = {.libctx = devid_libctx(self->engine)};
    enum devid_err e = tpm2_spec_parse(self->engine, spec, &request, err);

    if (e == DEVID_OK)
        e = tpm2_run(self->conn, create_op, &request, err);
    if (e == DEVID_OK)
        e = request.persist != 0 ? tpm2_spec_reference(&request, file, err)
                                 : tpm2_spec_blob(&request, file, err);
    /* A key with a policy may not sign yet. */
    if (e == DEVID_OK && request.alg->type == DEVID_KEY_RSA_PSS &&
        file->policy.count == 0)
        e = prove_pss(state, spec, file, err);
    devid_secret_free(&request.parent_auth);
    devid_secret_free(&request.owner_auth);
    devid_policy_clear(&request.policy);
    Esys_Free(request.public_part);
    Esys_Free(request.private_part);
    return e;
}
