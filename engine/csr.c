/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate requests. The request is put together here and only its digest
 * goes to the key, so that libcrypto need not know the key at all.
 * Source: RFC 2986; algorithm identifiers RFC 5758 and RFC 4055.
 */
#include "algid.h"
#include "algorithm.h"
#include "backend.h"
#include "extensions.h"
#include "key.h"
#include "libcrypto.h"
#include "spki.h"
#include "subject.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <string.h>

/* The hash that is as strong as the key, where nobody asks for another. */
static const char *hash_for(const struct devid_public *pub)
{
    if (pub->hash != NULL)
        return pub->hash->name;
    if (pub->type == DEVID_KEY_EC && pub->bits > 384)
        return "SHA512";
    if (pub->type == DEVID_KEY_EC && pub->bits > 256)
        return "SHA384";
    return "SHA256";
}

/* How the request is signed, but for the digest. */
static enum devid_err pick_scheme(const struct devid_public *pub,
                                  const char *name, struct devid_tbs *tbs,
                                  X509_ALGOR *algorithm,
                                  struct devid_error *err)
{
    tbs->scheme = devid_key_kind(pub->type)->scheme;
    if (tbs->scheme == DEVID_EDDSA && name == NULL)
        return devid_algorithm_put(tbs, algorithm, err);
    if (name == NULL)
        name = hash_for(pub);
    tbs->hash = devid_hash_by_name(name);
    if (tbs->hash == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the hash '%.60s' is not known: SHA256, SHA384 and "
                          "SHA512 are",
                          name);
    if (tbs->scheme == DEVID_EDDSA)
        return devid_scheme_check(pub, tbs, err);
    if (tbs->scheme == DEVID_RSA_PSS)
        tbs->salt_len = tbs->hash->len;
    return devid_algorithm_put(tbs, algorithm, err);
}

/* The caller frees it. */
static enum devid_err make_name(const struct devid_csr_spec *spec,
                                X509_NAME **name, struct devid_error *err)
{
    if (spec->name == NULL)
        return devid_subject_parse(spec->subject, name, err);
    *name = X509_NAME_dup(spec->name);
    return *name != NULL ? DEVID_OK : devid_no_memory(err);
}

/* Everything but the signature. */
static enum devid_err fill(X509_REQ *req, const struct devid_public *pub,
                           const struct devid_csr_spec *spec,
                           struct devid_error *err)
{
    STACK_OF(X509_EXTENSION) *exts = NULL;
    X509_NAME *name = NULL;
    bool empty;
    enum devid_err e = make_name(spec, &name, err);

    if (e != DEVID_OK)
        return e;
    empty = X509_NAME_entry_count(name) == 0;
    if (empty && !devid_extensions_name(spec))
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the request names nobody: give a subject such as "
                       "/O=Acme/CN=unit-0001, or a subject alternative name");
    if (e == DEVID_OK)
        e = devid_extensions_make(spec, empty, &exts, err);
    if (e == DEVID_OK)
        e = devid_public_put(pub, X509_REQ_get_X509_PUBKEY(req), err);
    if (e == DEVID_OK &&
        (X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
         X509_REQ_set_subject_name(req, name) != 1 ||
         (exts != NULL && X509_REQ_add_extensions(req, exts) != 1)))
        e = devid_no_memory(err);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_NAME_free(name);
    return e;
}

/*
 * What is signed: the request itself where there is no hash, which the caller
 * frees as *message, else its digest.
 */
static enum devid_err fill_tbs(X509_REQ *req, OSSL_LIB_CTX *libctx,
                               struct devid_tbs *tbs, uint8_t **message,
                               uint8_t digest[EVP_MAX_MD_SIZE],
                               struct devid_error *err)
{
    int len = i2d_re_X509_REQ_tbs(req, message);
    EVP_MD *md = NULL;
    bool ok;

    if (len <= 0)
        return devid_no_memory(err);
    tbs->digest = *message;
    tbs->digest_len = (size_t)len;
    if (tbs->hash == NULL)
        return DEVID_OK;
    md = EVP_MD_fetch(libctx, tbs->hash->name, DEVID_PROPQ);
    if (md == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "no provider of OpenSSL offers the hash %s",
                          tbs->hash->name);
    ok = EVP_Digest(*message, (size_t)len, digest, NULL, md, NULL) == 1;
    EVP_MD_free(md);
    tbs->digest = digest;
    tbs->digest_len = tbs->hash->len;
    return ok ? DEVID_OK : devid_no_memory(err);
}

