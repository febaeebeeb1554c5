/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What vendors put around an EK's certificate in NV memory. Pure.
 * Source of the wrappers: TCG PC Client Specific Implementation Specification
 * 1.21, 7.4.5 (TCG_PCCLIENT_STORED_CERT), in TPM 1.2 and carried on.
 */
#include "../attest.h"

#include "../backend.h"
#include "../libcrypto.h"

#include <openssl/asn1.h>

#include <string.h>

#define STORED_CERT_LEN 5 /* 10 01 00 and 16 bits: bytes that follow */
#define FULL_CERT_LEN 2   /* 10 02, counted by them */

/* Behind the wrapper; `len` is what it counts, or all there is. */
static enum devid_err skip_wrapper(struct devid_bytes nv, size_t *start,
                                   size_t *len, struct devid_error *err)
{
    static const uint8_t stored_cert[] = {0x10, 0x01, 0x00};
    static const uint8_t full_cert[] = {0x10, 0x02};

    *start = 0;
    *len = nv.len;
    if (nv.len < STORED_CERT_LEN + FULL_CERT_LEN ||
        memcmp(nv.data, stored_cert, sizeof(stored_cert)) != 0)
        return DEVID_OK;
    *start = STORED_CERT_LEN;
    *len = (size_t)nv.data[3] << 8 | nv.data[4];
    if (*len > nv.len - *start) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the EK certificate's wrapper says at offset 3 that "
                          "%zu bytes follow, of which %zu are there",
                          *len, nv.len - *start);
    }
    if (*len >= FULL_CERT_LEN &&
        memcmp(nv.data + *start, full_cert, sizeof(full_cert)) == 0) {
        *start += FULL_CERT_LEN;
        *len -= FULL_CERT_LEN;
    }
    return DEVID_OK;
}

/* Bytes of the SEQUENCE at `p`, its head too; 0 where there is none. */
static size_t sequence_len(const uint8_t *p, size_t left)
{
    const unsigned char *inside = p;
    long len = 0;
    int tag = 0;
    int class = 0;
    int r;

    if (left > UINT16_MAX)
        left = UINT16_MAX; /* more than an NV index holds */
    r = ASN1_get_object(&inside, &len, &tag, &class, (long)left);
    if ((r & 0x80) != 0 || r != V_ASN1_CONSTRUCTED || tag != V_ASN1_SEQUENCE ||
        class != V_ASN1_UNIVERSAL)
        return 0;
    return (size_t)(inside - p) + (size_t)len;
}

static enum devid_err check_padding(struct devid_bytes nv, size_t at,
                                    struct devid_error *err)
{
    const uint8_t pad = at < nv.len ? nv.data[at] : 0;
    size_t i = at;

    if (pad == 0x00 || pad == 0x11 || pad == 0xff) {
        while (i < nv.len && nv.data[i] == pad)
            i++;
    }
    if (i == nv.len)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "behind the EK certificate stands 0x%02x at offset %zu: "
                      "only padding may, with 0x00, 0x11 or 0xff all through",
                      nv.data[i], i);
}

enum devid_err devid_ek_unwrap(struct devid_bytes nv, struct devid_bytes *der,
                               struct devid_error *err)
{
    size_t start;
    size_t len;
    size_t cert_len;
    enum devid_err e = skip_wrapper(nv, &start, &len, err);

    *der = (struct devid_bytes){NULL, 0};
    if (e != DEVID_OK)
        return e;
    devid_quiet_begin();
    cert_len = sequence_len(nv.data + start, len);
    devid_quiet_end();
    if (cert_len == 0) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "no certificate begins at offset %zu of the EK "
                          "certificate's NV index, or it is cut short",
                          start);
    }
    if (start > 0 && cert_len != len) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the EK certificate at offset %zu has %zu bytes "
                          "where its wrapper says %zu",
                          start, cert_len, len);
    }
    e = check_padding(nv, start + cert_len, err);
    if (e == DEVID_OK)
        *der = (struct devid_bytes){nv.data + start, cert_len};
    return e;
}
