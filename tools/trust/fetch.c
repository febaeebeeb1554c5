/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "devid.h"
#include "message.h"

enum {
    CONNECT_S = 10,
    REDIRECTS = 3
};

struct transfer {
    const struct fetch_spec *spec;
    CURL *curl;
    char says[CURL_ERROR_SIZE];
    uint8_t *data;
    size_t len;
    size_t room;
    bool too_long;
};

bool fetch_takes(const char *url)
{
    static const char *const begins[] = {"http://", "https://", "file:///"};
    bool known = false;

    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
        known = known || strncmp(url, begins[i], strlen(begins[i])) == 0;
    for (const char *c = url; *c; c++)
        known = known && (unsigned char)*c > ' ' && (unsigned char)*c < 0x7f;
    return known && strlen(url) <= FETCH_URL_MAX;
}

static size_t take(const char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * count;

    if (len > FETCH_MAX - t->len) {
        t->too_long = true;
        return 0; /* libcurl ends the transfer */
    }
    if (t->len + len > t->room) {
        size_t room = 2 * (t->len + len);
        void *more = realloc(t->data, room);

        if (!more)
            die_no_memory();
        t->data = more;
        t->room = room;
    }
    memcpy(t->data + t->len, data, len);
    t->len += len;
    return len;
}

static bool set_limits(const struct transfer *t)
{
    CURL *c = t->curl;

    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,file") ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)t->spec->timeout_s) ==
               CURLE_OK;
}

static bool set_options(struct transfer *t)
{
    CURL *c = t->curl;
    const char *ca = t->spec->ca;

    return set_limits(t) &&
           curl_easy_setopt(c, CURLOPT_URL, t->spec->url) == CURLE_OK &&
           (!ca || (curl_easy_setopt(c, CURLOPT_CAINFO, ca) == CURLE_OK &&
                    curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK)) &&
           curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "devid/" DEVID_VERSION) ==
               CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->says) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK;
}

static enum exit_code judge(const struct transfer *t, CURLcode rc)
{
    const char *url = t->spec->url;

    if (t->too_long)
        return fail("what is at %s is larger than %d bytes, and is not read",
                    url, (int)FETCH_MAX);
    if (rc != CURLE_OK)
        return fail("%s cannot be fetched: %s", url,
                    *t->says != '\0' ? t->says : curl_easy_strerror(rc));
    if (t->len == 0)
        return fail("what is at %s is empty", url);
    return EXIT_DONE;
}

enum exit_code fetch(const struct fetch_spec *spec, uint8_t **data, size_t *len)
{
    struct transfer t = {.spec = spec};
    enum exit_code code;

    *data = NULL;
    *len = 0;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        die_no_memory();
    t.curl = curl_easy_init();
    if (!t.curl)
        die_no_memory();
    if (set_options(&t))
        code = judge(&t, curl_easy_perform(t.curl));
    else
        code = fail("libcurl lacks an option that devid needs of it");
    curl_easy_cleanup(t.curl);
    ERR_clear_error();
    if (code != EXIT_DONE) {
        free(t.data);
        return code;
    }
    *data = t.data;
    *len = t.len;
    return EXIT_DONE;
}
