/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bio.h>
#include <openssl/buffer.h>
#include <openssl/crypto.h>
#include <string.h>

#include "exchange.h"

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    {"{serial}", offsetof(struct ledger_unit, serial)},
    {"{model}", offsetof(struct ledger_unit, model)},
    {"{mac}", offsetof(struct ledger_unit, mac)},
    {"{batch}", offsetof(struct ledger_unit, batch)},
};

static const char *field_at(const char *text, const struct ledger_unit *unit,
                            size_t *len)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *len = strlen(fields[i].name);
        if (strncmp(text, fields[i].name, *len) == 0)
            return (const char *)unit + fields[i].offset;
    }
    *len = 1;
    return NULL;
}

static bool put_value(BIO *bio, const char *value, const char *special)
{
    for (; *value; value++) {
        if (strchr(special, *value) && BIO_write(bio, "\\", 1) != 1)
            return false;
        if (BIO_write(bio, value, 1) != 1)
            return false;
    }
    return true;
}

char *template_fill(const char *text, const struct ledger_unit *unit,
                    const char *special)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *filled = NULL;
    char *data = NULL;
    bool ok = bio != NULL;
    size_t len;
    long size;

    for (; ok && *text; text += len) {
        const char *value = field_at(text, unit, &len);
        ok = value ? put_value(bio, value, special)
                   : BIO_write(bio, text, 1) == 1;
    }
    if (ok) {
        size = BIO_get_mem_data(bio, &data);
        filled = OPENSSL_strndup(size > 0 ? data : "", (size_t)size);
    }
    BIO_free(bio);
    return filled;
}
