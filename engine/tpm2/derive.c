/* SPDX-License-Identifier: Apache-2.0 */
/* Key agreement: TPM2_ECDH_ZGen, of whose point x is the secret. */
#include "tpm2.h"

#include <string.h>

#include <openssl/crypto.h>

struct derive_request {
    struct tpm2_key *key;
    const struct devid_public *peer;
    struct devid_shared *shared;
};

static enum devid_err derive_plan(void *arg, struct devid_error *err)
{
    const struct derive_request *r = arg;

    return tpm2_key_may(r->key, TPMA_OBJECT_DECRYPT)
               ? DEVID_OK
               : devid_fail_signs_only(err, 0);
}

static TSS2_RC derive_command(void *arg, ESYS_CONTEXT *esys, ESYS_TR session)
{
    struct derive_request *r = arg;
    size_t len = r->peer->coordinate_len;
    TPM2B_ECC_POINT in = {0};
    TPM2B_ECC_POINT *out = NULL;
    TSS2_RC rc;

    in.point.x.size = (UINT16)len;
    memcpy(in.point.x.buffer, r->peer->x, len);
    in.point.y.size = (UINT16)len;
    memcpy(in.point.y.buffer, r->peer->y, len);
    rc = Esys_ECDH_ZGen(esys, r->key->handle, session, ESYS_TR_NONE,
                        ESYS_TR_NONE, &in, &out);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    if (!tpm2_put_coordinate(out->point.x.buffer, out->point.x.size,
                             r->shared->data, len))
        rc = TSS2_ESYS_RC_MALFORMED_RESPONSE;
    OPENSSL_cleanse(out, sizeof(*out));
    Esys_Free(out);
    return rc;
}

static enum devid_err derive_refused(void *arg, TSS2_RC rc,
                                     struct devid_error *err)
{
    (void)arg;
    if (tpm2_rc_base(rc) != TPM2_RC_SCHEME && tpm2_rc_base(rc) != TPM2_RC_KEY)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_ALG, rc,
                      "the TPM does not agree on a secret with this key, which "
                      "is fixed to a signature scheme (0x%x): make one with "
                      "devid keygen --decrypt",
                      rc);
}

enum devid_err tpm2_derive(void *key, const struct devid_public *peer,
                           struct devid_shared *shared, struct devid_error *err)
{
    struct derive_request r = {.key = key, .peer = peer, .shared = shared};
    struct tpm2_use use = {.key = key,
                           .doing = "agree on a secret",
                           .secret = true,
                           .arg = &r,
                           .plan = derive_plan,
                           .command = derive_command,
                           .refused = derive_refused};

    return tpm2_key_use(&use, err);
}
