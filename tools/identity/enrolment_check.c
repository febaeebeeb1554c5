/* SPDX-License-Identifier: Apache-2.0 */
/* What a CA gave: is it ours, does it work? */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "enrolment.h"
#include "message.h"

/* ---- is it ours? --------------------------------------------------------- */

static X509_STORE *store_of(const STACK_OF(X509) * ca)
{
    X509_STORE *store = X509_STORE_new();

    /* A clock that is wrong is for those to judge who see the certificate. */
    if (store == NULL ||
        X509_STORE_set_flags(store, X509_V_FLAG_NO_CHECK_TIME |
                                        X509_V_FLAG_PARTIAL_CHAIN) != 1)
        die_no_memory();
    for (int i = 0; i < sk_X509_num(ca); i++) {
        X509 *cert = sk_X509_value(ca, i);

        if (X509_check_ca(cert) != 0 &&
            (X509_get_extension_flags(cert) & EXFLAG_SS) != 0 &&
            X509_STORE_add_cert(store, cert) != 1)
            die_no_memory();
    }
    return store;
}

/* The chain, the certificate first, its root last; NULL: there is none. */
static STACK_OF(X509) *
    make_chain(const struct certificates *c, const char **fault)
{
    X509_STORE *store = store_of(c->ca);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *chain = NULL;

    if (ctx == NULL || X509_STORE_CTX_init(ctx, store, c->idevid, c->ca) != 1)
        die_no_memory();
    if (X509_verify_cert(ctx) == 1)
        chain = X509_STORE_CTX_get1_chain(ctx);
    else
        *fault = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return chain;
}

static bool is_in(const STACK_OF(X509) * certs, const X509 *cert)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        if (X509_cmp(sk_X509_value(certs, i), cert) == 0)
            return true;
    }
    return false;
}

/* Another root of the CA's is to be trusted as well: it may be the next one. */
static void sort_out(struct certificates *c, STACK_OF(X509) * chain)
{
    STACK_OF(X509) *all = c->ca;

    X509_free(sk_X509_shift(chain));
    c->ca = chain;
    c->anchors = sk_X509_new_null();
    if (c->anchors == NULL)
        die_no_memory();
    for (int i = 0; i < sk_X509_num(all); i++) {
        X509 *cert = sk_X509_value(all, i);

        if ((X509_get_extension_flags(cert) & EXFLAG_SS) != 0 &&
            !is_in(chain, cert) && !is_in(c->anchors, cert) &&
            (X509_up_ref(cert) != 1 || sk_X509_push(c->anchors, cert) == 0))
            die_no_memory();
    }
    sk_X509_pop_free(all, X509_free);
}

enum exit_code enrolment_check(struct enrolment *e)
{
    struct certificates *c = &e->certificates;
    const char *fault = NULL;
    STACK_OF(X509) * chain;

    if (!certificate_has_key(c->idevid, devid_key_public(e->key)))
        return fail_with(EXIT_UNTRUSTED,
                         "the CA's certificate is for another key than this "
                         "device's: nothing of it was kept");
    chain = make_chain(c, &fault);
    if (chain == NULL)
        return fail_with(EXIT_UNTRUSTED,
                         "the CA's certificate has no chain to a root of the "
                         "CA (%s): nothing of it was kept",
                         fault);
    sort_out(c, chain);
    if (identity_validity(c->idevid).not_after > identity_now())
        return EXIT_DONE;
    return fail_with(EXIT_UNTRUSTED,
                     "the CA's certificate has expired already: is this "
                     "device's clock right? Nothing of it was kept");
}

/* ---- does it work? ------------------------------------------------------- */

static SSL_CTX *server_of(const struct http_identity *id)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx != NULL && SSL_CTX_use_certificate(ctx, id->cert) == 1 &&
        SSL_CTX_set1_chain(ctx, id->chain) == 1 &&
        SSL_CTX_use_PrivateKey(ctx, id->key) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static SSL_CTX *client_of(STACK_OF(X509) * ca)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    X509_VERIFY_PARAM *param;

    if (ctx == NULL)
        return NULL;
    param = SSL_CTX_get0_param(ctx);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    /* It may be a client's certificate alone. */
    if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY) == 1 &&
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME) == 1 &&
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx),
                            sk_X509_value(ca, sk_X509_num(ca) - 1)) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static bool shake(SSL *server, SSL *client)
{
    enum {
        TURNS_MAX = 16
    };
    BIO *server_side = NULL;
    BIO *client_side = NULL;
    bool done = false;

    if (BIO_new_bio_pair(&server_side, 0, &client_side, 0) != 1)
        die_no_memory();
    SSL_set_bio(server, server_side, server_side);
    SSL_set_bio(client, client_side, client_side);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < TURNS_MAX && !done; i++) {
        int c = SSL_do_handshake(client);
        int s = SSL_do_handshake(server);

        done = c == 1 && s == 1;
        if ((c != 1 && SSL_get_error(client, c) != SSL_ERROR_WANT_READ) ||
            (s != 1 && SSL_get_error(server, s) != SSL_ERROR_WANT_READ))
            return false;
    }
    return done;
}

static enum exit_code shake_with_ourselves(const struct enrolment *e,
                                           const struct http_identity *id)
{
    SSL_CTX *server_ctx = server_of(id);
    SSL_CTX *client_ctx = client_of(e->certificates.ca);
    SSL *server = server_ctx != NULL ? SSL_new(server_ctx) : NULL;
    SSL *client = client_ctx != NULL ? SSL_new(client_ctx) : NULL;
    enum exit_code code = EXIT_DONE;

    if (server == NULL || client == NULL || !shake(server, client))
        code = fail_with(EXIT_DEVICE, "the new key does no TLS handshake: %s",
                         handshake_says());
    ERR_clear_error();
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(server_ctx);
    SSL_CTX_free(client_ctx);
    return code;
}

/* The certificate and those between it and its root. */
static char *chain_pem(const struct certificates *c)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    char *text;
    long len;

    if (bio == NULL || PEM_write_bio_X509(bio, c->idevid) != 1)
        die_no_memory();
    for (int i = 0; i + 1 < sk_X509_num(c->ca); i++) {
        if (PEM_write_bio_X509(bio, sk_X509_value(c->ca, i)) != 1)
            die_no_memory();
    }
    len = BIO_get_mem_data(bio, &data);
    text = OPENSSL_strndup(data, (size_t)len);
    if (text == NULL)
        die_no_memory();
    BIO_free(bio);
    return text;
}

enum exit_code enrolment_prove(struct enrolment *e)
{
    char *chain = chain_pem(&e->certificates);
    struct handshake handshake;
    enum exit_code code;
    bool done = false;

    progress_step(e->progress, "test");
    code = handshake_open_pem(e->args, "the CA's answer", e->key_pem, chain,
                              &handshake);
    if (code == EXIT_DONE)
        code = e->protocol->prove(e, &handshake.identity, &done);
    if (code == EXIT_DONE && !done)
        code = shake_with_ourselves(e, &handshake.identity);
    handshake_close(&handshake);
    OPENSSL_free(chain);
    if (code == EXIT_DONE)
        progress_done(e->progress, "a TLS handshake with %s",
                      done ? "the CA, which knows the new identity" : "itself");
    return code;
}
