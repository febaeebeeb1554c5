/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char message[] = "the quick brown fox";

void program_start(struct program *program, enum order order)
{
    static const char *const names[] = {"devid", "default"};

    fake_reset();
    program->ctx = OSSL_LIB_CTX_new();
    assert_non_null(program->ctx);
    assert_int_equal(
        OSSL_PROVIDER_add_builtin(program->ctx, "devid", OSSL_provider_init),
        1);
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *name = names[order == DEVID_FIRST ? i : 1 - i];

        program->providers[i] = OSSL_PROVIDER_load(program->ctx, name);
        assert_non_null(program->providers[i]);
    }
    expect_no_error();
}

void program_end(struct program *program)
{
    for (size_t i = 0; i < COUNT(program->providers); i++)
        OSSL_PROVIDER_unload(program->providers[i]);
    OSSL_LIB_CTX_free(program->ctx);
}

static int setup(void **state, enum order order)
{
    struct program *program = malloc(sizeof(*program));

    assert_non_null(program);
    program_start(program, order);
    *state = program;
    return 0;
}

int setup_first(void **state)
{
    return setup(state, DEVID_FIRST);
}

int setup_last(void **state)
{
    return setup(state, DEVID_LAST);
}

int teardown(void **state)
{
    program_end(*state);
    free(*state);
    return 0;
}

/* ---- keys ------------------------------------------------------------ */

static EVP_PKEY *generate(OSSL_LIB_CTX *ctx, const char *type,
                          const char *properties, const char *size,
                          const char *persist)
{
    EVP_PKEY_CTX *gen = EVP_PKEY_CTX_new_from_name(ctx, type, properties);
    const char *option = strcmp(type, "EC") == 0 ? "group" : "bits";
    EVP_PKEY *pkey = NULL;

    assert_non_null(gen);
    assert_int_equal(EVP_PKEY_keygen_init(gen), 1);
    if (size != NULL)
        assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, option, size), 1);
    if (persist != NULL)
        assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, "persist", persist), 1);
    assert_int_equal(EVP_PKEY_generate(gen, &pkey), 1);
    EVP_PKEY_CTX_free(gen);
    return pkey;
}

EVP_PKEY *device_key(OSSL_LIB_CTX *ctx, const char *type, const char *size,
                     const char *persist)
{
    return generate(ctx, type, "provider=devid", size, persist);
}

static EVP_PKEY *decrypting_key(OSSL_LIB_CTX *ctx, const char *type)
{
    EVP_PKEY_CTX *gen = EVP_PKEY_CTX_new_from_name(ctx, type, "provider=devid");
    EVP_PKEY *pkey = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(gen), 1);
    assert_int_equal(EVP_PKEY_CTX_ctrl_str(gen, "decrypt", "1"), 1);
    assert_int_equal(EVP_PKEY_generate(gen, &pkey), 1);
    EVP_PKEY_CTX_free(gen);
    return pkey;
}

EVP_PKEY *all_round_rsa_key(OSSL_LIB_CTX *ctx)
{
    return decrypting_key(ctx, "RSA");
}

EVP_PKEY *agreeing_key(OSSL_LIB_CTX *ctx)
{
    return decrypting_key(ctx, "EC");
}

EVP_PKEY *ordinary_key(OSSL_LIB_CTX *ctx, const char *type, const char *size)
{
    return generate(ctx, type, NULL, size, NULL);
}

EVP_PKEY *public_half(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    const unsigned char *at = der;
    EVP_PKEY *half;

    assert_true(len > 0);
    half = d2i_PUBKEY_ex(NULL, &at, len, ctx, NULL);
    assert_non_null(half);
    OPENSSL_free(der);
    return half;
}

const char *offered_by(const EVP_PKEY *pkey)
{
    return OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(pkey));
}

/* ---- signatures ------------------------------------------------------ */

void sign_message(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey, const char *hash,
                  unsigned char **sig, size_t *len)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    assert_non_null(md);
    assert_int_equal(
        EVP_DigestSignInit_ex(md, NULL, hash, ctx, NULL, pkey, NULL), 1);
    assert_int_equal(EVP_DigestSign(md, NULL, len,
                                    (const unsigned char *)message,
                                    strlen(message)),
                     1);
    *sig = OPENSSL_malloc(*len);
    assert_non_null(*sig);
    assert_int_equal(EVP_DigestSign(md, *sig, len,
                                    (const unsigned char *)message,
                                    strlen(message)),
                     1);
    EVP_MD_CTX_free(md);
}

int verify_message(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey, const char *hash,
                   const unsigned char *sig, size_t len)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok;

    assert_non_null(md);
    assert_int_equal(
        EVP_DigestVerifyInit_ex(md, NULL, hash, ctx, NULL, pkey, NULL), 1);
    ok = EVP_DigestVerify(md, sig, len, (const unsigned char *)message,
                          strlen(message));
    EVP_MD_CTX_free(md);
    return ok;
}

/* ---- the error queue ------------------------------------------------- */

void expect_no_error(void)
{
    unsigned long code = ERR_peek_error();

    ERR_print_errors_fp(stderr);
    assert_int_equal(code, 0);
}

void expect_error(const char *fragment)
{
    const char *data = NULL;
    char text[256];
    bool found = false;
    unsigned long code;
    int flags = 0;

    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        ERR_error_string_n(code, text, sizeof(text));
        if (strstr(text, ":devid:") == NULL || (flags & ERR_TXT_STRING) == 0)
            continue;
        if (strstr(data, fragment) != NULL)
            found = true;
        else
            print_error("devid says: %s\n", data);
    }
    if (!found)
        print_error("expected a sentence with: %s\n", fragment);
    assert_true(found);
}
