/* SPDX-License-Identifier: Apache-2.0 */
#include "algid.h"
#include "backend.h"
#include "libcrypto.h"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* Defaults of RSASSA-PSS-params, which DER leaves out (RFC 8017, A.2.3). */
#define PSS_DEFAULT_HASH "SHA1"
#define PSS_DEFAULT_SALT 20
#define PSS_TRAILER 1

/* ---- RSASSA-PSS-params ----------------------------------------------- */

static bool is_default(const struct devid_hash *hash)
{
    return hash == devid_hash_by_name(PSS_DEFAULT_HASH);
}

/* A hash's AlgorithmIdentifier, with the NULL that RFC 4055 section 2.1 has. */
static X509_ALGOR *hash_algorithm(const struct devid_hash *hash)
{
    X509_ALGOR *alg = X509_ALGOR_new();

    if (alg == NULL ||
        X509_ALGOR_set0(alg, OBJ_nid2obj(hash->nid), V_ASN1_NULL, NULL) == 1)
        return alg;
    X509_ALGOR_free(alg);
    return NULL;
}

/* MGF1 with its hash as parameter. */
static X509_ALGOR *mgf1_algorithm(const struct devid_hash *mgf1)
{
    X509_ALGOR *hash = hash_algorithm(mgf1);
    X509_ALGOR *alg = X509_ALGOR_new();
    ASN1_STRING *packed = NULL;

    if (hash != NULL && alg != NULL)
        packed = ASN1_item_pack(hash, ASN1_ITEM_rptr(X509_ALGOR), NULL);
    X509_ALGOR_free(hash);
    if (packed != NULL && X509_ALGOR_set0(alg, OBJ_nid2obj(NID_mgf1),
                                          V_ASN1_SEQUENCE, packed) == 1)
        return alg;
    ASN1_STRING_free(packed);
    X509_ALGOR_free(alg);
    return NULL;
}

ASN1_STRING *devid_pss_put(const struct devid_hash *hash,
                           const struct devid_hash *mgf1, size_t salt_len)
{
    RSA_PSS_PARAMS *params = RSA_PSS_PARAMS_new();
    ASN1_STRING *packed = NULL;
    bool ok = params != NULL;

    if (ok && !is_default(hash)) {
        params->hashAlgorithm = hash_algorithm(hash);
        ok = params->hashAlgorithm != NULL;
    }
    if (ok && !is_default(mgf1)) {
        params->maskGenAlgorithm = mgf1_algorithm(mgf1);
        ok = params->maskGenAlgorithm != NULL;
    }
    if (ok && salt_len != PSS_DEFAULT_SALT) {
        params->saltLength = ASN1_INTEGER_new();
        ok = params->saltLength != NULL &&
             ASN1_INTEGER_set_uint64(params->saltLength, salt_len) == 1;
    }
    if (ok)
        packed = ASN1_item_pack(params, ASN1_ITEM_rptr(RSA_PSS_PARAMS), NULL);
    RSA_PSS_PARAMS_free(params);
    return packed;
}

/* ---- and back -------------------------------------------------------- */

/* The hash that an AlgorithmIdentifier names; NULL: one that devid has not. */
static const struct devid_hash *hash_of(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid = NULL;

    if (algorithm == NULL)
        return devid_hash_by_name(PSS_DEFAULT_HASH);
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    return devid_hash_by_name(OBJ_nid2sn(OBJ_obj2nid(oid)));
}

static const struct devid_hash *mgf1_of(const X509_ALGOR *mask)
{
    const struct devid_hash *hash = NULL;
    const ASN1_OBJECT *oid = NULL;
    const void *param = NULL;
    X509_ALGOR *algorithm;
    int type = V_ASN1_UNDEF;

    if (mask == NULL)
        return devid_hash_by_name(PSS_DEFAULT_HASH);
    X509_ALGOR_get0(&oid, &type, &param, mask);
    if (OBJ_obj2nid(oid) != NID_mgf1 || type != V_ASN1_SEQUENCE)
        return NULL;
    algorithm = ASN1_item_unpack(param, ASN1_ITEM_rptr(X509_ALGOR));
    if (algorithm != NULL)
        hash = hash_of(algorithm);
    X509_ALGOR_free(algorithm);
    return hash;
}

/* A number, or its default where DER leaves it out; UINT64_MAX: no number. */
static uint64_t number_of(const ASN1_INTEGER *integer, uint64_t absent)
{
    uint64_t number = absent;

    if (integer != NULL && ASN1_INTEGER_get_uint64(&number, integer) != 1)
        return UINT64_MAX;
    return number;
}

