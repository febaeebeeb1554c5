/* SPDX-License-Identifier: Apache-2.0 */
#include "http_internal.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
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

/* ---- TLS --------------------------------------------------------------- */

/* The station's own certificate counts, whoever issued it, and nothing else. */
static int check_fingerprint(X509_STORE_CTX *store, void *arg)
{
    const struct http *http = arg;
    const X509 *cert = X509_STORE_CTX_get0_cert(store);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool same = cert != NULL &&
                X509_digest(cert, EVP_sha256(), digest, &len) == 1 &&
                len == HTTP_FINGERPRINT_LEN &&
                CRYPTO_memcmp(digest, http->fingerprint, len) == 0;

    X509_STORE_CTX_set_error(store,
                             same ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    return same;
}

static CURLcode prepare_tls(CURL *curl, void *vctx, void *arg)
{
    SSL_CTX *ctx = vctx;
    struct http *http = arg;
    const struct http_identity *id = &http->identity;

    (void)curl;
    if (http->fingerprint != NULL)
        SSL_CTX_set_cert_verify_callback(ctx, check_fingerprint, http);
    if (id->key == NULL)
        return CURLE_OK;
    if (SSL_CTX_use_certificate(ctx, id->cert) == 1 &&
        (id->chain == NULL || SSL_CTX_set1_chain(ctx, id->chain) == 1) &&
        SSL_CTX_use_PrivateKey(ctx, id->key) == 1)
        return CURLE_OK;
    http->identity_wrong = true;
    return CURLE_SSL_CERTPROBLEM;
}

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

static bool set_options(struct http *http, const char *ca)
{
    CURL *c = http->curl;

    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLVERSION,
                            (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST,
                            http->fingerprint ? 0L : 2L) == CURLE_OK &&
           (ca == NULL ||
            (curl_easy_setopt(c, CURLOPT_CAINFO, ca) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK)) &&
           curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, prepare_tls) ==
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

static void add_header(struct http *http, const char *header)
{
    struct curl_slist *list = curl_slist_append(http->headers, header);

    if (list == NULL)
        die_no_memory();
    http->headers = list;
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
    self->patience_ms = (int64_t)spec->patience_s * 1000;
    self->curl = curl_easy_init();
    if (self->url == NULL || self->curl == NULL)
        die_no_memory();
    *http = self;
    add_header(self, "Content-Type: application/json");
    add_header(self, "Expect:");
    if (set_options(self, spec->ca))
        return EXIT_DONE;
    http_close(http);
    return fail("libcurl lacks an option that devid needs of it");
}

void http_close(struct http **http)
{
    struct http *self = *http;

    *http = NULL;
    if (self == NULL)
        return;
    curl_easy_cleanup(self->curl);
    if (self->token_header != NULL)
        OPENSSL_cleanse(self->token_header, strlen(self->token_header));
    curl_slist_free_all(self->headers);
    OPENSSL_clear_free(self->answer, self->answer_len);
    OPENSSL_free(self->url);
    OPENSSL_free(self);
}

void http_set_token(struct http *http, const char *token)
{
    static const char before[] = "Authorization: Bearer ";
    size_t size = sizeof(before) + strlen(token);
    char *header = OPENSSL_malloc(size);
    struct curl_slist *last;

    if (header == NULL)
        die_no_memory();
    (void)snprintf(header, size, "%s%s", before, token);
    add_header(http, header);
    OPENSSL_clear_free(header, size);
    for (last = http->headers; last->next != NULL;)
        last = last->next;
    http->token_header = last->data;
}

void http_set_identity(struct http *http, const struct http_identity *identity)
{
    http->identity = *identity;
}

const char *http_refusal(const struct http *http)
{
    return http->refusal;
}

/* ---- a request, and again ----------------------------------------------- */

struct call {
    const char *path;
    char *body; /* NULL: GET */
};

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static CURLcode try_once(struct http *http, const struct call *call,
                         int64_t left_ms)
{
    size_t size = strlen(http->url) + strlen(call->path) + 1;
    char *url = OPENSSL_malloc(size);
    CURL *c = http->curl;
    CURLcode rc;

    if (url == NULL)
        die_no_memory();
    (void)snprintf(url, size, "%s%s", http->url, call->path);
    OPENSSL_clear_free(http->answer, http->answer_len);
    http->answer = NULL;
    http->answer_len = 0;
    http->curl_says[0] = '\0';
    rc = curl_easy_setopt(c, CURLOPT_URL, url);
    OPENSSL_free(url);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(c, CURLOPT_HTTPHEADER, http->headers);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                              (long)(left_ms < TRY_MS ? left_ms : TRY_MS));
    if (rc == CURLE_OK && call->body == NULL)
        rc = curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    if (rc == CURLE_OK && call->body != NULL)
        rc = curl_easy_setopt(c, CURLOPT_POSTFIELDS, call->body);
    if (rc == CURLE_OK && call->body != NULL)
        rc = curl_easy_setopt(c, CURLOPT_POST, 1L);
    if (rc == CURLE_OK)
        rc = curl_easy_perform(c);
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
        note("the station at %s %s: it is tried again for %lld seconds",
             http->url, *http->refusal != '\0' ? "is busy" : "does not answer",
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

/* Sets *status; the answer, where it is JSON, is the caller's. */
static CURLcode try_until(struct http *http, const struct call *call,
                          long *status, json_t **answer)
{
    int64_t end_ms = now_ms() + http->patience_ms;
    int64_t left_ms = http->patience_ms;
    int64_t pause_ms = PAUSE_MIN_MS;
    CURLcode rc;

    for (;;) {
        http->refusal[0] = '\0';
        *status = 0;
        rc = try_once(http, call, left_ms > 0 ? left_ms : TRY_MS);
        if (rc == CURLE_OK)
            (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, status);
        *answer = http->answer == NULL
                      ? NULL
                      : json_loadb(http->answer, http->answer_len,
                                   JSON_REJECT_DUPLICATES, NULL);
        (void)http_read_refusal(http, *answer);
        if (!http_may_pass(http, rc, *status) ||
            !pause_before_next(http, &pause_ms, end_ms))
            return rc;
        json_decref(*answer);
        left_ms = end_ms - now_ms();
    }
}

enum exit_code http_call(struct http *http, const char *path,
                         const json_t *body, json_t **answer)
{
    struct call call = {.path = path};
    enum exit_code code = EXIT_DONE;
    long status = 0;
    CURLcode rc;

    *answer = NULL;
    if (body != NULL) {
        call.body = json_dumps(body, JSON_COMPACT);
        if (call.body == NULL)
            die_no_memory();
    }
    rc = try_until(http, &call, &status, answer);
    if (call.body != NULL)
        OPENSSL_cleanse(call.body, strlen(call.body));
    free(call.body);
    if (rc != CURLE_OK)
        code = http_transfer_failed(http, rc);
    else if (status < 200 || status > 299)
        code = http_status_failed(http, path, status, *answer);
    else if (!json_is_object(*answer))
        code = fail_with(EXIT_UNTRUSTED,
                         "what answers at %s%s is no station: its answer is "
                         "no JSON object",
                         http->url, path);
    if (code == EXIT_DONE)
        return code;
    json_decref(*answer);
    *answer = NULL;
    return code;
}
