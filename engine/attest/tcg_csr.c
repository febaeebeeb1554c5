/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCG-CSR-IDEVID on the wire: big-endian 32-bit sizes first, then what they
 * are the sizes of. Pure.
 * Source: TCG, TPM 2.0 Keys for Device Identity and Attestation 1.0, 13.1.
 */
#include "attest_internal.h"

#include "../backend.h"
#include "../tpm2/public.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stddef.h>
#include <string.h>

#define OUTER_VERSION 0x01000100U
#define CONTENTS_VERSION 0x00000100U
#define WORD 4
#define OUTER_HEAD ((size_t)3 * WORD)
#define ALIGN 16
#define SIZE_LIMIT ((size_t)1 << 24) /* an event log of megabytes passes */

/* The fields in the order of both their sizes and their values. */
static const struct field {
    const char *name;
    const char *size_name;
    size_t offset;
} fields[] = {
#define FIELD(name)                                                            \
    {                                                                          \
#name, #name "Sz", offsetof(struct devid_tcg_csr, name)                \
    }
    FIELD(prodModel),   FIELD(prodSerial),     FIELD(prodCaData),
    FIELD(bootEvntLog), FIELD(ekCert),         FIELD(attestPub),
    FIELD(atCreateTkt), FIELD(atCertifyInfo),  FIELD(atCertifyInfoSig),
    FIELD(signingPub),  FIELD(sgnCertifyInfo), FIELD(sgnCertifyInfoSig),
    FIELD(pad),
#undef FIELD
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static struct devid_bytes *field_of(struct devid_tcg_csr *csr, size_t i)
{
    return (struct devid_bytes *)((char *)csr + fields[i].offset);
}

static const struct devid_bytes *const_field_of(const struct devid_tcg_csr *csr,
                                                size_t i)
{
    return (const struct devid_bytes *)((const char *)csr + fields[i].offset);
}

/* ---- reading ----------------------------------------------------------- */

struct reader {
    const uint8_t *start; /* of all that was handed in */
    const uint8_t *p;
    size_t left;
    struct devid_error *err;
};

static size_t offset_of(const struct reader *r)
{
    return (size_t)(r->p - r->start);
}

static enum devid_err take(struct reader *r, const char *name, size_t len,
                           struct devid_bytes *out)
{
    if (len > r->left) {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "%s at offset %zu of the TCG-CSR-IDEVID takes %zu "
                          "bytes where %zu are left: it is cut short, or the "
                          "size is wrong",
                          name, offset_of(r), len, r->left);
    }
    out->data = r->p;
    out->len = len;
    r->p += len;
    r->left -= len;
    return DEVID_OK;
}

static enum devid_err take_word(struct reader *r, const char *name,
                                uint32_t *word)
{
    static const uint8_t none[WORD];
    struct devid_bytes b = {none, WORD};
    enum devid_err e = take(r, name, WORD, &b);

    *word = 0;
    if (e == DEVID_OK)
        *word = (uint32_t)b.data[0] << 24 | (uint32_t)b.data[1] << 16 |
                (uint32_t)b.data[2] << 8 | b.data[3];
    return e;
}

static enum devid_err take_version(struct reader *r, const char *name,
                                   uint32_t wanted)
{
    size_t at = offset_of(r);
    uint32_t found;
    enum devid_err e = take_word(r, name, &found);

    if (e == DEVID_OK && found != wanted) {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "%s at offset %zu is 0x%08x where 0x%08x is the "
                          "version that devid reads: this is no "
                          "TCG-CSR-IDEVID 1.0",
                          name, at, found, wanted);
    }
    return e;
}

static enum devid_err no_more(const struct reader *r, const char *after)
{
    if (r->left == 0)
        return DEVID_OK;
    return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                      "%zu bytes are left behind %s at offset %zu of the "
                      "TCG-CSR-IDEVID: the sizes must account for all of it",
                      r->left, after, offset_of(r));
}

static enum devid_err take_hash(struct reader *r, struct devid_tcg_csr *csr)
{
    size_t at = offset_of(r);
    uint32_t id = 0;
    uint32_t len = 0;
    enum devid_err e = take_word(r, "hashAlgoId", &id);

