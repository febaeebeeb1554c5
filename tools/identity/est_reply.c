/* SPDX-License-Identifier: Apache-2.0 */
/* What an EST server says over HTTP. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <strings.h>

#include "est.h"
#include "est_answer.h"
#include "message.h"

enum {
    OK = 200,
    UNAUTHORIZED = 401,
    NOT_FOUND = 404
};

enum exit_code est_is_no_server(const struct est *est, const char *path,
                                const char *why)
{
    return fail_with(EXIT_UNTRUSTED,
                     "what answers at %s%s is no EST server: %s", est->url,
                     path, why);
}

/* The words of a refusal, where there are some for people. */
static const char *words_of(const struct http_answer *answer)
{
    return strcasecmp(answer->type, "text/plain") == 0 && answer->len > 0
               ? answer->data
               : "it does not say why";
}

static enum exit_code status_failed(const struct est *est, const char *path,
                                    const struct http_answer *answer)
{
    if (answer->status == NOT_FOUND)
        return fail_with(EXIT_REFUSED,
                         "the EST server has nothing at %s%s (HTTP status "
                         "404): is the URL right, and --label?",
                         est->url, path);
    if (answer->status >= 400 && answer->status < 500)
        return fail_with(EXIT_REFUSED,
                         "the EST server at %s%s refuses: %.200s (HTTP status "
                         "%ld)%s",
                         est->url, path, words_of(answer), answer->status,
                         answer->status == UNAUTHORIZED
                             ? "; --user and --secret-source give it a name "
                               "and a secret"
                             : "");
    if (answer->status >= 500)
        return fail_with(EXIT_UNREACHABLE,
                         "the EST server at %s%s fails: %.200s (HTTP status "
                         "%ld)",
                         est->url, path, words_of(answer), answer->status);
    return fail_with(EXIT_UNTRUSTED,
                     "what answers at %s%s is no EST server: HTTP status %ld",
                     est->url, path, answer->status);
}

/* The DER of a good answer; OPENSSL_malloc. */
enum exit_code est_take_der(const struct est *est, const char *path,
                            const struct http_answer *answer, const char *type,
                            uint8_t **der, size_t *len)
{
    char why[128];

    if (answer->status != OK)
        return status_failed(est, path, answer);
    if (strcasecmp(answer->type, type) != 0) {
        (void)snprintf(why, sizeof(why), "its answer is %s, not %s",
                       *answer->type ? answer->type : "of no type", type);
        return est_is_no_server(est, path, why);
    }
    if (!est_decode(answer->data, answer->len, der, len))
        return est_is_no_server(est, path, "its answer is no base64");
    return EXIT_DONE;
}

enum exit_code est_take_certificates(const struct est *est, const char *path,
                                     const struct http_answer *answer,
                                     STACK_OF(X509) * *certs)
{
    uint8_t *der = NULL;
    size_t len = 0;
    enum exit_code code =
        est_take_der(est, path, answer, "application/pkcs7-mime", &der, &len);

    if (code != EXIT_DONE)
        return code;
    *certs = est_certificates(der, len);
    OPENSSL_free(der);
    if (*certs != NULL)
        return EXIT_DONE;
    return est_is_no_server(
        est, path, "its answer holds no certificates as PKCS#7 has them");
}

enum exit_code est_get(struct est *est, const char *path,
                       struct http_answer *answer)
{
    const struct http_request request = {.path = path};

    return http_exchange(est->http, &request, answer);
}

enum exit_code est_get_cacerts(struct est *est, STACK_OF(X509) * *certs)
{
    static const char path[] = "/cacerts";
    struct http_answer answer;
    enum exit_code code = est_get(est, path, &answer);

    return code == EXIT_DONE ? est_take_certificates(est, path, &answer, certs)
                             : code;
}
