/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* A path that nobody has: who answers at all has come through the handshake. */
static const char request[] = "GET /none HTTP/1.0\r\n\r\n";
static const char answer_start[] = "HTTP/1.";

/*
 * The handshake's own signature is verified all the same, and the certificate
 * is compared: its chain would only cost the client time.
 */
static int accept_chain(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

void target_open(struct target *target, uint16_t port, const char *cert_path)
{
    FILE *file = fopen(cert_path, "re");

    *target = (struct target){.port = port};
    if (file != NULL) {
        target->cert = PEM_read_X509(file, NULL, NULL, NULL);
        (void)fclose(file); /* read only: nothing to lose */
    }
    if (target->cert == NULL)
        errx(EXIT_FAILURE, "%s is no certificate", cert_path);
    target->tls = SSL_CTX_new(TLS_client_method());
    if (target->tls == NULL ||
        SSL_CTX_set_min_proto_version(target->tls, TLS1_3_VERSION) != 1)
        errx(EXIT_FAILURE, "OpenSSL has no TLS 1.3");
    SSL_CTX_set_cert_verify_callback(target->tls, accept_chain, NULL);
    (void)SSL_CTX_set_session_cache_mode(target->tls, SSL_SESS_CACHE_OFF);
}

void target_close(struct target *target)
{
    X509_free(target->cert);
    SSL_CTX_free(target->tls);
    *target = (struct target){0};
}

void connection_close(struct connection *self)
{
    /* A reset leaves no TIME_WAIT behind: ports would run out in a minute. */
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (self->ssl == NULL)
        return;
    SSL_free(self->ssl);
    (void)setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)close(self->fd);
    *self = (struct connection){.fd = -1};
}

static enum progress failed(struct connection *self, char *why, size_t size,
                            const char *what)
{
    const unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    if (reason == NULL)
        reason = errno != 0 ? strerror(errno) : "the server closed it";
    (void)snprintf(why, size, "%s: %s", what, reason);
    connection_close(self);
    return PROGRESS_FAIL;
}

/* After a call to libssl that did not succeed: wait, or it is over. */
static enum progress wait_or_fail(struct connection *self, int result,
                                  char *why, size_t size, const char *what)
{
    const int error = SSL_get_error(self->ssl, result);

    if (error == SSL_ERROR_WANT_READ)
        self->events = POLLIN;
    else if (error == SSL_ERROR_WANT_WRITE)
        self->events = POLLOUT;
    else
        return failed(self, why, size, what);
    return PROGRESS_WAIT;
}

/* X509_cmp would parse all extensions first; the CA's signature will do. */
static bool same_cert(const X509 *a, const X509 *b)
{
    const ASN1_BIT_STRING *of_a = NULL;
    const ASN1_BIT_STRING *of_b = NULL;

    if (a == NULL)
        return false;
    X509_get0_signature(&of_a, NULL, a);
    X509_get0_signature(&of_b, NULL, b);
    return ASN1_STRING_cmp(of_a, of_b) == 0;
}

/* A full TLS 1.3 handshake with the server that was meant? */
static bool is_as_meant(const struct connection *self,
                        const struct target *target)
{
    return same_cert(SSL_get0_peer_certificate(self->ssl), target->cert) &&
           SSL_version(self->ssl) == TLS1_3_VERSION &&
           SSL_session_reused(self->ssl) == 0;
}

enum progress connection_continue(struct connection *self,
                                  const struct target *target, char *why,
                                  size_t size)
{
    char answer[256];
    int n;

    ERR_clear_error();
    errno = 0;
    if (!self->handshaken) {
        n = SSL_connect(self->ssl);
        if (n != 1)
            return wait_or_fail(self, n, why, size, "the handshake failed");
        self->handshaken = true;
        if (!is_as_meant(self, target))
            return failed(self, why, size, "not the handshake that was meant");
    }
    if (!self->asked) {
        n = SSL_write(self->ssl, request, sizeof(request) - 1);
        if (n <= 0)
            return wait_or_fail(self, n, why, size, "the request failed");
        self->asked = true;
    }
    n = SSL_read(self->ssl, answer, sizeof(answer));
    if (n <= 0)
        return wait_or_fail(self, n, why, size, "no answer came");
    if ((size_t)n < sizeof(answer_start) - 1 ||
        memcmp(answer, answer_start, sizeof(answer_start) - 1) != 0)
        return failed(self, why, size, "the answer is not HTTP");
    connection_close(self);
    return PROGRESS_DONE;
}

enum progress connection_start(struct connection *self,
                               const struct target *target, char *why,
                               size_t size)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(target->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int on = 1;

    *self = (struct connection){.fd = -1};
    self->ssl = SSL_new(target->tls);
    if (self->ssl == NULL)
        errx(EXIT_FAILURE, "no memory for a connection");
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (self->fd < 0 || (connect(self->fd, (const struct sockaddr *)&address,
                                 sizeof(address)) != 0 &&
                         errno != EINPROGRESS))
        return failed(self, why, size, "no connection");
    /* The request must not wait for the server to acknowledge Finished. */
    (void)setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (SSL_set_fd(self->ssl, self->fd) != 1)
        errx(EXIT_FAILURE, "no memory for a connection");
    return connection_continue(self, target, why, size);
}
