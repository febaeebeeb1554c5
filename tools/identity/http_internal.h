/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP client share. */
#ifndef DEVID_TOOLS_HTTP_INTERNAL_H
#define DEVID_TOOLS_HTTP_INTERNAL_H

#include "http.h"

#include <curl/curl.h>
#include <stdint.h>

enum {
    HTTP_ANSWER_MAX = 1 << 20
};

struct http {
    CURL *curl;
    char *url;
    const uint8_t *fingerprint;
    const STACK_OF(X509) * trusted;
    const struct http_peer *peer;
    int64_t patience_ms;
    char *authorization; /* header; NULL: none; secret */
    struct http_identity identity;
    bool identity_wrong; /* OpenSSL does not take it */
    bool identity_asked;
    char curl_says[CURL_ERROR_SIZE];
    char refusal[HTTP_CODE_SIZE];
    char *answer; /* of the try at work; NUL-ended */
    size_t answer_len;
    char type[64];
};

/* ---- http_tls.c ---------------------------------------------------------- */

/* For CURLOPT_SSL_CTX_FUNCTION; the argument is the struct http. */
CURLcode http_prepare_tls(CURL *curl, void *ssl_ctx, void *arg);

/* ---- http_failure.c: what a try came to --------------------------------- */

/* A failure that passes by itself, maybe. */
bool http_may_pass(const struct http *http, CURLcode rc, long status);
/* The station's sentence, its code kept for http_refusal. */
const char *http_read_refusal(struct http *http, const json_t *answer);
/* Print why there is no answer, or none that is of use. */
enum exit_code http_transfer_failed(const struct http *http, CURLcode rc);
enum exit_code http_status_failed(struct http *http, const char *path,
                                  long status, const json_t *answer);

#endif