    if (e != DEVID_OK)
        return e;
    csr->hash = id > UINT16_MAX ? NULL : tpm2_hash_from_id((TPM2_ALG_ID)id);
    if (csr->hash == NULL || id == TPM2_ALG_SHA1) {
        return devid_fail(r->err, DEVID_ERR_ALG, 0,
                          "hashAlgoId at offset %zu is 0x%x where 0xb "
                          "(SHA-256), 0xc (SHA-384) or 0xd (SHA-512) is "
                          "wanted",
                          at, id);
    }
    at = offset_of(r);
    e = take_word(r, "hashSz", &len);
    if (e == DEVID_OK && len != csr->hash->len) {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "hashSz at offset %zu is %u where %s takes %zu", at,
                          len, csr->hash->name, csr->hash->len);
    }
    return e == DEVID_OK ? take(r, "hash", len, &csr->digest) : e;
}

static enum devid_err check_hash(const struct reader *r, OSSL_LIB_CTX *libctx,
                                 const struct devid_tcg_csr *csr)
{
    const struct devid_bytes rest = {r->p, r->left};
    uint8_t digest[EVP_MAX_MD_SIZE];
    enum devid_err e = attest_digest(csr->hash, libctx, rest, digest, r->err);

    if (e == DEVID_OK &&
        CRYPTO_memcmp(digest, csr->digest.data, csr->digest.len) != 0) {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "hash at offset %zu is not the %s of the %zu bytes "
                          "that follow it: they were changed on the way, or "
                          "hashed otherwise",
                          (size_t)(csr->digest.data - r->start),
                          csr->hash->name, r->left);
    }
    return e;
}

/* The padding that `len` bytes need. */
static size_t pad_for(size_t len)
{
    return (ALIGN - len % ALIGN) % ALIGN;
}

static enum devid_err take_fields(struct reader *r, struct devid_tcg_csr *csr)
{
    size_t len = (size_t)(r->p - csr->contents.data) + FIELDS * WORD;
    uint32_t sizes[FIELDS];
    size_t pad_at;
    enum devid_err e = DEVID_OK;

    for (size_t i = 0; i < FIELDS && e == DEVID_OK; i++)
        e = take_word(r, fields[i].size_name, &sizes[i]);
    if (e != DEVID_OK)
        return e;
    pad_at = offset_of(r) - WORD;
    for (size_t i = 0; i < FIELDS && e == DEVID_OK; i++) {
        e = take(r, fields[i].name, sizes[i], field_of(csr, i));
        len += i < FIELDS - 1 ? sizes[i] : 0;
    }
    if (e == DEVID_OK)
        e = no_more(r, "pad");
    if (e == DEVID_OK && csr->pad.len != pad_for(len)) {
        return devid_fail(r->err, DEVID_ERR_INPUT, 0,
                          "padSz at offset %zu is %zu where the contents need "
                          "%zu bytes to a multiple of %d",
                          pad_at, csr->pad.len, pad_for(len), ALIGN);
    }
    return e;
}

static enum devid_err take_contents(struct reader *r, OSSL_LIB_CTX *libctx,
                                    struct devid_tcg_csr *csr)
{
    enum devid_err e;

    csr->contents = (struct devid_bytes){r->p, r->left};
    e = take_version(r, "structVer of the contents", CONTENTS_VERSION);
    if (e == DEVID_OK)
        e = take_hash(r, csr);
    /* The sizes say more of what is wrong than the hash does. */
    if (e == DEVID_OK) {
        struct reader behind = *r;

        e = take_fields(r, csr);
        if (e == DEVID_OK)
            e = check_hash(&behind, libctx, csr);
    }
    return e;
}

static enum devid_err take_whole(struct reader *r, OSSL_LIB_CTX *libctx,
                                 struct devid_tcg_csr *csr)
{
    struct devid_bytes contents = {NULL, 0};
    struct reader inner = *r;
    uint32_t contents_len = 0;
    uint32_t signature_len = 0;
    enum devid_err e = take_version(r, "structVer", OUTER_VERSION);

    if (e == DEVID_OK)
        e = take_word(r, "contentsSz", &contents_len);
    if (e == DEVID_OK)
        e = take_word(r, "signatureSz", &signature_len);
    if (e == DEVID_OK)
        e = take(r, "csrContents", contents_len, &contents);
    if (e == DEVID_OK)
        e = take(r, "signature", signature_len, &csr->signature);
    if (e == DEVID_OK)
        e = no_more(r, "signature");
    if (e != DEVID_OK)
        return e;
    inner.p = contents.data;
    inner.left = contents.len;
    return take_contents(&inner, libctx, csr);
}

typedef enum devid_err take_fn(struct reader *r, OSSL_LIB_CTX *libctx,
                               struct devid_tcg_csr *csr);

static enum devid_err decode(take_fn *fn, struct devid_bytes data,
                             OSSL_LIB_CTX *libctx, struct devid_tcg_csr *csr,
                             struct devid_error *err)
{
    struct reader r = {data.data, data.data, data.len, err};
    enum devid_err e;

