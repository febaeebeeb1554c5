/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a signature costs a program: EVP_DigestSign in threads, with one key, as
 * libssl calls it in a TLS 1.3 handshake. It knows OpenSSL alone; OPENSSL_CONF
 * says which provider, or engine, has the key.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* engines, which others still are */
#include "measure.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

enum {
    EXIT_USAGE = 2
};

static const char usage[] =
    "Usage: provider_sign [--threads N] KEY SECONDS [NAME=PID]\n"
    "Signs with EVP_DigestSign as often as it goes; prints the rate, and what\n"
    "that process spent of the CPU. KEY is a file, or engine:ENGINE:NAME.\n";

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    ERR_print_errors_fp(stderr);
    errx(EXIT_FAILURE, "OpenSSL did not %s", what);
}

/* A new context, PSS with the digest's salt, the size, the rest. */
static void sign_like_libssl(void *arg)
{
    static const unsigned char text[130] = "the transcript of a handshake";
    EVP_PKEY *key = arg;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    unsigned char *signature;
    size_t len = 0;

    check(ctx != NULL && EVP_DigestSignInit_ex(ctx, &pctx, "SHA256", NULL, NULL,
                                               key, NULL) == 1,
          "begin a signature");
    if (EVP_PKEY_is_a(key, "RSA") == 1)
        check(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
                                                   RSA_PSS_SALTLEN_DIGEST) == 1,
              "take PSS");
    check(EVP_DigestSign(ctx, NULL, &len, text, sizeof(text)) == 1,
          "tell the signature's size");
    signature = malloc(len);
    check(signature != NULL &&
              EVP_DigestSign(ctx, signature, &len, text, sizeof(text)) == 1,
          "sign");
    free(signature);
    EVP_MD_CTX_free(ctx);
}

/* As nginx does, where OpenSSL still has engines. */
static EVP_PKEY *load_by_engine(const char *name)
{
#ifdef OPENSSL_NO_ENGINE
    errx(EXIT_FAILURE, "this OpenSSL has no engines for %s", name);
#else
    const char *colon = strchr(name, ':');
    char *id = colon != NULL ? strndup(name, (size_t)(colon - name)) : NULL;
    ENGINE *engine = id != NULL ? ENGINE_by_id(id) : NULL;
    EVP_PKEY *key;

    check(engine != NULL && ENGINE_init(engine) == 1, "start the engine");
    key = ENGINE_load_private_key(engine, colon + 1, NULL, NULL);
    check(key != NULL, "load the engine's key");
    free(id);
    return key; /* which keeps the engine, as long as the program runs */
#endif
}

static EVP_PKEY *load(const char *path)
{
    static const char engine[] = "engine:";
    FILE *file;
    EVP_PKEY *key;

    if (strncmp(path, engine, strlen(engine)) == 0)
        return load_by_engine(path + strlen(engine));
    file = fopen(path, "re");
    if (file == NULL)
        err(EXIT_FAILURE, "cannot open %s", path);
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    check(key != NULL, "load the key");
    (void)fclose(file); /* read only: nothing to lose */
    return key;
}

int main(int argc, char **argv)
{
    void *args[MEASURE_CLIENTS_MAX];
    struct cpu_watch watch = {0};
    size_t threads = 1;
    EVP_PKEY *key;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (argc > 3 && strcmp(argv[1], "--threads") == 0) {
        threads = measure_clients(argv[2]);
        argc -= 2;
        argv += 2;
    }
    if (argc != 3 && argc != 4) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (argc == 4)
        cpu_watch_add(&watch, argv[3]);
    key = load(argv[1]);
    for (size_t i = 0; i < threads; i++)
        args[i] = key;
    measure_run(sign_like_libssl, args, threads, measure_seconds(argv[2]),
                &watch);
    EVP_PKEY_free(key);
    return EXIT_SUCCESS;
}
