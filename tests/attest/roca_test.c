/* SPDX-License-Identifier: Apache-2.0 */
/* The fingerprint of CVE-2017-15361. */
#include "authority.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fingerprinted(const BIGNUM *n)
{
    uint8_t bytes[1024];
    int len = BN_num_bytes(n);

    assert_true(len > 0 && (size_t)len <= sizeof(bytes));
    (void)BN_bn2bin(n, bytes);
    return devid_roca_fingerprint(bytes, (size_t)len);
}

static void a_modulus_of_the_weak_form_is_found(void **state)
{
    (void)state;
    for (unsigned long exponent = 1; exponent < 200; exponent += 13) {
        BIGNUM *n = weak_number(exponent);

        assert_true(fingerprinted(n));
        assert_int_equal(BN_add_word(n, 2), 1);
        assert_false(fingerprinted(n));
        BN_free(n);
    }
}

static void sound_keys_do_not_have_it(void **state)
{
    static const char *const names[] = {"rsa-2048", "rsa-3072", "rsa-4096"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        EVP_PKEY *pkey = software_key(names[i]);
        struct devid_public pub;

        software_public(pkey, &pub);
        assert_false(devid_roca_fingerprint(pub.modulus, pub.coordinate_len));
        EVP_PKEY_free(pkey);
    }
}

/* The modulus in a PEM of any kind, or in hexadecimal digits. */
static BIGNUM *modulus_of(char *text, size_t len)
{
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    X509_REQ *req = NULL;
    EVP_PKEY *pkey = cert != NULL ? X509_get_pubkey(cert) : NULL;
    BIGNUM *n = NULL;

    (void)BIO_reset(bio);
    if (pkey == NULL)
        req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    if (req != NULL)
        pkey = X509_REQ_get_pubkey(req);
    (void)BIO_reset(bio);
    if (pkey == NULL)
        pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (pkey != NULL) {
        assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n),
                         1);
    } else if (strncmp(text, "0x", 2) == 0) {
        text[strcspn(text, "\r\n")] = '\0';
        assert_int_not_equal(BN_hex2bn(&n, text + 2), 0);
    }
    EVP_PKEY_free(pkey);
    X509_free(cert);
    X509_REQ_free(req);
    BIO_free(bio);
    ERR_clear_error();
    return n;
}

/* How many files of a folder had what was expected. */
static int check_folder(const char *dir, const char *name, bool expected)
{
    const struct dirent *entry;
    char path[1024];
    int count = 0;
    DIR *d;

    (void)snprintf(path, sizeof(path), "%s/roca/%s", dir, name);
    d = opendir(path);
    while (d != NULL && (entry = readdir(d)) != NULL) {
        size_t len = 0;
        char *text;
        BIGNUM *n;

        if (entry->d_name[0] == '.')
            continue;
        text = read_file(path, entry->d_name, &len);
        assert_non_null(text);
        n = modulus_of(text, len);
        if (n == NULL)
            print_error("%s/%s: no modulus\n", path, entry->d_name);
        assert_non_null(n);
        if (fingerprinted(n) != expected)
            print_error("%s/%s\n", path, entry->d_name);
        assert_int_equal(fingerprinted(n), expected);
        BN_free(n);
        free(text);
        count++;
    }
    if (d != NULL)
        (void)closedir(d);
    return count;
}

static void keys_of_real_chips_are_told_apart(void **state)
{
    const char *dir = getenv("DEVID_PEER_DATA");

    (void)state;
    if (dir == NULL || check_folder(dir, "positive", true) == 0) {
        print_message("there is no folder roca in DEVID_PEER_DATA\n");
        skip();
    }
    assert_true(check_folder(dir, "negative", false) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_modulus_of_the_weak_form_is_found),
        cmocka_unit_test(sound_keys_do_not_have_it),
        cmocka_unit_test(keys_of_real_chips_are_told_apart),
    };

    return cmocka_run_group_tests_name("roca", tests, NULL, NULL);
}
