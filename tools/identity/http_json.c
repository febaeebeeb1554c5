/* SPDX-License-Identifier: Apache-2.0 */
/* A request to a station: JSON, both ways. */
#include "http_internal.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

static enum exit_code take(struct http *http, const char *path,
                           const struct http_answer *said, json_t **answer)
{
    enum exit_code code = EXIT_DONE;

    *answer = json_loadb(said->data, said->len, JSON_REJECT_DUPLICATES, NULL);
    if (said->status < 200 || said->status > 299)
        code = http_status_failed(http, path, said->status, *answer);
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

enum exit_code http_call(struct http *http, const char *path,
                         const json_t *body, json_t **answer)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    struct http_request request = {
        .path = path,
        .type = "application/json",
        .body = text,
        .body_len = text != NULL ? strlen(text) : 0,
    };
    struct http_answer said;
    enum exit_code code;

    *answer = NULL;
    if (body != NULL && text == NULL)
        die_no_memory();
    code = http_exchange(http, &request, &said);
    if (text != NULL)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
    return code == EXIT_DONE ? take(http, path, &said, answer) : code;
}
