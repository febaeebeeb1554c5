/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures as a TPM gives them. */
#include "attest_internal.h"

#include "../backend.h"

#include <openssl/evp.h>

#include <string.h>

/* Scheme, hash and the raw bytes; false for a kind that does not count. */
static bool take(const TPMT_SIGNATURE *s, size_t len, struct devid_tbs *tbs,
                 struct devid_sig *sig)
{
    /* All of them begin with the hash. */
    const TPMS_SIGNATURE_ECC *ecc = &s->signature.ecdsa;
    const TPMS_SIGNATURE_RSA *rsa = &s->signature.rsassa;
    TPMI_ALG_HASH hash = s->signature.any.hashAlg;

    tbs->hash = hash == TPM2_ALG_SHA1 ? NULL : tpm2_hash_from_id(hash);
    if (tbs->hash == NULL)
        return false;
    if (s->sigAlg == TPM2_ALG_ECDSA) {
        tbs->scheme = DEVID_ECDSA;
        sig->len = 2 * len;
        return len <= DEVID_COORDINATE_MAX &&
               tpm2_put_coordinate(ecc->signatureR.buffer, ecc->signatureR.size,
                                   sig->data, len) &&
               tpm2_put_coordinate(ecc->signatureS.buffer, ecc->signatureS.size,
                                   sig->data + len, len);
    }
    if (s->sigAlg != TPM2_ALG_RSASSA && s->sigAlg != TPM2_ALG_RSAPSS)
        return false;
    tbs->scheme =
        s->sigAlg == TPM2_ALG_RSASSA ? DEVID_RSA_PKCS1 : DEVID_RSA_PSS;
    tbs->salt_len = tbs->hash->len;
    sig->len = rsa->sig.size;
    if (sig->len > sizeof(sig->data))
        return false;
    memcpy(sig->data, rsa->sig.buffer, sig->len);
    return true;
}

enum devid_err attest_signature_verify(const struct devid_public *pub,
                                       OSSL_LIB_CTX *libctx,
                                       struct devid_bytes data,
                                       const TPMT_SIGNATURE *signature,
                                       struct devid_error *err)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct devid_sig sig = {0};
    struct devid_tbs tbs = {.digest = digest};
    enum devid_err e;

    if (!take(signature, pub->coordinate_len, &tbs, &sig) ||
        (tbs.scheme == DEVID_ECDSA) != (pub->type == DEVID_KEY_EC)) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "it is a TPM's signature of kind 0x%x with hash "
                          "0x%x: ECDSA, RSASSA or RSAPSS, as fits the key, "
                          "with SHA-256, SHA-384 or SHA-512 is wanted",
                          signature->sigAlg, signature->signature.any.hashAlg);
    }
    tbs.digest_len = tbs.hash->len;
    e = attest_digest(tbs.hash, libctx, data, digest, err);
    if (e != DEVID_OK)
        return e;
    e = devid_verify(pub, libctx, &tbs, &sig, err);
    if (e == DEVID_ERR_WRONG_KEY && tbs.scheme == DEVID_RSA_PSS) {
        /* TPMs before revision 1.38 salt with all the room there is. */
        tbs.salt_len = pub->coordinate_len - tbs.hash->len - 2;
        e = devid_verify(pub, libctx, &tbs, &sig, err);
    }
    return e;
}
