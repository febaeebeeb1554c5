/* SPDX-License-Identifier: Apache-2.0 */
/* Loading key files of ours, in every way there is. */
#include "files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- key files of ours ----------------------------------------------- */

static const struct {
    const char *type;
    const char *size;
    const char *persist; /* as a reference; NULL: a blob */
} kinds[] = {
    {"EC", "P-256", NULL},     {"EC", "P-256", "0x81000010"},
    {"RSA", "2048", NULL},     {"RSA", "2048", "0x81000011"},
    {"RSA-PSS", "2048", NULL}, {"RSA-PSS", "3072", "0x81000012"},
    {"ED25519", NULL, NULL},   {"ED25519", NULL, "0x81000013"},
};

static void a_key_file_loads_every_way_without_the_device(void **state)
{
    struct program *program = *state;

    for (size_t k = 0; k < COUNT(kinds); k++) {
        EVP_PKEY *pkey = device_key(program->ctx, kinds[k].type, kinds[k].size,
                                    kinds[k].persist);
        struct blob pem = key_file(pkey, "PEM");
        struct blob der = key_file(pkey, "DER");

        for (size_t i = 0; pem_loaders[i] != NULL; i++)
            expect_loads(program, pem_loaders[i], &pem, pkey);
        for (size_t i = 0; der_loaders[i] != NULL; i++)
            expect_loads(program, der_loaders[i], &der, pkey);
        free(pem.data);
        free(der.data);
        EVP_PKEY_free(pkey);
    }
    assert_int_equal(fake_calls().sign, 0);
    assert_int_equal(fake_calls().key_find, 0);
}

/* A certificate by an ordinary key, as PEM. */
static struct blob certificate(OSSL_LIB_CTX *ctx)
{
    EVP_PKEY *pkey = ordinary_key(ctx, "EC", "P-256");
    X509 *x = X509_new_ex(ctx, NULL);
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(X509_set_pubkey(x, pkey), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
    assert_true(X509_sign(x, pkey, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, x), 1);
    X509_free(x);
    EVP_PKEY_free(pkey);
    return blob_take(bio);
}

static void a_key_is_found_between_certificates_and_remarks(void **state)
{
    static const char nonsense[] =
        "-----BEGIN NONSENSE-----\nAAAA\n-----END NONSENSE-----\n";
    struct program *program = *state;
    struct blob cert = certificate(program->ctx);
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    struct blob pem = key_file(pkey, "PEM");
    struct blob first = blob_join("a remark\n\n", pem.data, cert.data);
    struct blob last = blob_join("a remark\n\n", cert.data, pem.data);
    struct blob after_nonsense = blob_join(nonsense, cert.data, pem.data);

    expect_loads(program, by_pem, &first, pkey);
    expect_loads(program, by_store, &first, pkey);
    expect_loads(program, by_pem, &last, pkey);
    /* The store leaves errors of its own there, whosever the key. */
    expect_loads(program, by_pem, &after_nonsense, pkey);
    free(first.data);
    free(last.data);
    free(after_nonsense.data);
    free(pem.data);
    free(cert.data);
    EVP_PKEY_free(pkey);
}

static void lines_may_end_as_windows_ends_them(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    struct blob pem = key_file(pkey, "PEM");
    struct blob crlf = {.data = calloc(2, pem.len + 1)};

    assert_non_null(crlf.data);
    for (size_t i = 0; i < pem.len; i++) {
        if (pem.data[i] == '\n')
            crlf.data[crlf.len++] = '\r';
        crlf.data[crlf.len++] = pem.data[i];
    }
    for (size_t i = 0; pem_loaders[i] != NULL; i++)
        expect_loads(program, pem_loaders[i], &crlf, pkey);
    free(crlf.data);
    free(pem.data);
    EVP_PKEY_free(pkey);
}

/* The same key file under another label; the caller frees. */
static struct blob relabel(const struct blob *pem, const char *label)
{
    struct blob out = {.data = calloc(1, pem->len + 100)};
    const char *body = strchr(pem->data, '\n');
    const char *end = strstr(pem->data, "\n-----END");