/*
 * A BIT STRING of whole bytes, through its DER: the flag that keeps trailing
 * zero bits is out of reach where ASN1_STRING is opaque (OpenSSL 4).
 */
static ASN1_BIT_STRING *bit_string(const uint8_t *data, size_t len)
{
    int size = ASN1_object_size(0, (int)len + 1, V_ASN1_BIT_STRING);
    uint8_t *der = size > 0 ? OPENSSL_malloc((size_t)size) : NULL;
    ASN1_BIT_STRING *bits = NULL;
    const uint8_t *from = der;
    uint8_t *p = der;

    if (der != NULL) {
        ASN1_put_object(&p, 0, (int)len + 1, V_ASN1_BIT_STRING,
                        V_ASN1_UNIVERSAL);
        *p++ = 0; /* no bit of the last byte is unused */
        memcpy(p, data, len);
        bits = d2i_ASN1_BIT_STRING(NULL, &from, size);
    }
    OPENSSL_free(der);
    return bits;
}

static enum devid_err put_signature(X509_REQ *req, X509_ALGOR *algorithm,
                                    const uint8_t *sig, size_t len,
                                    struct devid_error *err)
{
    ASN1_BIT_STRING *bits = bit_string(sig, len);

    if (bits == NULL || X509_REQ_set1_signature_algo(req, algorithm) != 1) {
        ASN1_BIT_STRING_free(bits);
        return devid_no_memory(err);
    }
    X509_REQ_set0_signature(req, bits);
    return DEVID_OK;
}

/* Verified too: a request that no CA can accept should not leave this house. */
static enum devid_err sign(X509_REQ *req, struct devid_key *key,
                           const struct devid_tbs *scheme,
                           X509_ALGOR *algorithm, struct devid_error *err)
{
    const struct devid_public *pub = devid_key_public(key);
    OSSL_LIB_CTX *libctx = devid_key_libctx(key);
    struct devid_tbs tbs = *scheme;
    bool is_ec = tbs.scheme == DEVID_ECDSA;
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct devid_sig sig = {0};
    uint8_t *der = NULL;
    uint8_t *message = NULL;
    size_t len = 0;
    enum devid_err e = fill_tbs(req, libctx, &tbs, &message, digest, err);

    if (e == DEVID_OK)
        e = devid_key_sign(key, &tbs, &sig, err);
    if (e == DEVID_OK)
        e = devid_verify(pub, libctx, &tbs, &sig, err);
    if (e == DEVID_OK && is_ec)
        e = devid_ecdsa_to_der(&sig, &der, &len, err);
    if (e == DEVID_OK)
        e = put_signature(req, algorithm, is_ec ? der : sig.data,
                          is_ec ? len : sig.len, err);
    OPENSSL_free(message);
    OPENSSL_free(der);
    return e;
}

enum devid_err devid_csr_create(struct devid_key *key,
                                const struct devid_csr_spec *spec,
                                uint8_t **der, size_t *len,
                                struct devid_error *err)
{
    const struct devid_public *pub = devid_key_public(key);
    struct devid_tbs tbs = {0};
    X509_ALGOR *algorithm = NULL;
    X509_REQ *req;
    enum devid_err e;
    int n;

    *der = NULL;
    *len = 0;
    devid_quiet_begin();
    req = X509_REQ_new();
    algorithm = X509_ALGOR_new();
    e = req == NULL || algorithm == NULL ? devid_no_memory(err) : DEVID_OK;
    if (e == DEVID_OK)
        e = pick_scheme(pub, spec->hash, &tbs, algorithm, err);
    if (e == DEVID_OK)
        e = fill(req, pub, spec, err);
    if (e == DEVID_OK)
        e = sign(req, key, &tbs, algorithm, err);
    if (e == DEVID_OK) {
        n = i2d_X509_REQ(req, der);
        if (n <= 0)
            e = devid_no_memory(err);
        else
            *len = (size_t)n;
    }
    X509_ALGOR_free(algorithm);
    X509_REQ_free(req);
    devid_quiet_end();
    return e;
}
