/* SPDX-License-Identifier: Apache-2.0 */
/* Encoders: what is written of a key, and what never is. */
#include "program.h"

#include <openssl/core_dispatch.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <string.h>

/* What a BIO holds, NUL-ended. */
static char *text_of(BIO *bio, char *text, size_t size)
{
    char *data = NULL;
    size_t len = (size_t)BIO_get_mem_data(bio, &data);

    assert_true(len < size);
    memcpy(text, data, len);
    text[len] = '\0';
    BIO_free(bio);
    return text;
}

static void a_private_key_is_written_as_its_key_file(void **state)
{
    struct program *program = *state;
    EVP_PKEY *blob = device_key(program->ctx, "EC", "P-256", NULL);
    EVP_PKEY *reference = device_key(program->ctx, "RSA", "2048", "0x81000010");
    BIO *bio = BIO_new(BIO_s_mem());
    char text[4096];

    assert_int_equal(
        PEM_write_bio_PrivateKey(bio, blob, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(
        PEM_write_bio_PrivateKey(bio, reference, NULL, NULL, 0, NULL, NULL), 1);
    (void)text_of(bio, text, sizeof(text));
    assert_non_null(strstr(text, "-----BEGIN TSS2 PRIVATE KEY-----\n"));
    assert_non_null(strstr(text, "-----BEGIN DEVID KEY REFERENCE-----\n"));
    assert_null(strstr(text, "BEGIN PRIVATE KEY"));
    EVP_PKEY_free(blob);
    EVP_PKEY_free(reference);
    expect_no_error();
}

static void a_cipher_is_refused(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_not_equal(PEM_write_bio_PrivateKey(bio, pkey, EVP_aes_256_cbc(),
                                                  (const unsigned char *)"x", 1,
                                                  NULL, NULL),
                         1);
    expect_error("ask for no cipher");
    assert_int_equal(BIO_pending(bio), 0);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
}

static void there_is_no_pkcs8_of_a_key(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "RSA", "2048", NULL);
    OSSL_ENCODER_CTX *encoder = OSSL_ENCODER_CTX_new_for_pkey(
        pkey, EVP_PKEY_KEYPAIR, "DER", "EncryptedPrivateKeyInfo", NULL);
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_not_equal(OSSL_ENCODER_to_bio(encoder, bio), 1);
    expect_error("no PKCS#8 or PKCS#12 of it");
    OSSL_ENCODER_CTX_free(encoder);
    BIO_free(bio);

    assert_null(EVP_PKEY2PKCS8(pkey)); /* PKCS12_create asks so */
    expect_error("no PKCS#8 or PKCS#12 of it");
    EVP_PKEY_free(pkey);
}

static void der_is_the_key_file_too(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    unsigned char *der = NULL;
    int len = i2d_PrivateKey(pkey, &der);
    const unsigned char *at = der;
    EVP_PKEY *again;

    assert_true(len > 0);
    again = d2i_AutoPrivateKey_ex(NULL, &at, len, program->ctx, NULL);
    assert_non_null(again);
    assert_ptr_equal(at, der + len);
    assert_string_equal(offered_by(again), "devid");
    assert_int_equal(EVP_PKEY_eq(again, pkey), 1);
    OPENSSL_free(der);
    EVP_PKEY_free(again);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

/* As `openssl pkey -outform DER` of OpenSSL 3.6 asks. */
static void a_der_file_of_the_whole_key_is_the_key_file(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    unsigned char read[2048];
    unsigned char *der = NULL;
    FILE *file = tmpfile();
    BIO *bio = BIO_new_fp(file, BIO_NOCLOSE);
    int len = i2d_PrivateKey(pkey, &der);

    assert_int_equal(
        i2d_PKCS8PrivateKey_bio(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    rewind(file);
    assert_int_equal(fread(read, 1, sizeof(read), file), len);
    assert_memory_equal(read, der, (size_t)len);
    BIO_free(bio);
    (void)fclose(file);
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

/* As `openssl pkey -outform DER` of OpenSSL 4 asks. */
static void the_private_key_alone_as_der_is_the_key_file(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    OSSL_ENCODER_CTX *encoder = OSSL_ENCODER_CTX_new_for_pkey(
        pkey, OSSL_KEYMGMT_SELECT_PRIVATE_KEY, "DER", "PrivateKeyInfo", NULL);
    unsigned char *ours = NULL;
    unsigned char *der = NULL;
    size_t len = 0;

    assert_int_equal(OSSL_ENCODER_to_data(encoder, &ours, &len), 1);
    assert_int_equal(i2d_PrivateKey(pkey, &der), len);
    assert_memory_equal(ours, der, len);
    OPENSSL_free(ours);
    OPENSSL_free(der);
    OSSL_ENCODER_CTX_free(encoder);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void expect_same_text(BIO *ours, BIO *theirs)
{
    char a[8192];
    char b[8192];

    assert_string_equal(text_of(ours, a, sizeof(a)),
                        text_of(theirs, b, sizeof(b)));
}

static void a_public_key_is_written_as_openssl_writes_it(void **state)
{
    struct program *program = *state;
    EVP_PKEY *keys[] = {device_key(program->ctx, "EC", "P-521", NULL),
                        device_key(program->ctx, "RSA", "2048", NULL),
                        device_key(program->ctx, "RSA-PSS", "2048", NULL),
                        device_key(program->ctx, "RSA-PSS", "3072", NULL),
                        device_key(program->ctx, "ED25519", NULL, NULL)};

    for (size_t k = 0; k < COUNT(keys); k++) {
        EVP_PKEY *half = public_half(program->ctx, keys[k]);
        BIO *ours = BIO_new(BIO_s_mem());
        BIO *theirs = BIO_new(BIO_s_mem());
        X509_PUBKEY *spki = NULL;

        assert_int_equal(PEM_write_bio_PUBKEY(ours, keys[k]), 1);
        assert_int_equal(PEM_write_bio_PUBKEY(theirs, half), 1);
        assert_int_equal(EVP_PKEY_print_public(ours, keys[k], 0, NULL), 1);
        assert_int_equal(EVP_PKEY_print_public(theirs, half, 0, NULL), 1);
        expect_same_text(ours, theirs);
        assert_int_equal(X509_PUBKEY_set(&spki, keys[k]), 1);
        X509_PUBKEY_free(spki);
        EVP_PKEY_free(half);
        EVP_PKEY_free(keys[k]);
    }
    expect_no_error();
}

static void pkcs1_and_other_public_forms_come_from_openssl(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "RSA", "2048", NULL);
    OSSL_ENCODER_CTX *encoder = OSSL_ENCODER_CTX_new_for_pkey(
        pkey, EVP_PKEY_PUBLIC_KEY, "PEM", "type-specific", NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    char text[4096];

    assert_int_equal(OSSL_ENCODER_to_bio(encoder, bio), 1);
    assert_non_null(strstr(text_of(bio, text, sizeof(text)),
                           "-----BEGIN RSA PUBLIC KEY-----\n"));
    OSSL_ENCODER_CTX_free(encoder);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void the_text_says_where_the_private_part_lives(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", "0x81000010");
    BIO *bio = BIO_new(BIO_s_mem());
    char text[4096];

    assert_int_equal(EVP_PKEY_print_private(bio, pkey, 0, NULL), 1);
    (void)text_of(bio, text, sizeof(text));
    assert_non_null(strstr(text, "Private-Key: (256 bit, in a fake)\n"));
    assert_non_null(strstr(text, "URI: tpm2:handle=0x81000010\n"));
    assert_non_null(strstr(text, "ASN1 OID: prime256v1\nNIST CURVE: P-256\n"));
    EVP_PKEY_free(pkey);
    expect_no_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_ORDERS(a_private_key_is_written_as_its_key_file),
        IN_BOTH_ORDERS(a_cipher_is_refused),
        IN_BOTH_ORDERS(there_is_no_pkcs8_of_a_key),
        IN_BOTH_ORDERS(der_is_the_key_file_too),
        IN_BOTH_ORDERS(a_der_file_of_the_whole_key_is_the_key_file),
        IN_BOTH_ORDERS(the_private_key_alone_as_der_is_the_key_file),
        IN_BOTH_ORDERS(a_public_key_is_written_as_openssl_writes_it),
        IN_BOTH_ORDERS(pkcs1_and_other_public_forms_come_from_openssl),
        IN_BOTH_ORDERS(the_text_says_where_the_private_part_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
