/* SPDX-License-Identifier: Apache-2.0 */
/* PEM blocks of ours in a text: found, decoded, written again. */
#include "mutate.h"

#include <openssl/evp.h>

#include <limits.h>
#include <string.h>

#define COLUMNS 64

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";
static const char *const labels[] = {"TSS2 PRIVATE KEY-----",
                                     "DEVID KEY REFERENCE-----", NULL};

static bool has_at(const struct bytes *text, size_t at, const char *what)
{
    size_t len = strlen(what);

    return at <= text->len && len <= text->len - at &&
           memcmp(text->data + at, what, len) == 0;
}

/* The start of the line after `at`, or the text's end. */
static size_t next_line(const struct bytes *text, size_t at)
{
    while (at < text->len && text->data[at] != '\n')
        at++;
    return at < text->len ? at + 1 : at;
}

/* The next line from `at` that starts so, or the text's end. */
static size_t find_line(const struct bytes *text, size_t at, const char *what)
{
    while (at < text->len && !has_at(text, at, what))
        at = next_line(text, at);
    return at;
}

static bool begins_ours(const struct bytes *text, size_t at)
{
    for (size_t i = 0; labels[i] != NULL; i++) {
        if (has_at(text, at, begin) &&
            has_at(text, at + strlen(begin), labels[i]))
            return true;
    }
    return false;
}

bool pem_is_ours(const struct bytes *text)
{
    size_t at = find_line(text, 0, begin);

    return begins_ours(text, at) &&
           next_line(text, find_line(text, at, end)) == text->len;
}

bool pem_find(const struct bytes *text, struct block *block)
{
    size_t at = find_line(text, 0, begin);

    while (at < text->len && !begins_ours(text, at))
        at = find_line(text, next_line(text, at), begin);
    block->body = next_line(text, at);
    block->end = find_line(text, block->body, end);
    return block->end < text->len;
}

struct bytes pem_decode(const struct bytes *text, const struct block *block)
{
    struct bytes base64 = bytes_new(NULL, block->end - block->body);
    struct bytes der = bytes_new(NULL, base64.len);
    size_t len = 0;
    int n;

    for (size_t i = block->body; i < block->end; i++) {
        if (text->data[i] != '\n')
            base64.data[len++] = text->data[i];
    }
    n = len > INT_MAX ? -1 : EVP_DecodeBlock(der.data, base64.data, (int)len);
    if (n < 0)
        die("a file to start from is no base64");
    der.len = (size_t)n;
    /* The padding decodes to zeros. */
    while (len > 0 && base64.data[--len] == '=')
        der.len--;
    bytes_free(&base64);
    return der;
}

void pem_replace(struct bytes *text, const struct block *block,
                 const struct bytes *der)
{
    struct bytes base64 = bytes_new(NULL, (der->len + 2) / 3 * 4 + 1);
    struct bytes body = bytes_new(NULL, 2 * base64.len);
    int n = der->len > INT_MAX
                ? 0
                : EVP_EncodeBlock(base64.data, der->data, (int)der->len);

    body.len = 0;
    for (int i = 0; i < n; i++) {
        body.data[body.len++] = base64.data[i];
        if (i + 1 == n || (i + 1) % COLUMNS == 0)
            body.data[body.len++] = '\n';
    }
    bytes_splice(text, block->body, block->end - block->body, body.data,
                 body.len);
    bytes_free(&body);
    bytes_free(&base64);
}
