/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSPHRASE "sesame"

struct blob blob_take(BIO *bio)
{
    struct blob blob = {0};
    char *data = NULL;

    blob.len = (size_t)BIO_get_mem_data(bio, &data);
    assert_true(blob.len > 0);
    blob.data = calloc(1, blob.len + 1);
    assert_non_null(blob.data);
    memcpy(blob.data, data, blob.len);
    BIO_free(bio);
    return blob;
}

struct blob encode(EVP_PKEY *pkey, int selection, const char *type,
                   const char *structure, const char *cipher)
{
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(pkey, selection, type, structure, NULL);
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(encoder);
    if (cipher != NULL) {
        assert_int_equal(OSSL_ENCODER_CTX_set_cipher(encoder, cipher, NULL), 1);
        assert_int_equal(
            OSSL_ENCODER_CTX_set_passphrase(
                encoder, (const unsigned char *)PASSPHRASE, strlen(PASSPHRASE)),
            1);
    }
    assert_int_equal(OSSL_ENCODER_to_bio(encoder, bio), 1);
    OSSL_ENCODER_CTX_free(encoder);
    return blob_take(bio);
}

struct blob key_file(EVP_PKEY *pkey, const char *type)
{
    return encode(pkey, EVP_PKEY_KEYPAIR, type, "type-specific", NULL);
}

struct blob blob_join(const char *a, const char *b, const char *c)
{
    struct blob blob = {.len = strlen(a) + strlen(b) + strlen(c)};

    blob.data = calloc(1, blob.len + 1);
    assert_non_null(blob.data);
    (void)snprintf(blob.data, blob.len + 1, "%s%s%s", a, b, c);
    return blob;
}

/* ---- the ways to load a private key ---------------------------------- */

EVP_PKEY *by_pem(OSSL_LIB_CTX *ctx, const struct blob *blob)
{
    BIO *bio = BIO_new_mem_buf(blob->data, (int)blob->len);
    char passphrase[] = PASSPHRASE;
    EVP_PKEY *pkey =
        PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, passphrase, ctx, NULL);

    BIO_free(bio);
    return pkey;
}

EVP_PKEY *by_d2i(OSSL_LIB_CTX *ctx, const struct blob *blob)
{
    const unsigned char *at = (const unsigned char *)blob->data;

    return d2i_AutoPrivateKey_ex(NULL, &at, (long)blob->len, ctx, NULL);
}

EVP_PKEY *by_decoder(OSSL_LIB_CTX *ctx, const struct blob *blob)
{
    BIO *bio = BIO_new_mem_buf(blob->data, (int)blob->len);
    EVP_PKEY *pkey = NULL;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
        &pkey, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, ctx, NULL);

    assert_non_null(decoder);
    assert_int_equal(
        OSSL_DECODER_CTX_set_passphrase(
            decoder, (const unsigned char *)PASSPHRASE, strlen(PASSPHRASE)),
        1);
    (void)OSSL_DECODER_from_bio(decoder, bio);
    OSSL_DECODER_CTX_free(decoder);
    BIO_free(bio);
    return pkey;
}

EVP_PKEY *by_store(OSSL_LIB_CTX *ctx, const struct blob *blob)
{
    BIO *bio = BIO_new_mem_buf(blob->data, (int)blob->len);
    OSSL_STORE_CTX *store =
        OSSL_STORE_attach(bio, "file", ctx, NULL, NULL, NULL, NULL, NULL, NULL);
    EVP_PKEY *pkey = NULL;

    assert_non_null(store);
    assert_int_equal(OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY), 1);
    while (pkey == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL)
            pkey = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    BIO_free(bio);
    return pkey;
}

loader *const pem_loaders[] = {by_pem, by_decoder, by_store, NULL};
loader *const der_loaders[] = {by_d2i, by_decoder, by_store, NULL};

void expect_loads(struct program *program, loader *load,
                  const struct blob *blob, EVP_PKEY *pkey)
{
    EVP_PKEY *loaded = load(program->ctx, blob);

    expect_no_error();
    assert_non_null(loaded);
    assert_string_equal(offered_by(loaded), offered_by(pkey));
    assert_int_equal(EVP_PKEY_eq(loaded, pkey), 1);
    expect_no_error();
    EVP_PKEY_free(loaded);
}
