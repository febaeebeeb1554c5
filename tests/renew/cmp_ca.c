/* SPDX-License-Identifier: Apache-2.0 */
#include "cmp_ca.h"

#include <err.h>
#include <limits.h>
#include <openssl/crmf.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- its files ----------------------------------------------------------- */

static BIO *open_in(const char *folder, const char *name)
{
    char path[PATH_MAX];
    BIO *in;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    in = BIO_new_file(path, "r");
    if (!in)
        errx(1, "there is no %s", path);
    return in;
}

static X509 *read_cert(const char *folder, const char *name)
{
    BIO *in = open_in(folder, name);
    X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);

    BIO_free(in);
    if (!cert)
        errx(1, "%s is no certificate", name);
    return cert;
}

static EVP_PKEY *read_key(const char *folder, const char *name)
{
    BIO *in = open_in(folder, name);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);

    BIO_free(in);
    if (!key)
        errx(1, "%s is no key", name);
    return key;
}

void cmp_ca_open(struct cmp_ca *ca, const char *folder)
{
    BIO *in = open_in(folder, "trusted.pem");
    X509 *cert;

    ca->cert = read_cert(folder, "ca.pem");
    ca->key = read_key(folder, "ca.key");
    ca->signer = read_cert(folder, "cmp.pem");
    ca->signer_key = read_key(folder, "cmp.key");
    ca->extra = read_cert(folder, "extra.pem");
    ca->trusted = X509_STORE_new();
    while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        if (X509_STORE_add_cert(ca->trusted, cert) != 1)
            errx(1, "trusted.pem");
        X509_free(cert);
    }
    ERR_clear_error();
    BIO_free(in);
}

/* ---- what is revoked ----------------------------------------------------- */

static char *between_spaces(const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    char *text = NULL;

    if (!hex || asprintf(&text, " %s ", hex) < 0)
        errx(1, "out of memory");
    OPENSSL_free(hex);
    BN_free(number);
    return text;
}

static bool is_revoked(const struct cmp_ca *ca, const ASN1_INTEGER *serial)
{
    char *text = between_spaces(serial);
    bool found = strstr(ca->revoked, text) != NULL;

    free(text);
    return found;
}

OSSL_CMP_PKISI *cmp_ca_revoke(OSSL_CMP_SRV_CTX *server,
                              const OSSL_CMP_MSG *message,
                              const X509_NAME *issuer,
                              const ASN1_INTEGER *serial)
{
    struct cmp_ca *ca = OSSL_CMP_SRV_CTX_get0_custom_ctx(server);
    char *text;

    (void)message;
    if (X509_NAME_cmp(issuer, X509_get_subject_name(ca->cert)) != 0)
        return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_rejection,
                                       1 << OSSL_CMP_PKIFAILUREINFO_badCertId,
                                       "it is another CA's");
    if (is_revoked(ca, serial))
        return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_rejection,
                                       1 << OSSL_CMP_PKIFAILUREINFO_certRevoked,
                                       "it is revoked already");
    text = between_spaces(serial);
    if (strlen(ca->revoked) + strlen(text) < sizeof(ca->revoked))
        (void)strcat(ca->revoked, text);
    (void)printf("revoked%s\n", text);
    free(text);
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
}

/* ---- what is issued ------------------------------------------------------ */

/*
 * CertTemplate.publicKey, [6] IMPLICIT SubjectPublicKeyInfo: OpenSSL 3.0 has no
 * function for it. Source: RFC 4211, section 5.
 */
static EVP_PKEY *key_of(const OSSL_CRMF_CERTTEMPLATE *template)
{
    uint8_t *der = NULL;
    int len = i2d_OSSL_CRMF_CERTTEMPLATE(template, &der);
    const unsigned char *at = der;
    EVP_PKEY *key = NULL;
    long size;
    int tag;
    int class;

    if (len <= 0 || ASN1_get_object(&at, &size, &tag, &class, len) & 0x80)
        errx(1, "the template has no DER");
    while (at < der + len) {
        unsigned char *element = der + (at - der);

        if (ASN1_get_object(&at, &size, &tag, &class, der + len - at) & 0x80)
            break;
        if (class == V_ASN1_CONTEXT_SPECIFIC && tag == 6) {
            const unsigned char *spki = element;

            *element = V_ASN1_CONSTRUCTED | V_ASN1_SEQUENCE;
            key = d2i_PUBKEY(NULL, &spki, der + len - element);
            break;
        }
        at += size;
    }
    OPENSSL_free(der);
    return key;
}

static bool set_serial(X509 *cert)
{
    uint8_t random[8];
    BIGNUM *number;
    bool ok;

    if (RAND_bytes(random, sizeof(random)) != 1)
        return false;
    random[0] &= 0x7f;
    number = BN_bin2bn(random, sizeof(random), NULL);
    ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return ok;
}

