/* SPDX-License-Identifier: Apache-2.0 */
/* One certificate: its number, its dates, its names, its signature. */
#include "issuer.h"

#include "attest_internal.h"

#include "../backend.h"
#include "../libcrypto.h"
#include "../spki.h"
#include "../subject.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <string.h>
#include <time.h>

#define NEVER "99991231235959Z" /* RFC 5280, 4.1.2.5 */
#define KEY_ID_LEN 20           /* RFC 7093, section 2, method 1 */

/* 20 octets, never more: the highest bit is clear; nor fewer. */
static bool set_number(X509 *cert, OSSL_LIB_CTX *libctx,
                       uint8_t number[DEVID_SERIAL_NUMBER_LEN])
{
    BIGNUM *bn;
    bool ok;

    if (RAND_bytes_ex(libctx, number, DEVID_SERIAL_NUMBER_LEN, 0) != 1)
        return false;
    number[0] = (uint8_t)((number[0] & 0x3f) | 0x40);
    bn = BN_bin2bn(number, DEVID_SERIAL_NUMBER_LEN, NULL);
    ok = bn != NULL &&
         BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) != NULL;
    BN_free(bn);
    return ok;
}

static bool set_dates(X509 *cert, const struct devid_issue *issue)
{
    time_t from =
        issue->not_before != 0 ? (time_t)issue->not_before : time(NULL);
    ASN1_TIME *until = X509_getm_notAfter(cert);

    if (ASN1_TIME_set(X509_getm_notBefore(cert), from) == NULL)
        return false;
    return issue->not_after != 0
               ? ASN1_TIME_set(until, (time_t)issue->not_after) != NULL
               : ASN1_TIME_set_string(until, NEVER) == 1;
}

static enum devid_err set_names(X509 *cert, const struct devid_issuer *issuer,
                                const struct devid_issue *issue,
                                struct devid_error *err)
{
    const char *serial = issue->serial;
    X509_NAME *subject = NULL;
    enum devid_err e = DEVID_OK;

    if (issue->subject != NULL)
        e = devid_subject_parse(issue->subject, &subject, err);
    else
        subject = X509_NAME_dup(issuer->subject);
    if (e != DEVID_OK)
        return e;
    if (subject != NULL && X509_NAME_add_entry_by_NID(
                               subject, NID_serialNumber, MBSTRING_UTF8,
                               (const unsigned char *)serial, -1, -1, 0) != 1)
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the serial number '%.100s' does not go into a "
                       "certificate: 1 to 64 of A to Z, a to z, 0 to 9, "
                       "space and ' ( ) + , - . / : = ? are allowed",
                       serial);
    else if (subject == NULL || X509_set_issuer_name(cert, issuer->name) != 1 ||
             X509_set_subject_name(cert, subject) != 1)
        e = devid_no_memory(err);
    X509_NAME_free(subject);
    return e;
}

/* The subject and the subjectAltName of the IDevID, as they are. */
static enum devid_err set_names_like(X509 *cert,
                                     const struct devid_issuer *issuer,
                                     const struct devid_issue *issue,
                                     struct devid_error *err)
{
    const unsigned char *p = issue->like.data;
    X509 *like = X509_new_ex(issuer->libctx, DEVID_PROPQ);
    enum devid_err e = DEVID_OK;
    int at;

    if (like == NULL)
        return devid_no_memory(err);
    if (issue->like.len > INT32_MAX ||
        d2i_X509(&like, &p, (long)issue->like.len) == NULL) {
        X509_free(like);
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the certificate of the IDevID (%zu bytes) is no DER "
                          "of an X.509 certificate",
                          issue->like.len);
    }
    at = X509_get_ext_by_NID(like, NID_subject_alt_name, -1);
    if (X509_set_issuer_name(cert, issuer->name) != 1 ||
        X509_set_subject_name(cert, X509_get_subject_name(like)) != 1 ||
        (at >= 0 && X509_add_ext(cert, X509_get_ext(like, at), -1) != 1))
        e = devid_no_memory(err);
    X509_free(like);
    return e;
}

/*
 * A new certificate's, to be filled in place: otherwise a key gets there only
 * as an EVP_PKEY, made and encoded again. OpenSSL 4 calls it const.
 */
static X509_PUBKEY *own_key(X509 *cert)
{
    return (X509_PUBKEY *)(uintptr_t)X509_get_X509_PUBKEY(cert);
}

/* Of the key's bits, as they stand in the certificate. */
static X509_EXTENSION *subject_key_id(const X509 *cert, OSSL_LIB_CTX *libctx)
{
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(cert);
    const struct devid_bytes key = {ASN1_STRING_get0_data(bits),
                                    (size_t)ASN1_STRING_length(bits)};
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    uint8_t digest[EVP_MAX_MD_SIZE];
    X509_EXTENSION *ext = NULL;

    if (id != NULL &&
        attest_digest(devid_hash_by_name("SHA2-256"), libctx, key, digest,
                      NULL) == DEVID_OK &&
        ASN1_OCTET_STRING_set(id, digest, KEY_ID_LEN) == 1)
        ext = X509V3_EXT_i2d(NID_subject_key_identifier, 0, id);
    ASN1_OCTET_STRING_free(id);
    return ext;
}

