/* SPDX-License-Identifier: Apache-2.0 */
#include "cmp_transfer.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "devid.h"
#include "message.h"

enum {
    ANSWER_MAX = 1 << 20,
    CONNECT_S = 10,
    PAUSE_MIN_MS = 250,
    PAUSE_MAX_MS = 8000,
    OK = 200
};

/* One message and its answer. */
struct exchange {
    struct cmp_transfer *transfer;
    uint8_t *sent;
    int sent_len;
    uint8_t *answer;
    size_t len;
    char says[CURL_ERROR_SIZE];
};

static size_t take(const char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t len = size * count;
    uint8_t *grown;

    if (len > ANSWER_MAX - x->len)
        return 0; /* libcurl ends the transfer */
    grown = OPENSSL_realloc(x->answer, x->len + len);
    if (grown == NULL)
        die_no_memory();
    memcpy(grown + x->len, data, len);
    x->answer = grown;
    x->len += len;
    return len;
}

static bool set_options(const struct cmp_transfer *t)
{
    const char *ca = t->spec->ca;
    CURL *c = t->curl;

    return curl_easy_setopt(c, CURLOPT_URL, t->spec->url) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") ==
               CURLE_OK &&
           (ca == NULL ||
            (curl_easy_setopt(c, CURLOPT_CAINFO, ca) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK)) &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)t->spec->patience_s) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "devid/" DEVID_VERSION) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) == CURLE_OK;
}

void cmp_transfer_open(struct cmp_transfer *transfer,
                       const struct cmp_spec *spec)
{
    *transfer = (struct cmp_transfer){.spec = spec, .code = EXIT_DONE};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        die_no_memory();
    transfer->curl = curl_easy_init();
    if (transfer->curl == NULL)
        die_no_memory();
}

void cmp_transfer_close(struct cmp_transfer *transfer)
{
    curl_easy_cleanup(transfer->curl);
    transfer->curl = NULL;
}

static CURLcode post(struct exchange *x, struct curl_slist *headers)
{
    CURL *c = x->transfer->curl;

    if (!set_options(x->transfer) ||
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
        curl_easy_setopt(c, CURLOPT_POST, 1L) != CURLE_OK ||
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->sent) != CURLE_OK ||
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)x->sent_len) !=
            CURLE_OK ||
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->says) != CURLE_OK ||
        curl_easy_setopt(c, CURLOPT_WRITEDATA, x) != CURLE_OK)
        return CURLE_UNKNOWN_OPTION;
    return curl_easy_perform(c);
}

/*
 * Nothing has been said yet, so it may be said again. A message that did arrive
 * is another matter: the CA would have it twice.
 */
static bool may_pass(CURLcode rc)
{
    return rc == CURLE_COULDNT_CONNECT || rc == CURLE_COULDNT_RESOLVE_HOST ||
           rc == CURLE_COULDNT_RESOLVE_PROXY;
}

static CURLcode post_until(struct exchange *x, struct curl_slist *headers)
{
    const struct cmp_spec *spec = x->transfer->spec;
    time_t end = time(NULL) + (time_t)spec->patience_s;
    long pause_ms = PAUSE_MIN_MS;
    CURLcode rc;

    while (may_pass(rc = post(x, headers)) && time(NULL) < end) {
        struct timespec pause = {pause_ms / 1000,
                                 pause_ms % 1000 * 1000 * 1000};

        if (pause_ms == PAUSE_MIN_MS)
            note("the CA at %s does not answer: it is tried again for %u "
                 "seconds",
                 spec->url, spec->patience_s);
        (void)nanosleep(&pause, NULL); /* cut short, it is tried sooner */
        if (pause_ms < PAUSE_MAX_MS)
            pause_ms *= 2;
    }
    return rc;
}

static enum exit_code judge(const struct exchange *x, CURLcode rc)
{
    const char *url = x->transfer->spec->url;
    const char *type = NULL;
    long status = 0;

    if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE)
        return fail_with(EXIT_UNTRUSTED,
                         "what answers at %s is not that CA: %s; --ca names "
                         "who vouches for it",
                         url, x->says);
    if (rc != CURLE_OK)
        return fail_with(EXIT_UNREACHABLE, "the CA at %s cannot be reached: %s",
                         url,
                         *x->says != '\0' ? x->says : curl_easy_strerror(rc));
    (void)curl_easy_getinfo(x->transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(x->transfer->curl, CURLINFO_CONTENT_TYPE, &type);
    if (type != NULL && strncmp(type, "application/pkixcmp", 19) == 0)
        return EXIT_DONE; /* an error of CMP's may come with any status */
    if (status != OK)
        return fail_with(status >= 500 ? EXIT_UNREACHABLE : EXIT_REFUSED,
                         "what answers at %s says HTTP status %ld, and nothing "
                         "in CMP: is the path right?",
                         url, status);
    return fail_with(EXIT_UNTRUSTED,
                     "what answers at %s does not speak CMP: its answer is of "
                     "the type %.60s, not application/pkixcmp",
                     url, type != NULL ? type : "(none)");
}

static struct curl_slist *make_headers(void)
{
    static const char *const lines[] = {"Content-Type: application/pkixcmp",
                                        "Accept: application/pkixcmp",
                                        "Expect:"};
    struct curl_slist *headers = NULL;

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct curl_slist *more = curl_slist_append(headers, lines[i]);

        if (more == NULL)
            die_no_memory();
        headers = more;
    }
    return headers;
}

OSSL_CMP_MSG *cmp_transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *message)
{
    struct cmp_transfer *t = OSSL_CMP_CTX_get_transfer_cb_arg(ctx);
    struct exchange x = {.transfer = t};
    struct curl_slist *headers = make_headers();
    OSSL_CMP_MSG *answer = NULL;
    const unsigned char *at;

    x.sent_len = i2d_OSSL_CMP_MSG(message, &x.sent);
    if (x.sent_len <= 0)
        die_no_memory();
    t->code = judge(&x, post_until(&x, headers));
    at = x.answer;
    if (t->code == EXIT_DONE && x.answer != NULL)
        answer = d2i_OSSL_CMP_MSG(NULL, &at, (long)x.len);
    if (t->code == EXIT_DONE && answer == NULL)
        t->code = fail_with(EXIT_UNTRUSTED,
                            "what answers at %s does not speak CMP: its answer "
                            "is no message of it",
                            t->spec->url);
    curl_slist_free_all(headers);
    OPENSSL_free(x.answer);
    OPENSSL_free(x.sent);
    return answer;
}
