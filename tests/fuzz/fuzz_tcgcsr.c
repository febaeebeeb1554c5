/* SPDX-License-Identifier: Apache-2.0 */
/* Requests in the TCG's form, hashed anew so that the hash is no wall. */
#include "fuzz.h"

#include "attest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string.h>

#define HASH_AT 24
#define HASH_LEN 32

/* The digest that a SHA-256 request whose sizes are right should have. */
static void mend(uint8_t *data, size_t size)
{
    size_t contents = 0;

    for (size_t i = 4; size >= HASH_AT && i < 8; i++)
        contents = contents << 8 | data[i];
    if (contents > size - 12 || contents < HASH_AT - 12 + HASH_LEN)
        return;
    (void)EVP_Q_digest(NULL, "SHA256", NULL, data + HASH_AT + HASH_LEN,
                       12 + contents - HASH_AT - HASH_LEN, data + HASH_AT,
                       NULL);
}

static void write_anew(const struct devid_tcg_csr *csr, const uint8_t *data,
                       size_t size)
{
    struct devid_bytes inner = {NULL, 0};
    uint8_t *contents = NULL;
    uint8_t *whole = NULL;
    size_t len = 0;

    must(devid_tcg_csr_encode_contents(csr, NULL, &contents, &inner.len,
                                       NULL) == DEVID_OK);
    inner.data = contents;
    must(devid_tcg_csr_encode(inner, csr->signature, &whole, &len, NULL) ==
         DEVID_OK);
    must(len == size && memcmp(whole, data, size) == 0);
    OPENSSL_free(contents);
    OPENSSL_free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct devid_error err = {0};
    struct devid_bytes bytes = {data, size};
    struct devid_tcg_csr csr;
    uint8_t *copy = malloc(size + 1);

    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    for (int mended = 0; mended < 2; mended++) {
        if (devid_tcg_csr_decode(bytes, NULL, &csr, &err) == DEVID_OK)
            write_anew(&csr, bytes.data, size);
        else
            must(err.text[0] != '\0');
        mend(copy, size);
        bytes.data = copy;
    }
    bytes.data = data;
    if (devid_tcg_csr_decode_contents(bytes, NULL, &csr, &err) == DEVID_OK)
        must(csr.signature.len == 0 && csr.contents.len == size);
    free(copy);
    must_leave_no_error();
    return 0;
}
