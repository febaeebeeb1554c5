/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolment over Secure Transport: what the files of it share. RFC 7030, with
 * RFC 8951.
 */
#ifndef DEVID_TOOLS_EST_H
#define DEVID_TOOLS_EST_H

#include <limits.h>

#include "enrolment.h"

struct est {
    struct enrolment *e;
    char *url; /* with the label */
    struct http *http;
    struct handshake who;
    STACK_OF(X509) * bootstrapped; /* the CA of the fingerprint */
    char ca_path[PATH_MAX];
};

/* ---- est_server.c: which server, and how it is known --------------------- */

void est_open(struct est *est, struct enrolment *e);
void est_close(struct est *est);
/* By whom the request is made: fills `who`, where it is not a secret alone. */
enum exit_code est_open_who(struct est *est);
/* A connection; as nobody where the identity is NULL, or has no key. */
enum exit_code est_connect(struct est *est,
                           const struct http_identity *identity);

/* ---- est_reply.c: what it says ------------------------------------------- */

/* Print that it does not speak EST: EXIT_UNTRUSTED. */
enum exit_code est_is_no_server(const struct est *est, const char *path,
                                const char *why);
/*
 * The DER of an answer, which must be of that type; OPENSSL_malloc. What else
 * is answered is printed: EXIT_REFUSED, _UNREACHABLE, _UNTRUSTED.
 */
enum exit_code est_take_der(const struct est *est, const char *path,
                            const struct http_answer *answer, const char *type,
                            uint8_t **der, size_t *len);
/* The certificates in it, the caller's. */
enum exit_code est_take_certificates(const struct est *est, const char *path,
                                     const struct http_answer *answer,
                                     STACK_OF(X509) * *certs);
enum exit_code est_get(struct est *est, const char *path,
                       struct http_answer *answer);
enum exit_code est_get_cacerts(struct est *est, STACK_OF(X509) * *certs);

#endif
