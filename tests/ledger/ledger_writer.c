/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that writes to a ledger, for tests that kill it, race several of
 * them, or cut their connections; and one that looks at what they left.
 *
 *   ledger_writer open URL BATCH QUOTA
 *   ledger_writer enrol URL STATION FIRST COUNT THREADS [EK [lists]]
 *       enrols the units from FIRST on into batch B1 and prints a line
 *       "OUTCOME NUMBER" for each once it is answered; EK: each unit's EK is
 *       that station's own; lists: what is revoked is listed meanwhile
 *   ledger_writer check URL
 *       verifies the log; prints "entries N used N", then the units' numbers
 *
 * Every station has the same key: DEVID_TEST_KEY is its file.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger.h"

static const char *const outcomes[] = {
    [LEDGER_DONE] = "done",           [LEDGER_AGAIN] = "again",
    [LEDGER_DUPLICATE] = "duplicate", [LEDGER_NO_BATCH] = "no-batch",
    [LEDGER_QUOTA] = "quota",         [LEDGER_STATE] = "state",
    [LEDGER_NOT_FOUND] = "not-found", [LEDGER_FAILED] = "failed",
};

_Noreturn static void die(const struct devid_error *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static EVP_PKEY *load_key(void)
{
    const char *path = getenv("DEVID_TEST_KEY");
    FILE *file = path ? fopen(path, "r") : NULL;
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

    if (file)
        fclose(file);
    if (!key) {
        fputs("DEVID_TEST_KEY names no key\n", stderr);
        exit(1);
    }
    return key;
}

static struct ledger *open_ledger(const char *url, const char *station)
{
    struct ledger_spec spec = {
        .url = url, .station = station, .key = load_key(), .create = true};
    struct ledger *ledger = NULL;
    struct devid_error err;

    if (ledger_open(&spec, &ledger, &err))
        die(&err);
    EVP_PKEY_free(spec.key);
    return ledger;
}

/* ---- enrol ------------------------------------------------------------- */

static struct ledger *writing;
static atomic_int next;
static int end;
static const char *ek; /* "" where each unit's EK is its own */

static void fill(struct ledger_unit *unit, int number)
{
    snprintf(unit->serial, sizeof(unit->serial), "%d", number);
    snprintf(unit->model, sizeof(unit->model), "M1");
    snprintf(unit->batch, sizeof(unit->batch), "B1");
    snprintf(unit->ek_digest, sizeof(unit->ek_digest), "%08d%.40s", number, ek);
    snprintf(unit->iak_name, sizeof(unit->iak_name), "iak%08d", number);
    snprintf(unit->idevid_name, sizeof(unit->idevid_name), "idevid%08d",
             number);
    unit->state = UNIT_CERTIFIED;
}

static void *enrol_some(void *arg)
{
    (void)arg;
    for (;;) {
        struct ledger_job job = {.op = LEDGER_ENROL};
        char line[1024];
        int number = next++;
        int len;
        if (number >= end)
            return NULL;
        fill(&job.unit, number);
        (void)ledger_do(writing, &job);
        len = snprintf(line, sizeof(line), "%s %d %s\n", outcomes[job.outcome],
                       number,
                       job.outcome == LEDGER_FAILED ? job.error.text : "");
        ledger_unit_clear(&job.unit);
        /* At once: who kills this process believes what it has read. */
        if (write(STDOUT_FILENO, line, (size_t)len) != len)
            return NULL;
    }
}

static bool ignore(void *arg, const struct ledger_revoked *revoked)
{
    (void)arg;
    (void)revoked;
    return true;
}

static void *list_on(void *arg)
{
    struct devid_error err;

    (void)arg;
    for (;;) {
        if (ledger_revoked(writing, 0, ignore, NULL, &err))
            die(&err);
        usleep(1000);
    }
    return NULL;
}

static int enrol(int argc, char **argv)
{
    pthread_t threads[64];
    pthread_t lister;
    int count = atoi(argv[4]);

    if (count > 64)
        return 2;
    writing = open_ledger(argv[0], argv[1]);
    next = atoi(argv[2]);
    end = atoi(argv[2]) + atoi(argv[3]);
    ek = argc > 5 ? argv[5] : "";
    if (argc > 6)
        pthread_create(&lister, NULL, list_on, NULL);
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, enrol_some, NULL);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    ledger_close(&writing);
    return 0;
}

/* ---- open, check ------------------------------------------------------- */

static int open_batch(char **argv)
{
    struct ledger *ledger = open_ledger(argv[0], "line-0");
    struct ledger_job job = {
        .op = LEDGER_OPEN_BATCH,
        .batch = {.product = "M1", .quota = (uint64_t)atoi(argv[2])}};

    snprintf(job.batch.name, sizeof(job.batch.name), "%s", argv[1]);
    snprintf(job.batch.token_digest, sizeof(job.batch.token_digest),
             "token of %.40s", argv[1]);
    if (ledger_do(ledger, &job) != LEDGER_DONE)
        die(&job.error);
    ledger_close(&ledger);
    return 0;
}

static EVP_PKEY *key_of(void *arg, const char *station)
{
    (void)arg;
    (void)station;
    return load_key();
}

static bool print_unit(void *arg, const struct ledger_unit *unit)
{
    (void)arg;
    puts(unit->serial);
    return true;
}

static int check(char **argv)
{
    struct ledger_spec spec = {.url = argv[0]};
    struct ledger *ledger = NULL;
    struct ledger_verdict verdict;
    struct ledger_batch batch;
    struct devid_error err;

    if (ledger_open(&spec, &ledger, &err) ||
        ledger_verify(ledger, key_of, NULL, &verdict, &err) ||
        ledger_batch(ledger, "B1", NULL, &batch, &err))
        die(&err);
    printf("entries %llu used %llu\n", (unsigned long long)verdict.entries,
           (unsigned long long)batch.used);
    if (ledger_units(ledger, NULL, print_unit, NULL, &err))
        die(&err);
    ledger_close(&ledger);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "open") == 0)
        return open_batch(argv + 2);
    if (argc >= 7 && strcmp(argv[1], "enrol") == 0)
        return enrol(argc - 2, argv + 2);
    if (argc == 3 && strcmp(argv[1], "check") == 0)
        return check(argv + 2);
    fputs("usage: see the head of ledger_writer.c\n", stderr);
    return 2;
}