    memset(csr, 0, sizeof(*csr));
    if (data.len > SIZE_LIMIT) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the TCG-CSR-IDEVID has %zu bytes; %zu are the most",
                          data.len, SIZE_LIMIT);
    }
    e = fn(&r, libctx, csr);
    if (e != DEVID_OK)
        memset(csr, 0, sizeof(*csr));
    return e;
}

enum devid_err devid_tcg_csr_decode(struct devid_bytes data,
                                    OSSL_LIB_CTX *libctx,
                                    struct devid_tcg_csr *csr,
                                    struct devid_error *err)
{
    return decode(take_whole, data, libctx, csr, err);
}

enum devid_err devid_tcg_csr_decode_contents(struct devid_bytes data,
                                             OSSL_LIB_CTX *libctx,
                                             struct devid_tcg_csr *csr,
                                             struct devid_error *err)
{
    return decode(take_contents, data, libctx, csr, err);
}

/* ---- writing ----------------------------------------------------------- */

static uint8_t *put_word(uint8_t *p, size_t word)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *p++ = (uint8_t)(word >> shift);
    return p;
}

static uint8_t *put_bytes(uint8_t *p, struct devid_bytes b)
{
    if (b.len > 0)
        memcpy(p, b.data, b.len);
    return p + b.len;
}

static enum devid_err allocate(size_t len, uint8_t **out,
                               struct devid_error *err)
{
    *out = NULL;
    if (len > SIZE_LIMIT) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the TCG-CSR-IDEVID would have %zu bytes; %zu are "
                          "the most",
                          len, SIZE_LIMIT);
    }
    *out = OPENSSL_zalloc(len);
    return *out != NULL ? DEVID_OK : devid_no_memory(err);
}

/* Sizes and values; zeros stand where the padding is not as it must be. */
static void put_fields(uint8_t *p, const struct devid_tcg_csr *csr, size_t pad)
{
    for (size_t i = 0; i < FIELDS - 1; i++)
        p = put_word(p, const_field_of(csr, i)->len);
    p = put_word(p, pad);
    for (size_t i = 0; i < FIELDS - 1; i++)
        p = put_bytes(p, *const_field_of(csr, i));
    if (csr->pad.len == pad)
        (void)put_bytes(p, csr->pad);
}

enum devid_err devid_tcg_csr_encode_contents(const struct devid_tcg_csr *csr,
                                             OSSL_LIB_CTX *libctx,
                                             uint8_t **out, size_t *len,
                                             struct devid_error *err)
{
    TPMI_ALG_HASH id = tpm2_hash_id(csr->hash);
    size_t n = (3 + FIELDS) * WORD;
    struct devid_bytes rest;
    uint8_t *p;
    size_t pad;
    enum devid_err e;

    *out = NULL;
    *len = 0;
    if (id == TPM2_ALG_NULL || id == TPM2_ALG_SHA1) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "a TCG-CSR-IDEVID is hashed by SHA-256, SHA-384 or "
                          "SHA-512, not by %s",
                          csr->hash != NULL ? csr->hash->name : "nothing");
    }
    n += csr->hash->len;
    for (size_t i = 0; i < FIELDS - 1; i++)
        n += const_field_of(csr, i)->len;
    pad = pad_for(n);
    e = allocate(n + pad, out, err);
    if (*out == NULL)
        return e;
    p = put_word(*out, CONTENTS_VERSION);
    p = put_word(p, id);
    p = put_word(p, csr->hash->len);
    rest.data = p + csr->hash->len;
    rest.len = (size_t)(*out + n + pad - rest.data);
    put_fields(*out + n + pad - rest.len, csr, pad);
    e = attest_digest(csr->hash, libctx, rest, p, err);
    if (e == DEVID_OK) {
        *len = n + pad;
    } else {
        OPENSSL_free(*out);
        *out = NULL;
    }
    return e;
}

enum devid_err devid_tcg_csr_encode(struct devid_bytes contents,
                                    struct devid_bytes signature, uint8_t **out,
                                    size_t *len, struct devid_error *err)
{
    enum devid_err e =
        allocate(OUTER_HEAD + contents.len + signature.len, out, err);
    uint8_t *p = *out;

    *len = 0;
    if (p == NULL)
        return e;
    p = put_word(p, OUTER_VERSION);
    p = put_word(p, contents.len);
    p = put_word(p, signature.len);
    p = put_bytes(p, contents);
    p = put_bytes(p, signature);
    *len = (size_t)(p - *out);
    return DEVID_OK;
}
