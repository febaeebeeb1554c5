/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "message.h"

json_t *base64_json(const uint8_t *data, size_t len)
{
    size_t size = (len + 2) / 3 * 4 + 1;
    char *text = OPENSSL_malloc(size);
    json_t *json;

    if (text == NULL || len > INT_MAX / 2)
        die_no_memory();
    (void)EVP_EncodeBlock((unsigned char *)text, data, (int)len);
    json = json_string(text);
    if (json == NULL)
        die_no_memory();
    OPENSSL_clear_free(text, size);
    return json;
}

bool base64_decode(const char *text, uint8_t **data, size_t *len)
{
    size_t chars = strlen(text);
    size_t padding = 0;
    int decoded;

    *data = NULL;
    *len = 0;
    if (chars == 0 || chars % 4 != 0 || chars > INT_MAX / 2)
        return false;
    while (padding < 2 && text[chars - 1 - padding] == '=')
        padding++;
    *data = OPENSSL_malloc(chars / 4 * 3);
    if (*data == NULL)
        die_no_memory();
    decoded = EVP_DecodeBlock(*data, (const unsigned char *)text, (int)chars);
    /* It trims white space, which a member of JSON has not got. */
    if (decoded >= 0 && (size_t)decoded == chars / 4 * 3) {
        *len = (size_t)decoded - padding;
        return true;
    }
    OPENSSL_clear_free(*data, chars / 4 * 3);
    *data = NULL;
    return false;
}
