/* SPDX-License-Identifier: Apache-2.0 */
#include "http_internal.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "devid.h"
#include "message.h"

enum {
    CONNECT_MS = 10 * 1000,
    TRY_MS = 30 * 1000,
    PAUSE_MIN_MS = 250,
    PAUSE_MAX_MS = 8 * 1000
};

static const struct http_peer station = {
    .name = "station",
    .form = "https://HOST:PORT",
    .trust = "--ca names the station's",
};

/* ---- open and close ---------------------------------------------------- */

static size_t take_answer(const char *data, size_t size, size_t count,
                          void *arg)
{
    struct http *http = arg;
    size_t len = size * count;
    char *grown;

    if (len > HTTP_ANSWER_MAX - http->answer_len)
        return 0; /* libcurl ends the transfer */
    grown = OPENSSL_clear_realloc(http->answer, http->answer_len,
                                  http->answer_len + len + 1);
    if (grown == NULL)
        die_no_memory();
    http->answer = grown;
    memcpy(grown + http->answer_len, data, len);
    http->answer_len += len;
    grown[http->answer_len] = '\0';
    return len;
}

/* What vouches for the peer is that alone. */
static bool set_trust(const struct http *http, const struct http_spec *spec)
{
    CURL *c = http->curl;
    long verify = spec->unverified ? 0 : 1;
    long name = spec->unverified || spec->fingerprint != NULL ? 0 : 2;

    return curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, verify) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, name) == CURLE_OK &&
           ((spec->ca == NULL && spec->trusted == NULL) ||
            (curl_easy_setopt(c, CURLOPT_CAINFO, spec->ca) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

static bool set_options(struct http *http)
{
    CURL *c = http->curl;

    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLVERSION,
                            (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, http_prepare_tls) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, http) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "devid/" DEVID_VERSION) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, http->curl_says) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_answer) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, http) == CURLE_OK;
}

enum exit_code http_open(const struct http_spec *spec, struct http **http)
{
    struct http *self = OPENSSL_zalloc(sizeof(*self));
    size_t len = strlen(spec->url);

    *http = NULL;
    if (self == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        die_no_memory();
    while (len > 0 && spec->url[len - 1] == '/')
        len--;
    self->url = OPENSSL_strndup(spec->url, len);
    self->fingerprint = spec->fingerprint;
    self->trusted = spec->trusted;
    self->peer = spec->peer != NULL ? spec->peer : &station;
    self->patience_ms = (int64_t)spec->patience_s * 1000;
    self->curl = curl_easy_init();
    if (self->url == NULL || self->curl == NULL)
        die_no_memory();
    *http = self;
    if (set_options(self) && set_trust(self, spec))
        return EXIT_DONE;
    http_close(http);
    return fail("libcurl lacks an option that devid needs of it");
}

static void free_secret(char *text)
{
    if (text != NULL)
        OPENSSL_cleanse(text, strlen(text));
    OPENSSL_free(text);
}

void http_close(struct http **http)
{
    struct http *self = *http;

    *http = NULL;
    if (self == NULL)
        return;
    curl_easy_cleanup(self->curl);
    free_secret(self->authorization);
    OPENSSL_clear_free(self->answer, self->answer_len);
    OPENSSL_free(self->url);
    OPENSSL_free(self);
}

static void set_authorization(struct http *http, const char *scheme,
                              const char *value)
{
    size_t size = sizeof("Authorization:  ") + strlen(scheme) + strlen(value);
    char *header = OPENSSL_malloc(size);

    if (header == NULL)
        die_no_memory();
    (void)snprintf(header, size, "Authorization: %s %s", scheme, value);
    free_secret(http->authorization);
    http->authorization = header;
}

void http_set_token(struct http *http, const char *token)
{
    set_authorization(http, "Bearer", token);
}

void http_set_basic(struct http *http, const char *user, const char *secret)
{
    size_t size = strlen(user) + strlen(secret) + 2;
    char *pair = OPENSSL_malloc(size);
    char *text = OPENSSL_malloc((size + 2) / 3 * 4 + 1);

    if (pair == NULL || text == NULL || size > INT_MAX / 2)
        die_no_memory();
    (void)snprintf(pair, size, "%s:%s", user, secret);
    (void)EVP_EncodeBlock((unsigned char *)text, (unsigned char *)pair,
                          (int)size - 1);
    set_authorization(http, "Basic", text);
    free_secret(pair);
    free_secret(text);
}

void http_set_identity(struct http *http, const struct http_identity *identity)
{
    http->identity = *identity;
    http->identity_asked = false;
}

bool http_identity_was_asked(const struct http *http)
{
    return http->identity_asked;
}

const char *http_refusal(const struct http *http)
{
    return http->refusal;
}

/* ---- a request, and again ----------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void add_header(struct curl_slist **list, const char *name,
                       const char *value)
{
    size_t size = strlen(name) + strlen(value) + 1;
    char *header = OPENSSL_malloc(size);
    struct curl_slist *longer;

    if (header == NULL)
        die_no_memory();
    (void)snprintf(header, size, "%s%s", name, value);
    longer = curl_slist_append(*list, header);
    if (longer == NULL)
        die_no_memory();
    *list = longer;
    free_secret(header);
}

static struct curl_slist *make_headers(const struct http *http,
                                       const struct http_request *request)
{
    struct curl_slist *list = NULL;

    add_header(&list, "Expect:", "");
    if (request->type != NULL)
        add_header(&list, "Content-Type: ", request->type);
    if (request->encoding != NULL)
        add_header(&list, "Content-Transfer-Encoding: ", request->encoding);
    if (request->accept != NULL)
        add_header(&list, "Accept: ", request->accept);
    if (http->authorization != NULL)
        add_header(&list, http->authorization, "");
    return list;
}

static void free_headers(struct curl_slist *list)
{
    for (const struct curl_slist *at = list; at != NULL; at = at->next)
        OPENSSL_cleanse(at->data, strlen(at->data));
    curl_slist_free_all(list);
}

static CURLcode set_request(CURL *c, const struct http_request *request)
{
    CURLcode rc;

    if (request->body == NULL)
        return curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    rc = curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)request->body_len);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(c, CURLOPT_POSTFIELDS, request->body);
    return rc == CURLE_OK ? curl_easy_setopt(c, CURLOPT_POST, 1L) : rc;
}

static CURLcode perform(struct http *http, const char *url,
                        const struct http_request *request, int64_t left_ms)
{
    struct curl_slist *headers = make_headers(http, request);
    CURL *c = http->curl;
    CURLcode rc = curl_easy_setopt(c, CURLOPT_URL, url);

    if (rc == CURLE_OK)
        rc = curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                              (long)(left_ms < TRY_MS ? left_ms : TRY_MS));
    if (rc == CURLE_OK)
        rc = set_request(c, request);
    if (rc == CURLE_OK)
        rc = curl_easy_perform(c);
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
    free_headers(headers);
    return rc;
}

static CURLcode try_once(struct http *http, const struct http_request *request,
                         int64_t left_ms)
{
    size_t size = strlen(http->url) + strlen(request->path) + 1;
    char *url = OPENSSL_malloc(size);
    CURLcode rc;

    if (url == NULL)
        die_no_memory();
    (void)snprintf(url, size, "%s%s", http->url, request->path);
    OPENSSL_clear_free(http->answer, http->answer_len);
    http->answer = NULL;
    http->answer_len = 0;
    http->curl_says[0] = '\0';
    rc = perform(http, url, request, left_ms);
    OPENSSL_free(url);
    /* OpenSSL's queue is the caller's. */
    ERR_clear_error();
    return rc;
}