static enum devid_err get_params(const RSA_PSS_PARAMS *params,
                                 struct devid_public *pub,
                                 struct devid_error *err)
{
    const struct devid_hash *hash = hash_of(params->hashAlgorithm);
    uint64_t salt_len = number_of(params->saltLength, PSS_DEFAULT_SALT);

    if (hash == NULL || mgf1_of(params->maskGenAlgorithm) != hash ||
        number_of(params->trailerField, PSS_TRAILER) != PSS_TRAILER)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the RSA-PSS public key is bound to a hash that "
                          "devid does not know, or to another one for MGF1");
    if (salt_len > hash->len)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the RSA-PSS public key is bound to a salt that is "
                          "longer than the %zu bytes of its hash %s: TLS "
                          "takes no such signature",
                          hash->len, hash->name);
    pub->hash = hash;
    pub->salt_len = (size_t)salt_len;
    return DEVID_OK;
}

enum devid_err devid_pss_get(const X509_ALGOR *algorithm,
                             struct devid_public *pub, struct devid_error *err)
{
    RSA_PSS_PARAMS *params = NULL;
    const void *param = NULL;
    int type = V_ASN1_UNDEF;
    enum devid_err e;

    X509_ALGOR_get0(NULL, &type, &param, algorithm);
    if (type == V_ASN1_UNDEF)
        return DEVID_OK; /* bound to nothing */
    if (type == V_ASN1_SEQUENCE)
        params = ASN1_item_unpack(param, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    if (params == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the parameters of the RSA-PSS public key are no "
                          "RSASSA-PSS-params");
    e = get_params(params, pub, err);
    RSA_PSS_PARAMS_free(params);
    return e;
}

/* ---- signatures ------------------------------------------------------ */

/* A scheme and a hash that have one name together. */
static enum devid_err put_pair(const struct devid_tbs *tbs, int key_nid,
                               int parameter, X509_ALGOR *out,
                               struct devid_error *err)
{
    int nid = NID_undef;

    if (OBJ_find_sigid_by_algs(&nid, tbs->hash->nid, key_nid) != 1)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "no certificate or request can name %s with %s: "
                          "take SHA256, SHA384 or SHA512",
                          devid_scheme_name(tbs->scheme), tbs->hash->name);
    return X509_ALGOR_set0(out, OBJ_nid2obj(nid), parameter, NULL) == 1
               ? DEVID_OK
               : devid_no_memory(err);
}

static enum devid_err put_pss(const struct devid_tbs *tbs, X509_ALGOR *out,
                              struct devid_error *err)
{
    const struct devid_hash *mgf1 = tbs->mgf1 != NULL ? tbs->mgf1 : tbs->hash;
    ASN1_STRING *params = devid_pss_put(tbs->hash, mgf1, tbs->salt_len);

    if (params != NULL && X509_ALGOR_set0(out, OBJ_nid2obj(NID_rsassaPss),
                                          V_ASN1_SEQUENCE, params) == 1)
        return DEVID_OK;
    ASN1_STRING_free(params);
    return devid_no_memory(err);
}

enum devid_err devid_algorithm_put(const struct devid_tbs *tbs, X509_ALGOR *out,
                                   struct devid_error *err)
{
    if (tbs->hash == NULL && tbs->scheme != DEVID_EDDSA)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "a signature in a certificate needs the name of its "
                          "hash");
    switch (tbs->scheme) {
    case DEVID_ECDSA: /* RFC 5758: no parameters */
        return put_pair(tbs, NID_X9_62_id_ecPublicKey, V_ASN1_UNDEF, out, err);
    case DEVID_RSA_PKCS1: /* RFC 4055: NULL */
        return put_pair(tbs, NID_rsaEncryption, V_ASN1_NULL, out, err);
    case DEVID_RSA_PSS:
        return put_pss(tbs, out, err);
    case DEVID_EDDSA: /* RFC 8410, 3: no parameters */
        break;
    }
    return X509_ALGOR_set0(out, OBJ_nid2obj(NID_ED25519), V_ASN1_UNDEF, NULL) ==
                   1
               ? DEVID_OK
               : devid_no_memory(err);
}

enum devid_err devid_algorithm_id(const struct devid_tbs *tbs, uint8_t **der,
                                  size_t *len, struct devid_error *err)
{
    X509_ALGOR *algorithm;
    enum devid_err e;
    int n;

    *der = NULL;
    *len = 0;
    devid_quiet_begin();
    algorithm = X509_ALGOR_new();
    e = algorithm == NULL ? devid_no_memory(err)
                          : devid_algorithm_put(tbs, algorithm, err);
    if (e == DEVID_OK) {
        n = i2d_X509_ALGOR(algorithm, der);
        if (n <= 0)
            e = devid_no_memory(err);
        else
            *len = (size_t)n;
    }
    X509_ALGOR_free(algorithm);
    devid_quiet_end();
    return e;
}
