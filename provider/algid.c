/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AlgorithmIdentifier of a signature, as certificates and requests carry
 * it. X509_sign and its kin ask for it before they sign.
 */
#include "sig.h"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* Defaults of RSASSA-PSS-params, which DER leaves out (RFC 8017, A.2.3). */
#define PSS_DEFAULT_HASH NID_sha1
#define PSS_DEFAULT_SALT 20

/* A hash's AlgorithmIdentifier, with the NULL that RFC 4055 section 2.1 has. */
static X509_ALGOR *hash_algorithm(int nid)
{
    X509_ALGOR *alg = X509_ALGOR_new();

    if (alg == NULL ||
        X509_ALGOR_set0(alg, OBJ_nid2obj(nid), V_ASN1_NULL, NULL) == 1)
        return alg;
    X509_ALGOR_free(alg);
    return NULL;
}

/* MGF1 with its hash as parameter. */
static X509_ALGOR *mgf1_algorithm(int hash_nid)
{
    X509_ALGOR *hash = hash_algorithm(hash_nid);
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

/* RSASSA-PSS-params, packed; NULL where libcrypto fails. */
static ASN1_STRING *pss_params(int hash_nid, int mgf1_nid, size_t salt_len)
{
    RSA_PSS_PARAMS *params = RSA_PSS_PARAMS_new();
    ASN1_STRING *packed = NULL;
    bool ok = params != NULL;

    if (ok && hash_nid != PSS_DEFAULT_HASH) {
        params->hashAlgorithm = hash_algorithm(hash_nid);
        ok = params->hashAlgorithm != NULL;
    }
    if (ok && mgf1_nid != PSS_DEFAULT_HASH) {
        params->maskGenAlgorithm = mgf1_algorithm(mgf1_nid);
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

/* False: raised. */
static bool set_pss(const struct prov_sig *sig, X509_ALGOR *alg)
{
    const struct devid_hash *mgf1 = sig->mgf1 != NULL ? sig->mgf1 : sig->hash;
    ASN1_STRING *params;
    size_t salt_len = 0;

    if (!prov_sig_salt(sig, &salt_len))
        return false; /* prov_sig_salt raised */
    params = pss_params(sig->hash->nid, mgf1->nid, salt_len);
    if (params != NULL && X509_ALGOR_set0(alg, OBJ_nid2obj(NID_rsassaPss),
                                          V_ASN1_SEQUENCE, params) == 1)
        return true;
    ASN1_STRING_free(params);
    prov_raise_memory(sig->ctx);
    return false;
}

/* False: raised. ECDSA has no parameters (RFC 5758), PKCS#1 NULL (RFC 4055). */
static bool set_plain(const struct prov_sig *sig, bool is_ec, X509_ALGOR *alg)
{
    int key_nid = is_ec ? NID_X9_62_id_ecPublicKey : NID_rsaEncryption;
    int nid = NID_undef;

    if (OBJ_find_sigid_by_algs(&nid, sig->hash->nid, key_nid) != 1) {
        prov_raise(sig->ctx, DEVID_ERR_ALG,
                   "no certificate can say %s with %s: take another hash",
                   is_ec ? "ECDSA" : "RSA PKCS#1", sig->hash->name);
        return false;
    }
    if (X509_ALGOR_set0(alg, OBJ_nid2obj(nid),
                        is_ec ? V_ASN1_UNDEF : V_ASN1_NULL, NULL) == 1)
        return true;
    prov_raise_memory(sig->ctx);
    return false;
}

bool prov_sig_algorithm_id(const struct prov_sig *sig, uint8_t **der,
                           size_t *len)
{
    bool is_ec = devid_key_public(sig->key)->type == DEVID_KEY_EC;
    X509_ALGOR *alg = X509_ALGOR_new();
    bool ok = false;
    int n;

    *der = NULL;
    if (alg == NULL) {
        prov_raise_memory(sig->ctx);
        return false;
    }
    if (sig->hash == NULL)
        prov_raise(sig->ctx, DEVID_ERR_USAGE,
                   "a signature in a certificate needs the name of its hash");
    else
        ok =
            sig->pss && !is_ec ? set_pss(sig, alg) : set_plain(sig, is_ec, alg);
    if (ok) {
        n = i2d_X509_ALGOR(alg, der);
        ok = n > 0;
        *len = (size_t)n;
        if (!ok)
            prov_raise_memory(sig->ctx);
    }
    X509_ALGOR_free(alg);
    return ok;
}
