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
    int64_t patience_ms;
    struct curl_slist *headers;
    struct http_identity identity;
    bool identity_wrong; /* OpenSSL does not take it */
    char curl_says[CURL_ERROR_SIZE];
    char refusal[HTTP_CODE_SIZE];
    char *answer; /* of the try at work; NUL-ended */
    size_t answer_len;
    char *token_header; /* in `headers`; borrowed: to be wiped there */
};

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
