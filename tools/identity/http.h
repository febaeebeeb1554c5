/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON over HTTPS to a station. What may pass (a network that is not there
 * yet, a station that is busy) is tried again, with growing, jittered pauses,
 * until the patience is over; a refusal never is.
 */
#ifndef DEVID_TOOLS_HTTP_H
#define DEVID_TOOLS_HTTP_H

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "command.h"

#define HTTP_FINGERPRINT_LEN 32
#define HTTP_CODE_SIZE 64

struct http_spec {
    const char *url; /* "https://station:8443"; borrowed, as all of these */
    const char *ca;  /* PEM file; NULL: what OpenSSL trusts */
    /* sha256 of the station's own certificate, in place of any CA; or NULL */
    const uint8_t *fingerprint;
    unsigned patience_s; /* for one request, all its tries */
};

struct http;

/* Prints the sentence on failure. Connects to nothing. */
enum exit_code http_open(const struct http_spec *spec, struct http **http);
/* NULL-safe; closes its connection; wipes the token; sets NULL. */
void http_close(struct http **http);

/* "Authorization: Bearer TOKEN" from now on; copied. */
void http_set_token(struct http *http, const char *token);

/* A client's identity for the handshake; borrowed until http_close. */
struct http_identity {
    EVP_PKEY *key; /* of any provider */
    X509 *cert;
    STACK_OF(X509) * chain; /* may be NULL */
};
void http_set_identity(struct http *http, const struct http_identity *identity);

/* "ek-expired": why the station refused the last call; "" where it did not. */
const char *http_refusal(const struct http *http);

/*
 * One request: POST of `body` (borrowed), or GET where it is NULL.
 *
 * path    "/v1/station", after the URL
 * answer  out: a JSON object, the caller's
 *
 * Prints the sentence on failure: EXIT_REFUSED, _UNREACHABLE, _UNTRUSTED.
 */
enum exit_code http_call(struct http *http, const char *path,
                         const json_t *body, json_t **answer);

#endif
