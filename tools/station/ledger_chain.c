/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_chain.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* What is hashed, or signed, for one purpose is of no use for another. */
#define ROW_PURPOSE "devid-station row 1"
#define ENTRY_PURPOSE "devid-station entry 1"
#define HEAD_PURPOSE "devid-station head 1"

enum {
    NUMBER_LEN = 8,
    HASH_LEN = 32,
    HEAD_MESSAGE_SIZE = 512,
};

static void put_number(uint8_t bytes[NUMBER_LEN], uint64_t number)
{
    for (int i = 0; i < NUMBER_LEN; i++)
        bytes[i] = (uint8_t)(number >> (8 * (NUMBER_LEN - 1 - i)));
}

/* Its kind, its length or itself as a number, its bytes: in one way only. */
static bool hash_value(EVP_MD_CTX *ctx, const struct ledger_value *value)
{
    uint8_t head[1 + NUMBER_LEN];
    bool number = value->kind == VALUE_NUMBER;

    head[0] = (uint8_t)value->kind;
    put_number(head + 1, number ? (uint64_t)value->number : value->len);
    return EVP_DigestUpdate(ctx, head, sizeof(head)) == 1 &&
           (number || value->len == 0 ||
            EVP_DigestUpdate(ctx, value->data, value->len) == 1);
}

static bool hash_values(const char *purpose, const char *before,
                        const struct ledger_value *values, size_t count,
                        char hash[CHAIN_HASH_SIZE])
{
    const struct ledger_value first[] = {value_text(purpose),
                                         value_text(before)};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t digest[HASH_LEN];
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
              hash_value(ctx, &first[0]) && hash_value(ctx, &first[1]);

    for (size_t i = 0; ok && i < count; i++)
        ok = hash_value(ctx, &values[i]);
    ok = ok && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    for (size_t i = 0; ok && i < sizeof(digest); i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
    return ok;
}

bool chain_row_digest(const struct ledger_value *values, size_t count,
                      char hash[CHAIN_HASH_SIZE])
{
    return hash_values(ROW_PURPOSE, "", values, count, hash);
}

bool chain_entry_hash(const char *before,
                      const struct ledger_value values[ENTRY_VALUES],
                      char hash[CHAIN_HASH_SIZE])
{
    return hash_values(ENTRY_PURPOSE, before, values, ENTRY_HASH, hash);
}

/* ---- heads ------------------------------------------------------------- */

static size_t head_message(const struct chain_seal *seal,
                           char message[HEAD_MESSAGE_SIZE])
{
    int len = snprintf(message, HEAD_MESSAGE_SIZE, "%s\n%s\n%lld\n%s\n%lld\n",
                       HEAD_PURPOSE, seal->station, (long long)seal->seq,
                       seal->head, (long long)seal->time_ms);

    return (size_t)len;
}

/* A key that hashes for itself (Ed25519) is given no hash. */
static const char *hash_of(EVP_PKEY *key)
{
    char name[64] = "";

    if (EVP_PKEY_get_default_digest_name(key, name, sizeof(name)) > 0 &&
        strcmp(name, "UNDEF") == 0)
        return NULL;
    return "SHA256";
}

enum devid_err chain_sign(EVP_PKEY *key, struct chain_seal *seal,
                          struct devid_error *err)
{
    char message[HEAD_MESSAGE_SIZE];
    char reason[256];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok;

    seal->time_ms = ledger_now_ms();
    seal->len = sizeof(seal->signature);
    ok = ctx &&
         EVP_DigestSignInit_ex(ctx, NULL, hash_of(key), NULL, NULL, key,
                               NULL) == 1 &&
         EVP_DigestSign(ctx, seal->signature, &seal->len,
                        (const unsigned char *)message,
                        head_message(seal, message)) == 1;
    EVP_MD_CTX_free(ctx);
    if (ok)
        return DEVID_OK;
    seal->len = 0;
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
    ERR_clear_error();
    return ledger_fail(err, DEVID_ERR_DEVICE,
                       "the station's key cannot sign the head of its audit "
                       "log: %s",
                       reason);
}

bool chain_verify(EVP_PKEY *key, const struct chain_seal *seal)
{
    char message[HEAD_MESSAGE_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx &&
              EVP_DigestVerifyInit_ex(ctx, NULL, hash_of(key), NULL, NULL, key,
                                      NULL) == 1 &&
              EVP_DigestVerify(ctx, seal->signature, seal->len,
                               (const unsigned char *)message,
                               head_message(seal, message)) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}
