/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of requests: one JSON object, whose members a table tells. Pure.
 */
#ifndef DEVID_STATION_BODY_H
#define DEVID_STATION_BODY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attest.h"

#define BODY_LIST_MAX 16

enum body_kind {
    BODY_TEXT,  /* char *: UTF-8 without control characters, not empty */
    BODY_BYTES, /* struct devid_bytes: base64 on one line, not empty */
    BODY_LIST,  /* struct body_list: of such */
    BODY_FLAG,  /* bool */
};

struct body_list {
    size_t count;
    struct devid_bytes items[BODY_LIST_MAX];
};

struct body_member {
    const char *name;
    enum body_kind kind;
    bool required;
    size_t offset; /* in what body_parse fills */
};

/*
 * Parse a body into a struct that is zeroed before. Members that the table
 * does not have, or twice, are refused.
 *
 * table  ended by a NULL name
 *
 * Returns DEVID_OK or DEVID_ERR_INPUT: the sentence names the member, or where
 * the JSON breaks off. Cleared by the caller either way.
 */
DEVID_CHECK enum devid_err body_parse(const void *data, size_t len,
                                      const struct body_member *table,
                                      void *out, struct devid_error *err);
void body_clear(const struct body_member *table, void *out);

/*
 * What base64 without white space stands for, by OPENSSL_malloc. False: it is
 * none, or memory's end.
 */
bool body_unbase64(const char *text, size_t len, uint8_t **data, size_t *size);

/* Bytes as a JSON string, base64 on one line. NULL: out of memory. */
json_t *body_base64(const void *data, size_t len);

#endif