/* Half of it for certain, so that devices of one line do not march in step. */
static int64_t jittered(int64_t ms)
{
    uint8_t noise = 0;

    (void)RAND_bytes(&noise, 1); /* without it they march */
    return ms / 2 + ms * noise / 510;
}

/* Who waits is told why, once. */
static void tell_of_pause(const struct http *http, int64_t pause_ms,
                          int64_t end_ms)
{
    if (pause_ms == PAUSE_MIN_MS)
        note("the %s at %s %s: it is tried again for %lld seconds",
             http->peer->name, http->url,
             *http->refusal != '\0' ? "is busy" : "does not answer",
             (long long)((end_ms - now_ms()) / 1000));
}

/* Wait before the next try; false: there is no time for one. */
static bool pause_before_next(const struct http *http, int64_t *pause_ms,
                              int64_t end_ms)
{
    curl_off_t asked_s = 0;
    int64_t ms = jittered(*pause_ms);
    struct timespec ts;

    if (curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &asked_s) ==
            CURLE_OK &&
        asked_s > 0)
        ms += (int64_t)asked_s * 1000;
    if (now_ms() + ms >= end_ms)
        return false;
    tell_of_pause(http, *pause_ms, end_ms);
    ts.tv_sec = (time_t)(ms / 1000);
    ts.tv_nsec = (long)(ms % 1000) * 1000000L;
    (void)nanosleep(&ts, NULL); /* shorter where a signal comes: no harm */
    if (*pause_ms < PAUSE_MAX_MS)
        *pause_ms *= 2;
    return true;
}

/* Why it was refused says whether to try again; an answer may be no JSON. */
static void read_refusal(struct http *http, long status)
{
    json_t *answer = NULL;

    http->refusal[0] = '\0';
    if (http->answer == NULL || (status >= 200 && status <= 299))
        return;
    answer = json_loadb(http->answer, http->answer_len, JSON_REJECT_DUPLICATES,
                        NULL);
    (void)http_read_refusal(http, answer);
    json_decref(answer);
}

static CURLcode try_until(struct http *http, const struct http_request *request,
                          long *status)
{
    int64_t end_ms = now_ms() + http->patience_ms;
    int64_t left_ms = http->patience_ms;
    int64_t pause_ms = PAUSE_MIN_MS;
    CURLcode rc;

    for (;;) {
        *status = 0;
        rc = try_once(http, request, left_ms > 0 ? left_ms : TRY_MS);
        if (rc == CURLE_OK)
            (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, status);
        read_refusal(http, *status);
        if (!http_may_pass(http, rc, *status) ||
            !pause_before_next(http, &pause_ms, end_ms))
            return rc;
        left_ms = end_ms - now_ms();
    }
}

/* "application/pkcs7-mime; smime-type=certs-only" to what stands before ";". */
static void read_type(struct http *http)
{
    const char *type = NULL;

    (void)curl_easy_getinfo(http->curl, CURLINFO_CONTENT_TYPE, &type);
    if (type == NULL)
        type = "";
    (void)snprintf(http->type, sizeof(http->type), "%.*s",
                   (int)strcspn(type, "; \t"), type);
}

enum exit_code http_exchange(struct http *http,
                             const struct http_request *request,
                             struct http_answer *answer)
{
    curl_off_t retry_after_s = 0;
    CURLcode rc;

    *answer = (struct http_answer){0};
    rc = try_until(http, request, &answer->status);
    if (rc != CURLE_OK)
        return http_transfer_failed(http, rc);
    read_type(http);
    if (curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_after_s) ==
        CURLE_OK)
        answer->retry_after_s = (int64_t)retry_after_s;
    answer->type = http->type;
    answer->data = http->answer != NULL ? http->answer : "";
    answer->len = http->answer_len;
    return EXIT_DONE;
}
