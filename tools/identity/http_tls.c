/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl is not told by options: whom to trust, and who we are. */
#include "http_internal.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "message.h"

/* The station's own certificate counts, whoever issued it, and nothing else. */
static int check_fingerprint(X509_STORE_CTX *store, void *arg)
{
    const struct http *http = arg;
    const X509 *cert = X509_STORE_CTX_get0_cert(store);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool same = cert != NULL &&
                X509_digest(cert, EVP_sha256(), digest, &len) == 1 &&
                len == HTTP_FINGERPRINT_LEN &&
                CRYPTO_memcmp(digest, http->fingerprint, len) == 0;

    X509_STORE_CTX_set_error(store,
                             same ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    return same;
}

/* The peer wants to see a certificate. */
static int note_asked(SSL *ssl, void *arg)
{
    struct http *http = arg;

    (void)ssl;
    http->identity_asked = true;
    return 1;
}

CURLcode http_prepare_tls(CURL *curl, void *vctx, void *arg)
{
    SSL_CTX *ctx = vctx;
    struct http *http = arg;
    const struct http_identity *id = &http->identity;

    (void)curl;
    if (http->fingerprint != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, check_fingerprint, http);
    for (int i = 0; i < sk_X509_num(http->trusted); i++) {
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx),
                                sk_X509_value(http->trusted, i)) != 1)
            die_no_memory();
    }
    SSL_CTX_set_cert_cb(ctx, note_asked, http);
    if (id->key == NULL)
        return CURLE_OK;
    if (SSL_CTX_use_certificate(ctx, id->cert) == 1 &&
        (id->chain == NULL || SSL_CTX_set1_chain(ctx, id->chain) == 1) &&
        SSL_CTX_use_PrivateKey(ctx, id->key) == 1)
        return CURLE_OK;
    http->identity_wrong = true;
    return CURLE_SSL_CERTPROBLEM;
}
