/* SPDX-License-Identifier: Apache-2.0 */
#include "devices.h"

#include "device.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PRIME_BITS = 1024,
    SECRET_LEN = 32,
    HASH_LEN = 32,
    AES_LEN = 16
};

/* ---- keys ------------------------------------------------------------ */

static void check(int ok, const char *what)
{
    if (ok <= 0)
        errx(EXIT_FAILURE, "OpenSSL cannot %s", what);
}

static BIGNUM *new_prime(void)
{
    BIGNUM *prime = BN_secure_new();
    BIGNUM *three = BN_new();

    check(prime != NULL && three != NULL, "make numbers");
    check(BN_generate_prime_ex(prime, PRIME_BITS, 0, NULL, NULL, NULL),
          "make a prime");
    /* The highest two bits, so that a product has all of its bits. */
    while (BN_is_bit_set(prime, PRIME_BITS - 2) == 0)
        check(BN_generate_prime_ex(prime, PRIME_BITS, 0, NULL, NULL, NULL),
              "make a prime");
    BN_free(three);
    return prime;
}

/* An RSA key out of two primes: many keys out of few, which take long to find.
 * Nobody's secret depends on them. */
static EVP_PKEY *key_of_primes(const BIGNUM *p, const BIGNUM *q)
{
    BN_CTX *ctx = BN_CTX_secure_new();
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *n = BN_secure_new();
    BIGNUM *phi = BN_secure_new();
    BIGNUM *e = BN_new();
    BIGNUM *d = BN_secure_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    check(ctx && builder && maker && n && phi && e && d, "make numbers");
    check(BN_set_word(e, RSA_F4) && BN_mul(n, p, q, ctx) && BN_sub(phi, n, p) &&
              BN_sub(phi, phi, q) && BN_add_word(phi, 1) &&
              BN_mod_inverse(d, e, phi, ctx) != NULL,
          "make an RSA key of two primes");
    check(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
              OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) &&
              OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_D, d),
          "describe an RSA key");
    params = OSSL_PARAM_BLD_to_param(builder);
    check(params != NULL && EVP_PKEY_fromdata_init(maker) > 0, "describe it");
    check(EVP_PKEY_fromdata(maker, &pkey, EVP_PKEY_KEYPAIR, params),
          "make an RSA key");
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(maker);
    BN_free(n);
    BN_clear_free(phi);
    BN_free(e);
    BN_clear_free(d);
    BN_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *new_ec(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    check(key != NULL, "make a key on P-256");
    return key;
}

/* ---- requests -------------------------------------------------------- */

static char *base64(const uint8_t *data, size_t len)
{
    char *text = malloc((len + 2) / 3 * 4 + 1);

    if (text == NULL)
        err(EXIT_FAILURE, NULL);
    (void)EVP_EncodeBlock((unsigned char *)text, data, (int)len);
    return text;
}

static void fill_body(struct bench_device *device, const struct device *d)
{
    uint8_t *whole = NULL;
    size_t len = 0;
    char *text;

    if (devid_tcg_csr_encode(d->csr.contents, d->csr.signature, &whole, &len,
                             NULL) != DEVID_OK)
        errx(EXIT_FAILURE, "a request cannot be made");
    text = base64(whole, len);
    if (asprintf(&device->body,
                 "{\"serial\":\"%s\",\"model\":\"Gate\",\"request\":\"%s\"}",
                 device->serial, text) < 0)
        err(EXIT_FAILURE, NULL);
    free(text);
    OPENSSL_free(whole);
}

static void fill_device(struct bench_device *device, EVP_PKEY *ca, EVP_PKEY *ek,
                        const char *root)
{
    static const char model[] = "Gate";
    const struct device_keys keys = {
        .ca = ca, .ek = ek, .iak = new_ec(), .idevid = new_ec()};
    struct device d;

    check(EVP_PKEY_up_ref(ca) && EVP_PKEY_up_ref(ek), "share keys");
    device_new_with(&d, &keys);
    d.serial = device->serial;
    d.csr.prodModel.data = (const uint8_t *)model;
    d.csr.prodModel.len = sizeof(model) - 1;
    device_state(&d);
    device_request(&d, NULL);
    fill_body(device, &d);
    device->ek = ek;
    device->name_len = d.iak.name.size;
    memcpy(device->name, d.iak.name.name, device->name_len);
    if (root != NULL)
        append_pem(root, d.root);
    device_free(&d);
}