/* Takes `ext` over. */
static bool add_own(X509 *cert, X509_EXTENSION *ext)
{
    bool ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;

    X509_EXTENSION_free(ext);
    return ok;
}

static enum devid_err set_extensions(X509 *cert,
                                     const struct devid_issuer *issuer,
                                     const struct devid_issue *issue,
                                     struct devid_error *err)
{
    const STACK_OF(X509_EXTENSION) *fixed = issuer->fixed[issue->kind];
    X509_EXTENSION *san = NULL;
    enum devid_err e;

    if (issuer->crl != NULL && issue->shard >= issuer->shards) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "there is no list of revoked certificates %u: they "
                          "are numbered from 0 to %u",
                          issue->shard, issuer->shards - 1);
    }
    for (int i = 0; i < sk_X509_EXTENSION_num(fixed); i++) {
        if (X509_add_ext(cert, sk_X509_EXTENSION_value(fixed, i), -1) != 1)
            return devid_no_memory(err);
    }
    if (issuer->crl != NULL &&
        X509_add_ext(cert, issuer->crl[issue->shard], -1) != 1)
        return devid_no_memory(err);
    if (!add_own(cert, subject_key_id(cert, issuer->libctx)))
        return devid_no_memory(err);
    if (issue->kind == DEVID_CERT_LDEVID)
        return DEVID_OK;
    e = issuer_san(issue->module, issue->sans, &san, err);
    if (e == DEVID_OK && san != NULL && !add_own(cert, san))
        e = devid_no_memory(err);
    return e;
}

static enum devid_err fill(X509 *cert, const struct devid_issuer *issuer,
                           const struct devid_issue *issue,
                           struct devid_issued *issued, struct devid_error *err)
{
    enum devid_err e;

    if (X509_set_version(cert, X509_VERSION_3) != 1 ||
        !set_number(cert, issuer->libctx, issued->number) ||
        !set_dates(cert, issue))
        return devid_no_memory(err);
    e = issue->kind == DEVID_CERT_LDEVID
            ? set_names_like(cert, issuer, issue, err)
            : set_names(cert, issuer, issue, err);
    if (e == DEVID_OK)
        e = devid_public_put(issue->pub, own_key(cert), err);
    if (e == DEVID_OK)
        e = set_extensions(cert, issuer, issue, err);
    return e;
}

/*
 * By a context of our own: X509_sign() would look for the key's signatures
 * where the certificate says to fetch, which is everywhere but in devid.
 */
static bool sign_by(X509 *cert, const struct devid_issuer *issuer)
{
    const char *name = issuer->md != NULL ? EVP_MD_get0_name(issuer->md) : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL &&
              EVP_DigestSignInit_ex(ctx, NULL, name, issuer->libctx, NULL,
                                    issuer->key, NULL) == 1 &&
              X509_sign_ctx(cert, ctx) > 0;

    EVP_MD_CTX_free(ctx);
    return ok;
}

/* The first thing that the key's provider left says best why it failed. */
static enum devid_err sign(X509 *cert, const struct devid_issuer *issuer,
                           struct devid_issued *issued, struct devid_error *err)
{
    bool is_ours = ERR_peek_error() == 0;
    const char *data = NULL;
    int n = 0;

    if (sign_by(cert, issuer))
        n = i2d_X509(cert, &issued->der);
    if (n > 0) {
        issued->len = (size_t)n;
        return DEVID_OK;
    }
    if (is_ours)
        (void)ERR_peek_error_all(NULL, NULL, NULL, &data, NULL);
    return devid_fail(err, DEVID_ERR_DEVICE, 0,
                      "the issuer's key does not sign the certificate%s%.500s",
                      data != NULL && *data != '\0' ? ": " : "",
                      data != NULL ? data : "");
}

enum devid_err devid_issuer_issue(const struct devid_issuer *issuer,
                                  const struct devid_issue *issue,
                                  struct devid_issued *issued,
                                  struct devid_error *err)
{
    X509 *cert = X509_new_ex(issuer->libctx, DEVID_PROPQ);
    enum devid_err e;

    memset(issued, 0, sizeof(*issued));
    if (cert == NULL)
        return devid_no_memory(err);
    devid_quiet_begin();
    e = fill(cert, issuer, issue, issued, err);
    if (e == DEVID_OK)
        e = sign(cert, issuer, issued, err);
    devid_quiet_end();
    X509_free(cert);
    return e;
}
