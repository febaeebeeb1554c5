/* SPDX-License-Identifier: Apache-2.0 */
/* A request for an LDevID: base64 in lines, PKCS#10, its names and binding. */
#include "fuzz.h"

#include "est.h"

#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <string.h>

/*
 * Of the unit whose request it could be: its name or none, and its
 * subjectAltName or another.
 */
static void check_names(const struct est_request *request, bool exactly)
{
    static EVP_PKEY *key;
    STACK_OF(X509_EXTENSION) *asked = X509_REQ_get_extensions(request->req);
    int at = X509v3_get_ext_by_NID(asked, NID_subject_alt_name, -1);
    X509 *cert = X509_new();
    uint8_t *der = NULL;
    int len;

    if (key == NULL)
        key = EVP_EC_gen("P-256");
    must(key != NULL && cert != NULL && X509_set_pubkey(cert, key) == 1);
    must(X509_set_version(cert, X509_VERSION_3) == 1);
    must(X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL);
    must(X509_gmtime_adj(X509_getm_notAfter(cert), 0) != NULL);
    if (exactly)
        must(X509_set_subject_name(
                 cert, X509_REQ_get_subject_name(request->req)) == 1);
    if (at >= 0 && exactly)
        must(X509_add_ext(cert, X509v3_get_ext(asked, at), -1) == 1);
    must(X509_sign(cert, key, EVP_sha256()) > 0);
    len = i2d_X509(cert, &der);
    ERR_clear_error();
    if (len > 0)
        (void)est_check_names(request, (struct devid_bytes){der, (size_t)len},
                              exactly);
    OPENSSL_free(der);
    sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
    X509_free(cert);
}

/* What was taken is a request whose signature holds: it is the same again. */
static void open_again(const struct est_request *first)
{
    const size_t size = (first->der_len + 2) / 3 * 4 + 1;
    unsigned char *text = OPENSSL_malloc(size);
    struct est_request again;

    must(text != NULL);
    const struct devid_bytes body = {
        text, (size_t)EVP_EncodeBlock(text, first->der, (int)first->der_len)};
    must(est_request_open(body, &again) == NULL);
    must(strcmp(again.key_digest, first->key_digest) == 0);
    est_request_clear(&again);
    OPENSSL_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t unique[12] = {1};
    const struct devid_bytes binding = {unique, sizeof(unique)};
    const struct devid_bytes body = {data, size};
    struct est_request request;

    if (est_request_open(body, &request) == NULL) {
        must(est_check_names(&request, body, true) != NULL);
        check_names(&request, true);
        check_names(&request, false);
        (void)est_check_binding(&request, binding);
        open_again(&request);
    }
    est_request_clear(&request);
    return 0;
}