/* Pairs of so many primes are enough for so many keys. */
static size_t primes_for(size_t count)
{
    size_t primes = 2;

    while (primes * (primes - 1) / 2 < count)
        primes++;
    return primes;
}

struct bench_device *devices_make(size_t count, const char *prefix,
                                  const char *root)
{
    size_t prime_count = primes_for(count);
    BIGNUM **primes = calloc(prime_count, sizeof(BIGNUM *));
    struct bench_device *devices = calloc(count, sizeof(*devices));
    EVP_PKEY *ca = EVP_RSA_gen(2048);
    size_t p = 0;
    size_t q = 1;

    if (primes == NULL || devices == NULL)
        err(EXIT_FAILURE, NULL);
    check(ca != NULL, "make the vendor's key");
    for (size_t i = 0; i < prime_count; i++)
        primes[i] = new_prime();
    (void)unlink(root); /* of an earlier run; or none */
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(devices[i].serial, sizeof(devices[i].serial), "%s%06zu",
                       prefix, i);
        fill_device(&devices[i], ca, key_of_primes(primes[p], primes[q]),
                    i == 0 ? root : NULL);
        if (++q == prime_count) {
            p++;
            q = p + 1;
        }
    }
    for (size_t i = 0; i < prime_count; i++)
        BN_clear_free(primes[i]);
    free(primes);
    EVP_PKEY_free(ca);
    return devices;
}

/* ---- the answer to a challenge (TPM 2.0 Part 1, 24) ------------------- */

static void open_seed(EVP_PKEY *ek, const uint8_t *secret, size_t len,
                      uint8_t seed[HASH_LEN])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ek, NULL);
    void *label = OPENSSL_memdup("IDENTITY", sizeof("IDENTITY"));
    uint8_t out[256];
    size_t out_len = sizeof(out);

    check(ctx != NULL && label != NULL && EVP_PKEY_decrypt_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
              EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, "SHA256", NULL) > 0 &&
              EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, sizeof("IDENTITY")) >
                  0,
          "prepare OAEP");
    check(EVP_PKEY_decrypt(ctx, out, &out_len, secret, len) > 0 &&
              out_len == HASH_LEN,
          "open the challenge's seed");
    memcpy(seed, out, HASH_LEN);
    EVP_PKEY_CTX_free(ctx);
}

static void storage_key(const struct bench_device *device, uint8_t *seed,
                        uint8_t key[AES_LEN])
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_KBKDF, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    char mode[] = "counter";
    char mac[] = "HMAC";
    char digest[] = "SHA256";
    char label[] = "STORAGE";
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, seed, HASH_LEN),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, label, sizeof(label) - 1),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO,
                                (void *)(uintptr_t)device->name,
                                device->name_len),
        OSSL_PARAM_END,
    };

    check(ctx != NULL && EVP_KDF_derive(ctx, key, AES_LEN, params) > 0,
          "derive the challenge's key");
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

void device_answer(const struct bench_device *device, const uint8_t *challenge,
                   size_t len, uint8_t answer[32])
{
    /* head, TPM2B_ID_OBJECT { TPM2B_DIGEST, identity }, TPM2B_ENCRYPTED_SECRET
     */
    const size_t identity_at = 8 + 2 + 2 + HASH_LEN;
    const size_t identity_len = 2 + SECRET_LEN;
    const size_t secret_at = identity_at + identity_len + 2;
    static const uint8_t iv[16];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t seed[HASH_LEN];
    uint8_t key[AES_LEN];
    uint8_t identity[2 + SECRET_LEN];
    int n = 0;

    if (len != secret_at + 256)
        errx(EXIT_FAILURE, "a challenge of %zu bytes is no such", len);
    open_seed(device->ek, challenge + secret_at, 256, seed);
    storage_key(device, seed, key);
    check(ctx != NULL &&
              EVP_DecryptInit_ex(ctx, EVP_aes_128_cfb128(), NULL, key, iv) >
                  0 &&
              EVP_DecryptUpdate(ctx, identity, &n, challenge + identity_at,
                                (int)identity_len) > 0,
          "open the challenge");
    memcpy(answer, identity + 2, SECRET_LEN);
    EVP_CIPHER_CTX_free(ctx);
}