static X509 *issue(const struct cmp_ca *ca,
                   const OSSL_CRMF_CERTTEMPLATE *template)
{
    const X509_EXTENSIONS *asked =
        OSSL_CRMF_CERTTEMPLATE_get0_extensions(template);
    EVP_PKEY *key = key_of(template);
    X509 *cert = X509_new();
    bool ok =
        key && cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
        set_serial(cert) && X509_set_pubkey(cert, key) == 1 &&
        X509_set_subject_name(
            cert, OSSL_CRMF_CERTTEMPLATE_get0_subject(template)) == 1 &&
        X509_set_issuer_name(cert, X509_get_subject_name(ca->cert)) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -60) &&
        X509_gmtime_adj(X509_getm_notAfter(cert), ca->life_s);

    for (int i = 0; ok && i < sk_X509_EXTENSION_num(asked); i++)
        ok = X509_add_ext(cert, sk_X509_EXTENSION_value(asked, i), -1) == 1;
    ok = ok && X509_sign(cert, ca->key, EVP_sha256()) > 0;
    EVP_PKEY_free(key);
    if (ok)
        return cert;
    X509_free(cert);
    return NULL;
}

/* A renewal is of a certificate of ours that is not revoked. */
static OSSL_CMP_PKISI *refuse(const struct cmp_ca *ca, const OSSL_CRMF_MSG *crm,
                              bool update)
{
    const OSSL_CRMF_CERTID *old = OSSL_CRMF_MSG_get0_regCtrl_oldCertID(crm);

    if (!update)
        return NULL;
    if (!old || X509_NAME_cmp(OSSL_CRMF_CERTID_get0_issuer(old),
                              X509_get_subject_name(ca->cert)) != 0)
        return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_rejection,
                                       1 << OSSL_CMP_PKIFAILUREINFO_badCertId,
                                       "nothing of ours is to be renewed");
    if (is_revoked(ca, OSSL_CRMF_CERTID_get0_serialNumber(old)))
        return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_rejection,
                                       1 << OSSL_CMP_PKIFAILUREINFO_certRevoked,
                                       "the certificate is revoked");
    return NULL;
}

static void say_issued(const X509 *cert, bool update)
{
    char *name = X509_NAME_oneline(X509_get_subject_name(cert), NULL, 0);

    (void)printf("%s %s\n", update ? "kur" : "ir", name);
    OPENSSL_free(name);
}

OSSL_CMP_PKISI *cmp_ca_request(OSSL_CMP_SRV_CTX *server,
                               const OSSL_CMP_MSG *message, int id,
                               const OSSL_CRMF_MSG *crm, const X509_REQ *p10,
                               X509 **cert, STACK_OF(X509) * *chain,
                               STACK_OF(X509) * *pubs)
{
    struct cmp_ca *ca = OSSL_CMP_SRV_CTX_get0_custom_ctx(server);
    bool update = OSSL_CMP_MSG_get_bodytype(message) == OSSL_CMP_KUR;
    OSSL_CMP_PKISI *no;

    (void)id;
    (void)p10;
    (void)chain;
    if (ca->waits > 0 && !ca->undecided) {
        ca->undecided = OSSL_CMP_MSG_dup(message);
        (void)printf("waiting\n");
        return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_waiting, 0, NULL);
    }
    no = crm ? refuse(ca, crm, update)
             : OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_rejection,
                                       1 << OSSL_CMP_PKIFAILUREINFO_badRequest,
                                       "there is no template");
    if (no)
        return no;
    *cert = issue(ca, OSSL_CRMF_MSG_get0_tmpl(crm));
    if (!*cert)
        return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_rejection,
                                       1 << OSSL_CMP_PKIFAILUREINFO_badRequest,
                                       "the template is not complete");
    *pubs = sk_X509_new_null();
    if (!*pubs || X509_add_cert(*pubs, ca->cert, X509_ADD_FLAG_UP_REF) != 1)
        errx(1, "out of memory");
    say_issued(*cert, update);
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
}

int cmp_ca_poll(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message, int id,
                OSSL_CMP_MSG **request, int64_t *check_after)
{
    struct cmp_ca *ca = OSSL_CMP_SRV_CTX_get0_custom_ctx(server);

    (void)message;
    (void)id;
    *request = NULL;
    *check_after = 1;
    if (--ca->waits > 0)
        return 1;
    ca->waits = 0;
    *request = ca->undecided;
    ca->undecided = NULL;
    return 1;
}

int cmp_ca_confirm(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *message,
                   int id, const ASN1_OCTET_STRING *hash,
                   const OSSL_CMP_PKISI *status)
{
    (void)server;
    (void)message;
    (void)id;
    (void)hash;
    (void)printf("%s\n", status ? "confirmed" : "confirmed by default");
    return 1;
}
