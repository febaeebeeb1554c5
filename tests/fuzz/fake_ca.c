/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_ca.h"

#include "as_file.h"
#include "fuzz.h"

#include <openssl/cmp.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

EVP_PKEY *fake_ca_key;
X509 *fake_ca_cert;
X509 *fake_ca_device;
const char *fake_ca_file;

static OSSL_CMP_SRV_CTX *server;
static OSSL_CMP_MSG *asked; /* while the CA has not decided */

/* ---- certificates ----------------------------------------------------------
 */

static void set_name(X509_NAME *name, const char *text)
{
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    (const unsigned char *)text, -1, -1,
                                    0) == 1);
}

static X509 *make_cert(const char *name, long number, const char *constraints)
{
    X509 *cert = X509_new();
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, constraints);

    must(extension != NULL);
    must(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1);
    must(ASN1_INTEGER_set(X509_get_serialNumber(cert), number) == 1);
    set_name(X509_get_subject_name(cert), name);
    set_name(X509_get_issuer_name(cert), "CA");
    must(X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL);
    must(X509_gmtime_adj(X509_getm_notAfter(cert), 1L << 30) != NULL);
    must(X509_set_pubkey(cert, fake_ca_key) == 1);
    must(X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
    must(X509_sign(cert, fake_ca_key, EVP_sha256()) > 0);
    return cert;
}

static void write_file(void)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    must(bio != NULL && PEM_write_bio_X509(bio, fake_ca_cert) == 1);
    len = BIO_get_mem_data(bio, &text);
    fake_ca_file = fuzz_as_file(0, (const uint8_t *)text, (size_t)len);
    BIO_free(bio);
}

/* ---- what OpenSSL's server asks --------------------------------------------
 */

static const struct fake_ca *told(const OSSL_CMP_SRV_CTX *ctx)
{
    return OSSL_CMP_SRV_CTX_get0_custom_ctx(ctx);
}

static OSSL_CMP_PKISI *status_of(const struct fake_ca *ca)
{
    return OSSL_CMP_STATUSINFO_new(ca->status, ca->fail_info, ca->text);
}

static STACK_OF(X509) * list_of(X509 *cert)
{
    STACK_OF(X509) *list = cert != NULL ? sk_X509_new_null() : NULL;

    if (cert != NULL)
        must(list != NULL &&
             X509_add_cert(list, cert, X509_ADD_FLAG_UP_REF) == 1);
    return list;
}

static OSSL_CMP_PKISI *
on_request(OSSL_CMP_SRV_CTX *ctx, const OSSL_CMP_MSG *request, int id,
           const OSSL_CRMF_MSG *crmf, const X509_REQ *pkcs10, X509 **cert,
           STACK_OF(X509) * *chain, STACK_OF(X509) * *ca_pubs)
{
    struct fake_ca *ca = OSSL_CMP_SRV_CTX_get0_custom_ctx(ctx);

    (void)id;
    (void)crmf;
    (void)pkcs10;
    if (ca->polls > 0) {
        OSSL_CMP_MSG_free(asked);
        asked = OSSL_CMP_MSG_dup(request);
        return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_waiting, 0, ca->text);
    }
    if (ca->issued != NULL && X509_up_ref(ca->issued) == 1)
        *cert = ca->issued;
    *chain = list_of(ca->extra);
    *ca_pubs = list_of(ca->extra);
    return status_of(ca);
}

static OSSL_CMP_PKISI *on_revocation(OSSL_CMP_SRV_CTX *ctx,
                                     const OSSL_CMP_MSG *request,
                                     const X509_NAME *issuer,
                                     const ASN1_INTEGER *number)
{
    (void)request;
    (void)issuer;
    (void)number;
    return status_of(told(ctx));
}

static int on_general(OSSL_CMP_SRV_CTX *ctx, const OSSL_CMP_MSG *request,
                      const STACK_OF(OSSL_CMP_ITAV) * in,
                      STACK_OF(OSSL_CMP_ITAV) * *out)
{
    (void)ctx;
    (void)request;
    (void)in;
    *out = NULL;
    return 0;
}

static void on_error(OSSL_CMP_SRV_CTX *ctx, const OSSL_CMP_MSG *error,
                     const OSSL_CMP_PKISI *status,
                     const ASN1_INTEGER *error_code,
                     const OSSL_CMP_PKIFREETEXT *details)
{
    (void)ctx;
    (void)error;
    (void)status;
    (void)error_code;
    (void)details;
}

