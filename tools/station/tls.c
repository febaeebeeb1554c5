/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS settings of all loops, with the server's certificate. Its files are
 * looked at again and again: what takes their place is for new connections,
 * those that are there go on.
 */
#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "keys.h"
#include "message.h"
#include "server.h"

enum {
    ENDS_SOON_DAYS = 30
};

/*
 * Any certificate passes here: a path that demands one compares it with the one
 * in the unit's row, which says more than a chain.
 */
static int take_any(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

static SSL_CTX *new_settings(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (!tls || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        SSL_CTX_set_num_tickets(tls, 0) != 1)
        die_no_memory();
    /* Sessions would bring a certificate back without its key. */
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, take_any);
    SSL_CTX_set_session_id_context(tls, (const unsigned char *)"devid", 5);
    return tls;
}

static void say_when_it_ends(const struct config *config, const X509 *own)
{
    int days = 0;
    int seconds = 0;

    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(own)) == 1 &&
        days < ENDS_SOON_DAYS)
        note("the server's certificate in %s %s: devid-station renew-server "
             "makes another one",
             config->server_cert,
             days < 0 || seconds < 0 ? "has expired" : "ends within a month");
}

static enum exit_code use_certificate(const struct config *config, SSL_CTX *tls,
                                      bool *in_hardware)
{
    STACK_OF(X509) *certs = NULL;
    EVP_PKEY *key = NULL;
    enum exit_code code = keys_private(config->server_key, &key);
    char reason[256];
    X509 *own;

    if (code == EXIT_DONE)
        code = keys_certificates(config->server_cert, &certs);
    own = certs ? sk_X509_shift(certs) : NULL;
    if (code == EXIT_DONE &&
        (SSL_CTX_use_cert_and_key(tls, own, key, certs, 1) != 1 ||
         EVP_PKEY_eq(X509_get0_pubkey(own), key) != 1))
        code = fail("%s does not go with the server's key %s%s",
                    config->server_cert, config->server_key,
                    keys_reason(reason, sizeof(reason)));
    if (code == EXIT_DONE) {
        *in_hardware = keys_in_hardware(key);
        say_when_it_ends(config, own);
    }
    X509_free(own);
    sk_X509_pop_free(certs, X509_free);
    EVP_PKEY_free(key);
    return code;
}

/* ---- the files --------------------------------------------------------- */

/* Of a key in a device: nothing. */
static void look(const char *path, struct stat *seen)
{
    struct stat now;

    memset(seen, 0, sizeof(*seen));
    if (stat(path, &now) != 0)
        return;
    seen->st_dev = now.st_dev;
    seen->st_ino = now.st_ino;
    seen->st_size = now.st_size;
    seen->st_mtim = now.st_mtim;
}

/* Are they others than last time? */
static bool look_at_files(struct server *server)
{
    const struct config *config = &server->context->config;
    struct stat now[2];
    bool same;

    look(config->server_cert, &now[0]);
    look(config->server_key, &now[1]);
    same = memcmp(now, server->tls_files, sizeof(now)) == 0;
    memcpy(server->tls_files, now, sizeof(now));
    return !same;
}

/* ------------------------------------------------------------------------ */

enum exit_code tls_open(struct server *server)
{
    bool in_hardware = false;
    enum exit_code code;

    pthread_mutex_init(&server->tls_lock, NULL);
    if (!connection_index())
        die_no_memory();
    (void)look_at_files(server);
    server->tls = new_settings();
    code = use_certificate(&server->context->config, server->tls, &in_hardware);
    if (code == EXIT_DONE && server->loop_count == 0)
        server->loop_count = in_hardware ? SLOW_LOOPS : 0;
    return code;
}

void tls_refresh(struct server *server, bool asked)
{
    bool in_hardware = false;
    SSL_CTX *tls;

    if (!look_at_files(server) && !asked)
        return;
    tls = new_settings();
    if (use_certificate(&server->context->config, tls, &in_hardware) !=
        EXIT_DONE) {
        note("the server's certificate stays the one that it was");
    } else {
        SSL_CTX *old = server->tls;
        pthread_mutex_lock(&server->tls_lock);
        server->tls = tls;
        pthread_mutex_unlock(&server->tls_lock);
        tls = old;
        note("the server's certificate was read again");
    }
    SSL_CTX_free(tls);
}

SSL_CTX *tls_now(struct server *server)
{
    SSL_CTX *tls;

    pthread_mutex_lock(&server->tls_lock);
    tls = server->tls;
    (void)SSL_CTX_up_ref(tls); /* fails for nothing that is there */
    pthread_mutex_unlock(&server->tls_lock);
    return tls;
}

void tls_close(struct server *server)
{
    SSL_CTX_free(server->tls);
    server->tls = NULL;
    pthread_mutex_destroy(&server->tls_lock);
}
