/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection after another to a server on loopback: TCP, a full TLS 1.3
 * handshake, one HTTP request, its answer. Nothing blocks.
 */
#ifndef DEVID_BENCH_CONNECTION_H
#define DEVID_BENCH_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

struct target {
    SSL_CTX *tls;
    X509 *cert; /* what the server must show: it is who was asked for */
    uint16_t port;
};

struct connection {
    SSL *ssl; /* NULL: idle */
    int fd;
    short events; /* what poll must wait for */
    bool handshaken;
    bool asked;
};

enum progress {
    PROGRESS_WAIT,
    PROGRESS_DONE, /* the server has answered; closed, idle again */
    PROGRESS_FAIL, /* closed, idle again */
};

void target_open(struct target *target, uint16_t port, const char *cert_path);
void target_close(struct target *target);

/*
 * Begin, and go on once poll says so. Where they fail, why[size] says the
 * reason in one sentence.
 */
enum progress connection_start(struct connection *self,
                               const struct target *target, char *why,
                               size_t size);
enum progress connection_continue(struct connection *self,
                                  const struct target *target, char *why,
                                  size_t size);
void connection_close(struct connection *self);

#endif
