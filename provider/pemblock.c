/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a PEM block of ours from the program's BIO, line by line: the label
 * decides whether a block is kept at all. What the block holds, and what is
 * wrong with it, is for the engine to say.
 */
#include "prov.h"

#include <openssl/crypto.h>

#include <string.h>

/* Larger than any key file; the engine has a limit of its own below this. */
#define BLOCK_MAX 131072
#define BLOCK_FIRST 4096
#define PEM_LINE_SIZE 256

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";

struct text {
    char *data;
    size_t len;
    size_t size;
};

static bool append(struct text *text, const char *line, size_t len)
{
    if (text->data == NULL || text->len + len > text->size) {
        size_t size = text->size == 0 ? BLOCK_FIRST : 2 * text->size;
        char *data = size <= BLOCK_MAX
                         ? OPENSSL_clear_realloc(text->data, text->size, size)
                         : NULL;

        if (data == NULL)
            return false;
        text->data = data;
        text->size = size;
    }
    memcpy(text->data + text->len, line, len);
    text->len += len;
    return true;
}

static bool starts_with(const char *line, const char *prefix)
{
    return strncmp(line, prefix, strlen(prefix)) == 0;
}

/* Is this BEGIN line that of a key of ours? */
static bool begins_key(const char *line)
{
    const char *label = line + strlen(begin);
    const char *dashes = strstr(label, "-----");
    char name[64];
    size_t len;

    if (dashes == NULL)
        return false;
    len = (size_t)(dashes - label);
    if (len >= sizeof(name))
        return false;
    memcpy(name, label, len);
    name[len] = '\0';
    return devid_pem_label_is_key(name);
}

bool prov_pem_read(const struct prov_ctx *ctx, OSSL_CORE_BIO *in, char **block,
                   size_t *len)
{
    struct text text = {0};
    char line[PEM_LINE_SIZE];
    bool ended = false;
    bool too_large = false;

    while (!ended && ctx->core.bio_gets(in, line, sizeof(line)) > 0) {
        if (text.len == 0) {
            if (!starts_with(line, begin))
                continue; /* before the first block */
            if (!begins_key(line))
                break;
        }
        /* Read to its end all the same: OSSL_STORE would go on in its midst,
         * and the errors of that would push ours out of the queue. */
        too_large = too_large || !append(&text, line, strlen(line));
        ended = starts_with(line, end);
    }
    if (too_large) {
        OPENSSL_clear_free(text.data, text.size);
        prov_raise(ctx, DEVID_ERR_INPUT,
                   "the key's PEM block is larger than any key file");
        return false;
    }
    *block = text.data;
    *len = text.len;
    return true;
}