    assert_non_null(out.data);
    assert_true(body != NULL && end != NULL);
    out.len = (size_t)snprintf(out.data, pem->len + 100,
                               "-----BEGIN %s-----%.*s\n-----END %s-----\n",
                               label, (int)(end - body), body, label);
    return out;
}

static void either_form_may_be_called_a_private_key(void **state)
{
    struct program *program = *state;

    for (size_t k = 0; k < COUNT(kinds); k++) {
        EVP_PKEY *pkey = device_key(program->ctx, kinds[k].type, kinds[k].size,
                                    kinds[k].persist);
        struct blob pem = key_file(pkey, "PEM");
        struct blob named = relabel(&pem, "DEVID PRIVATE KEY");

        for (size_t i = 0; pem_loaders[i] != NULL; i++)
            expect_loads(program, pem_loaders[i], &named, pkey);
        free(named.data);
        free(pem.data);
        EVP_PKEY_free(pkey);
    }
}

/* ---- key files that are damaged -------------------------------------- */

static void expect_refused(struct program *program, loader *load,
                           const struct blob *blob, const char *sentence)
{
    EVP_PKEY *pkey = load(program->ctx, blob);

    assert_null(pkey);
    expect_error(sentence);
}

static void a_damaged_pem_file_says_so_whoever_loads_it(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    struct blob pem = key_file(pkey, "PEM");
    struct blob cut = {.data = pem.data, .len = pem.len / 2};
    struct blob odd = blob_join(pem.data, "", "");

    odd.data[100] = '!';
    for (size_t i = 0; pem_loaders[i] != NULL; i++) {
        expect_refused(program, pem_loaders[i], &cut, "TSS2 PRIVATE KEY");
        expect_refused(program, pem_loaders[i], &odd, "TSS2 PRIVATE KEY");
    }
    free(odd.data);
    free(pem.data);
    EVP_PKEY_free(pkey);
}

static void a_damaged_der_file_says_so_whoever_loads_it(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", NULL);
    struct blob der = key_file(pkey, "DER");
    struct blob cut = {.data = der.data, .len = der.len / 2};
    struct blob odd = {.data = calloc(1, der.len), .len = der.len};
    char *parent;

    assert_non_null(odd.data);
    memcpy(odd.data, der.data, der.len);
    parent = memmem(odd.data, odd.len, "\x02\x04\x40\x00\x00\x01", 6);
    assert_non_null(parent);
    *parent = 0x03; /* a BIT STRING, in place of the INTEGER */
    for (size_t i = 0; der_loaders[i] != NULL; i++) {
        expect_refused(program, der_loaders[i], &cut, "cut short or garbled");
        expect_refused(program, der_loaders[i], &odd, "TSS2 PRIVATE KEY");
    }
    free(odd.data);
    free(der.data);
    EVP_PKEY_free(pkey);
}

static void a_block_larger_than_any_key_file_is_refused(void **state)
{
    static const char begin[] = "-----BEGIN TSS2 PRIVATE KEY-----\n";
    struct program *program = *state;
    struct blob huge = {.len = 300000};

    huge.data = malloc(huge.len + 1);
    assert_non_null(huge.data);
    memset(huge.data, 'A', huge.len);
    for (size_t i = 64; i < huge.len; i += 65)
        huge.data[i] = '\n';
    memcpy(huge.data, begin, strlen(begin));
    huge.data[huge.len] = '\0';
    for (size_t i = 0; pem_loaders[i] != NULL; i++)
        expect_refused(program, pem_loaders[i], &huge,
                       "larger than any key file");
    free(huge.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_ORDERS(a_key_file_loads_every_way_without_the_device),
        IN_BOTH_ORDERS(either_form_may_be_called_a_private_key),
        IN_BOTH_ORDERS(a_key_is_found_between_certificates_and_remarks),
        IN_BOTH_ORDERS(lines_may_end_as_windows_ends_them),
        IN_BOTH_ORDERS(a_damaged_pem_file_says_so_whoever_loads_it),
        IN_BOTH_ORDERS(a_damaged_der_file_says_so_whoever_loads_it),
        IN_BOTH_ORDERS(a_block_larger_than_any_key_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
