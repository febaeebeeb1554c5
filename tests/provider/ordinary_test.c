/* SPDX-License-Identifier: Apache-2.0 */
/* Ordinary keys load beside us as they always did, and leave no error. */
#include "files.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *type;
    const char *structure;
    const char *cipher;
} forms[] = {
    {"PEM", "PrivateKeyInfo", NULL},
    {"PEM", "type-specific", NULL},
    {"PEM", "EncryptedPrivateKeyInfo", "AES-256-CBC"},
    {"PEM", "type-specific", "AES-256-CBC"},
    {"DER", "PrivateKeyInfo", NULL},
    {"DER", "type-specific", NULL},
    {"DER", "EncryptedPrivateKeyInfo", "AES-256-CBC"},
};

static void ordinary_keys_load_in_every_form_without_an_error(void **state)
{
    struct program *program = *state;
    EVP_PKEY *keys[] = {ordinary_key(program->ctx, "EC", "P-256"),
                        ordinary_key(program->ctx, "RSA", "2048")};

    for (size_t k = 0; k < COUNT(keys); k++) {
        for (size_t f = 0; f < COUNT(forms); f++) {
            bool pem = strcmp(forms[f].type, "PEM") == 0;
            struct blob blob = encode(keys[k], EVP_PKEY_KEYPAIR, forms[f].type,
                                      forms[f].structure, forms[f].cipher);

            if (pem)
                expect_loads(program, by_pem, &blob, keys[k]);
            else if (forms[f].cipher == NULL)
                expect_loads(program, by_d2i, &blob, keys[k]);
            expect_loads(program, by_decoder, &blob, keys[k]);
            free(blob.data);
        }
        EVP_PKEY_free(keys[k]);
    }
}

static void public_keys_of_others_load_without_an_error(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = ordinary_key(program->ctx, "EC", "P-256");
    struct blob pem =
        encode(pkey, EVP_PKEY_PUBLIC_KEY, "PEM", "SubjectPublicKeyInfo", NULL);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *loaded =
        PEM_read_bio_PUBKEY_ex(bio, NULL, NULL, NULL, program->ctx, NULL);

    assert_non_null(loaded);
    assert_int_equal(EVP_PKEY_eq(loaded, pkey), 1);
    expect_no_error();
    BIO_free(bio);
    EVP_PKEY_free(loaded);
    EVP_PKEY_free(pkey);
    free(pem.data);
}

static void nonsense_is_nobodys_key(void **state)
{
    static const char *const texts[] = {
        "",
        "no key at all\n",
        "\x30\x82\x01\x00 too short",
        "\x30\x03\x02\x01\x01",
        "\x30\x84\xff\xff\xff\xff",
        "-----BEGIN TSS2 PRIVATE KEYS-----\nAAAA\n-----END X-----\n"};
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(texts); i++) {
        struct blob blob = blob_join(texts[i], "", "");

        assert_null(by_pem(program->ctx, &blob));
        assert_null(by_d2i(program->ctx, &blob));
        assert_null(by_decoder(program->ctx, &blob));
        while (ERR_peek_error() != 0)
            assert_string_not_equal(ERR_lib_error_string(ERR_get_error()),
                                    "devid");
        free(blob.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_ORDERS(ordinary_keys_load_in_every_form_without_an_error),
        IN_BOTH_ORDERS(public_keys_of_others_load_without_an_error),
        IN_BOTH_ORDERS(nonsense_is_nobodys_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
