/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes in JSON: base64 on one line. */
#ifndef DEVID_TOOLS_BASE64_H
#define DEVID_TOOLS_BASE64_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes as a string of JSON's; out of memory ends the program. */
json_t *base64_json(const uint8_t *data, size_t len);

/* Bytes by OPENSSL_malloc; false where the text is no base64, or empty. */
bool base64_decode(const char *text, uint8_t **data, size_t *len);

#endif