static int on_confirmation(OSSL_CMP_SRV_CTX *ctx, const OSSL_CMP_MSG *message,
                           int id, const ASN1_OCTET_STRING *hash,
                           const OSSL_CMP_PKISI *status)
{
    (void)ctx;
    (void)message;
    (void)id;
    (void)hash;
    (void)status;
    return 1;
}

static int on_poll(OSSL_CMP_SRV_CTX *ctx, const OSSL_CMP_MSG *message, int id,
                   OSSL_CMP_MSG **request, int64_t *after_s)
{
    struct fake_ca *ca = OSSL_CMP_SRV_CTX_get0_custom_ctx(ctx);

    (void)message;
    (void)id;
    *request = NULL;
    *after_s = ca->after_s;
    if (ca->polls > 1) {
        ca->polls--;
        return 1;
    }
    ca->polls = 0;
    *request = asked;
    asked = NULL;
    return 1;
}

/* ---- the whole --------------------------------------------------------------
 */

void fake_ca_open(void)
{
    OSSL_CMP_CTX *ctx;
    X509_STORE *store;

    if (server != NULL)
        return;
    fake_ca_key = EVP_EC_gen("P-256");
    must(fake_ca_key != NULL);
    fake_ca_cert = make_cert("CA", 1, "critical,CA:TRUE");
    fake_ca_device = make_cert("device", 2, "CA:FALSE");
    write_file();
    server = OSSL_CMP_SRV_CTX_new(NULL, NULL);
    store = X509_STORE_new();
    must(server != NULL && store != NULL);
    ctx = OSSL_CMP_SRV_CTX_get0_cmp_ctx(server);
    must(X509_STORE_add_cert(store, fake_ca_cert) == 1);
    must(OSSL_CMP_CTX_set0_trustedStore(ctx, store) == 1);
    must(OSSL_CMP_CTX_set1_cert(ctx, fake_ca_cert) == 1);
    must(OSSL_CMP_CTX_set1_pkey(ctx, fake_ca_key) == 1);
    must(OSSL_CMP_CTX_set_log_verbosity(ctx, OSSL_CMP_LOG_EMERG) == 1);
    must(OSSL_CMP_SRV_CTX_set_accept_unprotected(server, 1) == 1);
}

void fake_ca_forget(void)
{
    OSSL_CMP_MSG_free(asked);
    asked = NULL;
}

static void set_protection(OSSL_CMP_CTX *ctx, const struct fake_ca *ca)
{
    const char *secret = ca->other_secret ? "other" : FAKE_CA_SECRET;

    must(OSSL_CMP_CTX_set1_referenceValue(
             ctx, (const unsigned char *)FAKE_CA_REFERENCE,
             (int)strlen(FAKE_CA_REFERENCE)) == 1);
    must(OSSL_CMP_CTX_set1_secretValue(
             ctx, ca->by_secret ? (const unsigned char *)secret : NULL,
             ca->by_secret ? (int)strlen(secret) : 0) == 1);
    must(OSSL_CMP_SRV_CTX_set_send_unprotected_errors(server,
                                                      ca->unprotected) == 1);
}

uint8_t *fake_ca_answer(struct fake_ca *ca, const uint8_t *sent, size_t len,
                        size_t *answer_len)
{
    OSSL_CMP_MSG *message = d2i_OSSL_CMP_MSG(NULL, &sent, (long)len);
    OSSL_CMP_MSG *answer;
    uint8_t *der = NULL;
    int der_len = 0;

    must(message != NULL);
    must(OSSL_CMP_SRV_CTX_init(server, ca, on_request, on_revocation,
                               on_general, on_error, on_confirmation,
                               on_poll) == 1);
    set_protection(OSSL_CMP_SRV_CTX_get0_cmp_ctx(server), ca);
    answer = OSSL_CMP_SRV_process_request(server, message);
    if (answer != NULL)
        der_len = i2d_OSSL_CMP_MSG(answer, &der);
    ERR_clear_error(); /* the server's, not the client's */
    OSSL_CMP_MSG_free(answer);
    OSSL_CMP_MSG_free(message);
    *answer_len = der_len > 0 ? (size_t)der_len : 0;
    return der;
}
