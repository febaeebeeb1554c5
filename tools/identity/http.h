/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS to a station, with JSON, or to a CA. What may pass (a network that is
 * not there yet, a station that is busy) is tried again, with growing, jittered
 * pauses, until the patience is over; a refusal never is.
 */
#ifndef DEVID_TOOLS_HTTP_H
#define DEVID_TOOLS_HTTP_H

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "command.h"

#define HTTP_FINGERPRINT_LEN 32
#define HTTP_CODE_SIZE 64

/* What the other end is called in sentences. */
struct http_peer {
    const char *name;  /* "station" */
    const char *form;  /* "https://HOST:PORT" */
    const char *trust; /* "--ca names the station's": where it is not trusted */
};

struct http_spec {
    const char *url; /* "https://station:8443"; borrowed, as all of these */
    const char *ca;  /* PEM file; NULL: what OpenSSL trusts */
    /* sha256 of the station's own certificate, in place of any CA; or NULL */
    const uint8_t *fingerprint;
    const STACK_OF(X509) * trusted; /* in place of any CA; or NULL */
    bool unverified;                /* whoever answers will do */
    unsigned patience_s;            /* for one request, all its tries */
    const struct http_peer *peer;   /* NULL: a station */
};

struct http;

/* Prints the sentence on failure. Connects to nothing. */
enum exit_code http_open(const struct http_spec *spec, struct http **http);
/* NULL-safe; closes its connection; wipes the token; sets NULL. */
void http_close(struct http **http);

/* "Authorization: Bearer TOKEN" from now on; copied. */
void http_set_token(struct http *http, const char *token);
/* "Authorization: Basic ..." from now on; copied. */
void http_set_basic(struct http *http, const char *user, const char *secret);

/* A client's identity for the handshake; borrowed until http_close. */
struct http_identity {
    EVP_PKEY *key; /* of any provider */
    X509 *cert;
    STACK_OF(X509) * chain; /* may be NULL */
};
void http_set_identity(struct http *http, const struct http_identity *identity);
/* Was it asked for, in a handshake since then? */
bool http_identity_was_asked(const struct http *http);
/* Did the last request fail for it: no signature, or the peer refuses it? */
bool http_identity_failed(const struct http *http);

/* "ek-expired": why the station refused the last call; "" where it did not. */
const char *http_refusal(const struct http *http);

struct http_request {
    const char *path; /* after the URL */
    const char *body; /* borrowed; NULL: GET */
    size_t body_len;
    const char *type;     /* of the body, "application/pkcs10" */
    const char *accept;   /* of the answer; or NULL */
    const char *encoding; /* Content-Transfer-Encoding; or NULL */
};

struct http_answer {
    long status;
    const char *type; /* of the content, without parameters; "" */
    int64_t retry_after_s;
    const char *data; /* NUL-ended, "" where there is none */
    size_t len;
};

/*
 * One request, whatever is answered. What is in `answer` is borrowed until the
 * next one. Prints the sentence where nothing is: EXIT_UNREACHABLE, _REFUSED,
 * _UNTRUSTED, _DEVICE.
 */
enum exit_code http_exchange(struct http *http,
                             const struct http_request *request,
                             struct http_answer *answer);

/*
 * One request to a station: POST of `body` (borrowed), or GET where it is NULL.
 *
 * path    "/v1/station", after the URL
 * answer  out: a JSON object, the caller's
 *
 * Prints the sentence on failure: EXIT_REFUSED, _UNREACHABLE, _UNTRUSTED.
 */
enum exit_code http_call(struct http *http, const char *path,
                         const json_t *body, json_t **answer);

#endif
