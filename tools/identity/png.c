/* SPDX-License-Identifier: Apache-2.0 */
#include "png.h"

#include <openssl/crypto.h>
#include <string.h>

#include "message.h"

enum {
    CHUNK_EXTRA = 12, /* length, type, CRC */
    HEADER_LEN = 13,
    BLOCK_EXTRA = 5, /* a stored block's first bytes */
    STREAM_EXTRA = 6 /* zlib's two first bytes and its Adler-32 */
};

static uint8_t *put_number(uint8_t *at, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(number >> shift);
    return at;
}

static uint32_t crc32(const uint8_t *data, size_t len)
{
    uint32_t crc = 0xffffffffU;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
    }
    return ~crc;
}

static uint32_t adler32(const uint8_t *data, size_t len)
{
    uint32_t a = 1;
    uint32_t b = 0;

    for (size_t i = 0; i < len; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static uint8_t *put_chunk(uint8_t *at, const char *type, const uint8_t *data,
                          size_t len)
{
    uint8_t *start;

    at = put_number(at, (uint32_t)len);
    start = at;
    memcpy(at, type, 4);
    at += 4;
    if (len > 0)
        memcpy(at, data, len);
    at += len;
    return put_number(at, crc32(start, len + 4));
}

/* Rows of bits, a filter byte before each; white is 1. */
static void put_rows(uint8_t *at, unsigned width, png_pixel_fn *pixel,
                     const void *arg)
{
    for (unsigned y = 0; y < width; y++) {
        *at++ = 0; /* no filter */
        for (unsigned x = 0; x < width; x += 8) {
            uint8_t bits = 0;

            for (unsigned i = 0; i < 8; i++)
                bits = (uint8_t)(bits << 1 |
                                 (x + i >= width || !pixel(arg, x + i, y)));
            *at++ = bits;
        }
    }
}

/* zlib's form, of one block that is stored as it is: at most 65535 bytes. */
static uint8_t *put_stream(uint8_t *at, const uint8_t *rows, size_t len)
{
    *at++ = 0x78;
    *at++ = 0x01;
    *at++ = 1; /* the last block */
    *at++ = (uint8_t)len;
    *at++ = (uint8_t)(len >> 8);
    *at++ = (uint8_t)~len;
    *at++ = (uint8_t)(~len >> 8);
    memcpy(at, rows, len);
    return put_number(at + len, adler32(rows, len));
}

uint8_t *png_encode(unsigned width, png_pixel_fn *pixel, const void *arg,
                    size_t *len)
{
    static const uint8_t signature[] = {0x89, 'P',  'N',  'G',
                                        '\r', '\n', 0x1a, '\n'};
    const size_t rows_len = (size_t)width * (1 + (width + 7) / 8);
    const size_t stream_len = rows_len + BLOCK_EXTRA + STREAM_EXTRA;
    uint8_t header[HEADER_LEN] = {0};
    uint8_t *rows = OPENSSL_malloc(rows_len);
    uint8_t *stream = OPENSSL_malloc(stream_len);
    uint8_t *png = OPENSSL_malloc(sizeof(signature) + HEADER_LEN + stream_len +
                                  3 * (size_t)CHUNK_EXTRA);
    uint8_t *at = png;

    if (rows == NULL || stream == NULL || png == NULL || rows_len > UINT16_MAX)
        die_no_memory();
    put_rows(rows, width, pixel, arg);
    (void)put_stream(stream, rows, rows_len);
    (void)put_number(put_number(header, width), width);
    header[8] = 1; /* bit a pixel, grey */
    memcpy(at, signature, sizeof(signature));
    at += sizeof(signature);
    at = put_chunk(at, "IHDR", header, HEADER_LEN);
    at = put_chunk(at, "IDAT", stream, stream_len);
    at = put_chunk(at, "IEND", NULL, 0);
    *len = (size_t)(at - png);
    OPENSSL_free(rows);
    OPENSSL_free(stream);
    return png;
}
