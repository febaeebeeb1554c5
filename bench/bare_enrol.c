/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare_enrol DIRECTORY SECONDS
 *
 * What an enrolment costs at the least: the station's two signatures, the
 * verification of the IAK's two statements, of the request and of the EK's
 * certificate, one RSA-OAEP; and its three commits to SQLite, in DIRECTORY, one
 * after the other. Prints "crypto_us=... commits_us=...": microseconds of CPU,
 * and of time.
 */
#include "measure.h"

#include <err.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    VERIFICATIONS = 3, /* on P-256 */
    SIGNATURES = 2,
    COMMITS = 3
};

static void check(int ok, const char *what)
{
    if (ok <= 0)
        errx(EXIT_FAILURE, "%s fails", what);
}

/* ---- cryptography ----------------------------------------------------------
 */

static struct {
    EVP_PKEY *ec, *rsa;
    EVP_PKEY_CTX *sign, *verify, *chain, *encrypt;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    uint8_t ec_sig[128], rsa_sig[256];
    size_t ec_len, rsa_len;
} keys = {.ec_len = 128, .rsa_len = 256};

static void prepare(void)
{
    EVP_PKEY_CTX *vendor;

    keys.ec = EVP_EC_gen("P-256");
    keys.rsa = EVP_RSA_gen(2048);
    keys.sign = EVP_PKEY_CTX_new(keys.ec, NULL);
    keys.verify = EVP_PKEY_CTX_new(keys.ec, NULL);
    keys.chain = EVP_PKEY_CTX_new(keys.rsa, NULL);
    keys.encrypt = EVP_PKEY_CTX_new(keys.rsa, NULL);
    vendor = EVP_PKEY_CTX_new(keys.rsa, NULL);
    check(EVP_PKEY_sign_init(keys.sign), "signing");
    check(EVP_PKEY_sign(keys.sign, keys.ec_sig, &keys.ec_len, keys.digest,
                        sizeof(keys.digest)),
          "signing");
    check(EVP_PKEY_sign_init(vendor), "signing");
    check(EVP_PKEY_CTX_set_signature_md(vendor, EVP_sha256()), "signing");
    check(EVP_PKEY_sign(vendor, keys.rsa_sig, &keys.rsa_len, keys.digest,
                        sizeof(keys.digest)),
          "signing");
    check(EVP_PKEY_verify_init(keys.verify), "verifying");
    check(EVP_PKEY_verify_init(keys.chain), "verifying");
    check(EVP_PKEY_CTX_set_signature_md(keys.chain, EVP_sha256()), "verifying");
    check(EVP_PKEY_encrypt_init(keys.encrypt), "encrypting");
    check(EVP_PKEY_CTX_set_rsa_padding(keys.encrypt, RSA_PKCS1_OAEP_PADDING),
          "encrypting");
    EVP_PKEY_CTX_free(vendor);
}

static void compute(void)
{
    uint8_t out[256];
    size_t len;

    for (int i = 0; i < SIGNATURES; i++) {
        len = sizeof(out);
        check(EVP_PKEY_sign(keys.sign, out, &len, keys.digest,
                            sizeof(keys.digest)),
              "signing");
    }
    for (int i = 0; i < VERIFICATIONS; i++)
        check(EVP_PKEY_verify(keys.verify, keys.ec_sig, keys.ec_len,
                              keys.digest, sizeof(keys.digest)),
              "verifying");
    check(EVP_PKEY_verify(keys.chain, keys.rsa_sig, keys.rsa_len, keys.digest,
                          sizeof(keys.digest)),
          "verifying");
    len = sizeof(out);
    check(EVP_PKEY_encrypt(keys.encrypt, out, &len, keys.digest,
                           sizeof(keys.digest)),
          "encrypting");
}

static double cpu_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double crypto_us(double seconds)
{
    const uint64_t end =
        measure_now_ns() + (uint64_t)(seconds * MEASURE_NS_PER_S);
    double start;
    unsigned count = 0;

    prepare();
    compute();
    start = cpu_us();
    do {
        compute();
        count++;
    } while (measure_now_ns() < end);
    return (cpu_us() - start) / count;
}

/* ---- commits ---------------------------------------------------------------
 */

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        errx(EXIT_FAILURE, "%s: %s", sql, sqlite3_errmsg(db));
}

/* A row and its entry in the log, in the ledger's durability. */
static double commits_us(const char *directory, double seconds)
{
    const uint64_t start = measure_now_ns();
    const uint64_t end = start + (uint64_t)(seconds * MEASURE_NS_PER_S);
    sqlite3 *db = NULL;
    char path[4096];
    unsigned count = 0;

    (void)snprintf(path, sizeof(path), "%s/bare.db", directory);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        errx(EXIT_FAILURE, "%s cannot be opened", path);
    run(db, "PRAGMA journal_mode = WAL");
    run(db, "PRAGMA synchronous = FULL");
    run(db, "CREATE TABLE t (n INTEGER PRIMARY KEY, a BLOB)");
    do {
        for (int i = 0; i < COMMITS; i++)
            run(db, "BEGIN IMMEDIATE; INSERT INTO t (a) VALUES "
                    "(randomblob(1500)), (randomblob(200)); COMMIT");
        count++;
    } while (measure_now_ns() < end);
    (void)sqlite3_close(db);
    return (double)(measure_now_ns() - start) / 1e3 / count;
}

int main(int argc, char **argv)
{
    double seconds;

    if (argc != 3)
        errx(2, "usage: bare_enrol DIRECTORY SECONDS");
    seconds = measure_seconds(argv[2]);
    (void)printf("crypto_us=%.1f ", crypto_us(seconds));
    (void)printf("commits_us=%.1f\n", commits_us(argv[1], seconds));
    return 0;
}
