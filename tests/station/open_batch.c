/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: open_batch DIR NAME PRODUCT TOKEN QUOTA
 *        open_batch DIR NAME
 *        open_batch DIR
 *
 * Opens a batch of the station in DIR with a token that the test knows, closes
 * it, or verifies the whole log.
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

static void leave(const char *why)
{
    (void)fprintf(stderr, "open_batch: %s\n", why);
    exit(1);
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *f = fopen(path, "re");
    EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

    if (!key)
        leave(path);
    (void)fclose(f); /* read only: nothing to lose */
    return key;
}

static EVP_PKEY *key_of(void *arg, const char *station)
{
    EVP_PKEY *key = arg;

    if (strcmp(station, "line-1") != 0 || EVP_PKEY_up_ref(key) != 1)
        return NULL;
    return key;
}

static void verify(struct ledger *ledger, EVP_PKEY *key)
{
    struct ledger_verdict verdict;
    struct devid_error err = {0};

    if (ledger_verify(ledger, key_of, key, &verdict, &err) != DEVID_OK)
        leave(err.text);
    if (verdict.entries == 0 || verdict.chains != 1)
        leave("the log is not one chain");
}

int main(int argc, char **argv)
{
    struct ledger_job job = {.op = argc > 3 ? LEDGER_OPEN_BATCH
                                            : LEDGER_CLOSE_BATCH};
    struct ledger_batch *batch = &job.batch;
    struct devid_error err = {0};
    struct ledger *ledger = NULL;
    char key[512];
    char file[512];
    struct ledger_spec spec = {.url = file, .station = "line-1"};

    if (argc != 2 && argc != 3 && argc != 6)
        leave("usage: open_batch DIR [NAME [PRODUCT TOKEN QUOTA]]");
    (void)snprintf(key, sizeof(key), "%s/chain.key", argv[1]);
    (void)snprintf(file, sizeof(file), "%s/ledger.db", argv[1]);
    spec.key = read_key(key);
    (void)snprintf(batch->name, sizeof(batch->name), "%s",
                   argc > 2 ? argv[2] : "");
    if (argc == 6) {
        (void)snprintf(batch->product, sizeof(batch->product), "%s", argv[3]);
        sha256_hex(argv[4], strlen(argv[4]), batch->token_digest);
        batch->quota = strtoul(argv[5], NULL, 10);
    }
    if (ledger_open(&spec, &ledger, &err) != DEVID_OK)
        leave(err.text);
    if (argc == 2)
        verify(ledger, spec.key);
    else if (ledger_do(ledger, &job) != LEDGER_DONE)
        leave(job.error.text);
    ledger_close(&ledger);
    EVP_PKEY_free(spec.key);
    return 0;
}
