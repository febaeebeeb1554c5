/* SPDX-License-Identifier: Apache-2.0 */
#define CURL_DISABLE_TYPECHECK
#include "fake_curl.h"

#include "fuzz.h"

#include <stdarg.h>
#include <string.h>

struct fake_answer fake_answer;

static curl_write_callback write_answer;
static void *write_arg;
static char *error_text;
static const uint8_t *sent;
static size_t sent_len;

CURLcode(curl_global_init)(long flags)
{
    (void)flags;
    return CURLE_OK;
}

CURL *(curl_easy_init)(void)
{
    return malloc(1);
}

void(curl_easy_cleanup)(CURL *curl)
{
    free(curl);
}

CURLcode(curl_easy_setopt)(CURL *curl, CURLoption option, ...)
{
    va_list values;

    (void)curl;
    va_start(values, option);
    if (option == CURLOPT_WRITEFUNCTION)
        write_answer = va_arg(values, curl_write_callback);
    if (option == CURLOPT_WRITEDATA)
        write_arg = va_arg(values, void *);
    if (option == CURLOPT_ERRORBUFFER)
        error_text = va_arg(values, char *);
    if (option == CURLOPT_POSTFIELDS)
        sent = va_arg(values, const uint8_t *);
    if (option == CURLOPT_POSTFIELDSIZE)
        sent_len = (size_t)va_arg(values, long);
    va_end(values);
    return CURLE_OK;
}

CURLcode(curl_easy_getinfo)(CURL *curl, CURLINFO info, ...)
{
    va_list values;

    (void)curl;
    va_start(values, info);
    if (info == CURLINFO_RESPONSE_CODE)
        *va_arg(values, long *) = fake_answer.status;
    if (info == CURLINFO_RETRY_AFTER)
        *va_arg(values, curl_off_t *) = fake_answer.status;
    if (info == CURLINFO_CONTENT_TYPE)
        *va_arg(values, const char **) = fake_answer.type;
    va_end(values);
    return CURLE_OK;
}

static int hand_over(const char *data, size_t len)
{
    char *copy = malloc(len + 1); /* not const in libcurl */
    size_t taken;

    must(copy != NULL);
    memcpy(copy, data, len);
    taken = write_answer(copy, 1, len, write_arg);
    free(copy);
    return taken == len;
}

CURLcode(curl_easy_perform)(CURL *curl)
{
    size_t half;

    (void)curl;
    if (fake_answer.rc != CURLE_OK) {
        half = fake_answer.len < CURL_ERROR_SIZE - 1 ? fake_answer.len
                                                     : CURL_ERROR_SIZE - 1;
        memcpy(error_text, fake_answer.body, half);
        error_text[half] = '\0';
        return fake_answer.rc;
    }
    if (fake_answer.make != NULL)
        fake_answer.make(&fake_answer, sent, sent_len);
    half = fake_answer.len / 2;
    if (fake_answer.len > 0 &&
        (!hand_over(fake_answer.body, half) ||
         !hand_over(fake_answer.body + half, fake_answer.len - half)))
        return CURLE_WRITE_ERROR;
    return CURLE_OK;
}

const char *(curl_easy_strerror)(CURLcode rc)
{
    (void)rc;
    return "an error";
}

struct curl_slist *(curl_slist_append)(struct curl_slist *list,
                                       const char *text)
{
    struct curl_slist *item = malloc(sizeof(*item));
    struct curl_slist **end = &list;

    must(item != NULL);
    item->data = strdup(text);
    item->next = NULL;
    while (*end != NULL)
        end = &(*end)->next;
    *end = item;
    return list;
}

void(curl_slist_free_all)(struct curl_slist *list)
{
    while (list != NULL) {
        struct curl_slist *next = list->next;

        free(list->data);
        free(list);
        list = next;
    }
}
