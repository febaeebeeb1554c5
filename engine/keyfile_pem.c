/* SPDX-License-Identifier: Apache-2.0 */
/* Key files as PEM. */
#include "backend.h"
#include "keyfile.h"
#include "libcrypto.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <string.h>

#define BEGIN "-----BEGIN "
#define DASHES "-----"

bool devid_pem_label_is_key(const char *label)
{
    return strcmp(label, DEVID_PEM_TSS2) == 0 ||
           strcmp(label, DEVID_PEM_REFERENCE) == 0 ||
           strcmp(label, DEVID_PEM_EITHER) == 0 ||
           strcmp(label, DEVID_PEM_PEER_URI) == 0;
}

/* One "-----BEGIN label-----" line. */
struct begin {
    size_t offset; /* of the line */
    unsigned line; /* from 1 */
    char label[64];
};

/* The label, if the line of `len` bytes begins a PEM block. */
static bool get_label(const char *line, size_t len, char label[64])
{
    const size_t begin = sizeof(BEGIN) - 1;
    const char *end;
    size_t n;

    if (len < begin || memcmp(line, BEGIN, begin) != 0)
        return false;
    end = memmem(line + begin, len - begin, DASHES, sizeof(DASHES) - 1);
    if (end == NULL)
        return false;
    n = (size_t)(end - line) - begin;
    if (n >= 64)
        return false;
    memcpy(label, line + begin, n);
    label[n] = '\0';
    return true;
}

/* Steps from one BEGIN line to the next; false at the end of the text. */
static bool next_begin(const char *text, size_t len, size_t *offset,
                       struct begin *found)
{
    while (*offset < len) {
        const char *line = text + *offset;
        const char *nl = memchr(line, '\n', len - *offset);
        size_t n = nl == NULL ? len - *offset : (size_t)(nl - line);
        size_t here = *offset;

        *offset += n + 1;
        found->line++;
        if (get_label(line, n, found->label)) {
            found->offset = here;
            return true;
        }
    }
    return false;
}

static enum devid_err decode(const char *text, size_t len,
                             const struct begin *at, uint8_t **der,
                             size_t *der_len, struct devid_error *err)
{
    BIO *bio = BIO_new_mem_buf(text + at->offset, (int)(len - at->offset));
    char *name = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long n = 0;
    enum devid_err e = DEVID_OK;

    if (bio == NULL)
        return devid_no_memory(err);
    if (PEM_read_bio(bio, &name, &header, &data, &n) != 1) {
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the %s that begins at line %u is cut short or garbled; "
                       "restore it from a backup or make a new key",
                       at->label, at->line);
    } else if (strcmp(name, at->label) != 0 || header[0] != '\0') {
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the %s that begins at line %u has PEM headers; it "
                       "takes none, as the private part is encrypted by the "
                       "TPM",
                       at->label, at->line);
    } else {
        *der = data;
        *der_len = (size_t)n;
        data = NULL;
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(bio);
    return e;
}

enum devid_err devid_keyfile_unpem(const char *text, size_t len, uint8_t **der,
                                   size_t *der_len, struct devid_error *err)
{
    struct begin at = {0};
    char first[64] = "";
    size_t offset = 0;
    enum devid_err e;

    *der = NULL;
    *der_len = 0;
    if (len == 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0, "the key file is empty");
    if (len > DEVID_KEYFILE_MAX) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%zu bytes are too many for a key file (%d at most)",
                          len, DEVID_KEYFILE_MAX);
    }
    while (next_begin(text, len, &offset, &at)) {
        if (devid_pem_label_is_key(at.label)) {
            devid_quiet_begin();
            e = decode(text, len, &at, der, der_len, err);
            devid_quiet_end();
            return e;
        }
        if (first[0] == '\0')
            memcpy(first, at.label, sizeof(first));
    }
    if (first[0] != '\0') {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the file holds a PEM block '%s', but no "
                          "'" DEVID_PEM_TSS2 "' and no '" DEVID_PEM_REFERENCE
                          "'",
                          first);
    }
    *der = OPENSSL_memdup(text, len);
    if (*der == NULL)
        return devid_no_memory(err);
    *der_len = len;
    return DEVID_OK;
}

enum devid_err devid_keyfile_to_pem(const struct devid_keyfile *file,
                                    char **text, size_t *len,
                                    struct devid_error *err)
{
    const char *label = file->format == DEVID_KEYFILE_TSS2
                            ? DEVID_PEM_TSS2
                            : DEVID_PEM_REFERENCE;
    uint8_t *der = NULL;
    size_t der_len = 0;
    char *data = NULL;
    BIO *bio = NULL;
    long n;
    enum devid_err e;

    *text = NULL;
    *len = 0;
    e = devid_keyfile_encode(file, &der, &der_len, err);
    if (e != DEVID_OK)
        return e;
    bio = BIO_new(BIO_s_mem());
    if (bio != NULL && PEM_write_bio(bio, label, "", der, (long)der_len) > 0) {
        n = BIO_get_mem_data(bio, &data);
        *text = n > 0 ? OPENSSL_strndup(data, (size_t)n) : NULL;
    }
    if (*text != NULL)
        *len = strlen(*text);
    else
        e = devid_no_memory(err);
    BIO_free(bio);
    OPENSSL_free(der);
    return e;
}
