/* SPDX-License-Identifier: Apache-2.0 */
/* Many clients at once, keys that are slow or fail, a database that refuses. */
#define OPENSSL_SUPPRESS_DEPRECATED /* a key whose signing can be held up */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ledger_support.h"

enum {
    CLIENTS = 64,
    EACH = 12,
};

/* ---- a key like a chip's ----------------------------------------------- */

static atomic_int signatures;
static atomic_int sign_ms;
static atomic_bool sign_fails;
static int (*sign_in_software)(int type, const unsigned char *digest, int len,
                               unsigned char *sig, unsigned *sig_len,
                               const BIGNUM *k, const BIGNUM *r, EC_KEY *key);

static int sign_slowly(int type, const unsigned char *digest, int len,
                       unsigned char *sig, unsigned *sig_len, const BIGNUM *k,
                       const BIGNUM *r, EC_KEY *key)
{
    struct timespec pause = {0, sign_ms * 1000000L};

    nanosleep(&pause, NULL);
    if (sign_fails)
        return 0;
    signatures++;
    return sign_in_software(type, digest, len, sig, sig_len, k, r, key);
}

static EC_KEY_METHOD *method;

/* The fixture's key, signing through sign_slowly; for free_chip. */
static EVP_PKEY *chip_key(const struct fixture *fixture)
{
    /* A copy: the fixture's own is kept by it, and lives longer than `method`.
     */
    EC_KEY *key = EC_KEY_dup(EVP_PKEY_get0_EC_KEY(fixture->key));
    EVP_PKEY *pkey = EVP_PKEY_new();
    int (*setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **);
    ECDSA_SIG *(*sign_sig)(const unsigned char *, int, const BIGNUM *,
                           const BIGNUM *, EC_KEY *);

    method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    assert_non_null(method);
    EC_KEY_METHOD_get_sign(method, &sign_in_software, &setup, &sign_sig);
    EC_KEY_METHOD_set_sign(method, sign_slowly, setup, sign_sig);
    assert_int_equal(EC_KEY_set_method(key, method), 1);
    assert_int_equal(EVP_PKEY_assign_EC_KEY(pkey, key), 1);
    signatures = 0;
    sign_ms = 0;
    sign_fails = false;
    return pkey;
}

static void free_chip(EVP_PKEY *key)
{
    EVP_PKEY_free(key);
    EC_KEY_METHOD_free(method);
}

static void a_slow_key_stops_nobody_and_seals_in_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_spec spec = {.key = chip_key(fixture)};
    struct ledger *ledger;
    struct ledger_job job;

    ledger_close(&fixture->ledger);
    ledger = open_station(fixture, "line-1", &spec);
    sign_ms = 200;
    signatures = 0;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(enrol(ledger, i, &job), LEDGER_DONE);
        clear(&job);
    }
    /* Fifty commits, and a handful of signatures among them. */
    assert_true(signatures <= 25);
    (void)unsealed(fixture, ledger);
    /* The last one comes without anybody's asking for it. */
    for (int i = 0; i < 100 && unsealed(fixture, ledger) > 0; i++)
        usleep(50000);
    assert_int_equal(unsealed(fixture, ledger), 0);
    ledger_close(&ledger);
    fixture->ledger = open_station(fixture, "line-1", NULL);
    expect_whole(fixture, 51);
    free_chip(spec.key);
}

static void a_key_that_fails_is_told_of_and_stops_no_job(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_spec spec = {.key = chip_key(fixture)};
    struct ledger *ledger = NULL;
    struct devid_error err;
    struct ledger_job job;

    ledger_close(&fixture->ledger);
    ledger = open_station(fixture, "line-1", &spec);
    assert_int_equal(ledger_signing(ledger, &err), DEVID_OK);
    sign_fails = true;
    assert_int_equal(enrol(ledger, 1, &job), LEDGER_DONE);
    clear(&job);
    assert_int_equal(ledger_signing(ledger, &err), DEVID_ERR_DEVICE);
    expect_text(&err, "cannot sign the head of its audit log");
    assert_int_equal(unsealed(fixture, ledger), 1);
    ledger_close(&ledger);
    /* With such a key a station does not even begin. */
    spec.url = fixture->url;
    spec.station = "line-1";
    assert_int_equal(ledger_open(&spec, &ledger, &err), DEVID_ERR_DEVICE);
    expect_text(&err, "cannot sign the head of its audit log");
    fixture->ledger = open_station(fixture, "line-1", NULL);
    assert_int_equal(unsealed(fixture, fixture->ledger), 0);
    free_chip(spec.key);
}

/* ---- many clients ------------------------------------------------------ */

struct client {
    struct ledger *ledger;
    int first;
    int outcomes[LEDGER_FAILED + 1];
};

static void *enrol_each(void *arg)
{
    struct client *client = arg;
    struct ledger_job job;

    for (int i = 0; i < EACH; i++) {
        client->outcomes[enrol(client->ledger, client->first + i, &job)]++;
        clear(&job);
    }
    return NULL;
}

/* Clients enrol EACH units from `stride` times their number on; adds up. */
static void run_clients(struct ledger *ledger, int stride,
                        int outcomes[LEDGER_FAILED + 1])
{
    static struct client clients[CLIENTS];
    pthread_t threads[CLIENTS];

    memset(outcomes, 0, sizeof(int) * (LEDGER_FAILED + 1));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.ledger = ledger, .first = i * stride};
        assert_int_equal(
            pthread_create(&threads[i], NULL, enrol_each, &clients[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        for (int j = 0; j <= LEDGER_FAILED; j++)
            outcomes[j] += clients[i].outcomes[j];
    }
}

static void sixty_four_clients_get_the_quota_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    int outcomes[LEDGER_FAILED + 1];

    run_clients(fixture->ledger, EACH, outcomes);
    assert_int_equal(outcomes[LEDGER_DONE], 100);
    assert_int_equal(outcomes[LEDGER_QUOTA], CLIENTS * EACH - 100);
    assert_int_equal(used_of(fixture->ledger, "B1"), 100);
    expect_whole(fixture, 1 + CLIENTS * EACH);
}

static void one_unit_at_sixty_four_clients_is_one_unit(void **state)
{
    struct fixture *fixture = *state;
    int outcomes[LEDGER_FAILED + 1];

    run_clients(fixture->ledger, 0, outcomes);
    assert_int_equal(outcomes[LEDGER_DONE], EACH);
    assert_int_equal(outcomes[LEDGER_AGAIN], (CLIENTS - 1) * EACH);
    assert_int_equal(used_of(fixture->ledger, "B1"), EACH);
    expect_whole(fixture, 1 + CLIENTS * EACH);
}

/* ---- the queue --------------------------------------------------------- */

static void count_done(struct ledger_job *job)
{
    atomic_int *count = job->arg;

    *count += job->outcome == LEDGER_DONE;
}

static void fill_jobs(struct ledger_job *jobs, int count, atomic_int *done)
{
    for (int i = 0; i < count; i++) {
        jobs[i] = (struct ledger_job){
            .op = LEDGER_ENROL, .done = count_done, .arg = done};
        fill_unit(&jobs[i].unit, i);
    }
}

static void closing_ends_what_waits(void **state)
{
    struct fixture *fixture = *state;
    static struct ledger_job jobs[50];
    atomic_int done = 0;

    fill_jobs(jobs, 50, &done);
    for (int i = 0; i < 50; i++)
        assert_true(ledger_submit(fixture->ledger, &jobs[i]));
    ledger_close(&fixture->ledger);
    assert_int_equal(done, 50);
    for (int i = 0; i < 50; i++)
        clear(&jobs[i]);
    fixture->ledger = open_station(fixture, "line-1", NULL);
    expect_whole(fixture, 51);
}

/* The first commit waits for a signature that takes long; what is taken from
 * the queue meanwhile is nothing. */
static void a_full_queue_says_so_and_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_spec spec = {.key = chip_key(fixture), .queue_max = 4};
    static struct ledger_job jobs[1000];
    atomic_int done = 0;
    int accepted = 0;
    bool full = false;

    reopen(fixture);
    open_batch(fixture->ledger, "big", 1000);
    ledger_close(&fixture->ledger);
    fixture->ledger = open_station(fixture, "line-1", &spec);
    sign_ms = 15;
    fill_jobs(jobs, 1000, &done);
    for (int i = 0; i < 1000; i++)
        strcpy(jobs[i].unit.batch, "big");
    while (accepted < 1000 && !full) {
        full = !ledger_submit(fixture->ledger, &jobs[accepted]);
        accepted += !full;
    }
    assert_true(full);
    ledger_close(&fixture->ledger);
    assert_int_equal(done, accepted);
    for (int i = 0; i < 1000; i++)
        clear(&jobs[i]);
    fixture->ledger = open_station(fixture, "line-1", NULL);
    expect_whole(fixture, 2 + (uint64_t)accepted);
    free_chip(spec.key);
}

/* A database that takes all units but one. */
static void one_job_to_blame_does_not_take_the_others_with_it(void **state)
{
    struct fixture *fixture = *state;
    static struct ledger_job jobs[20];
    atomic_int done = 0;

    behind(fixture, fixture->directory
                        ? "CREATE TRIGGER no BEFORE INSERT ON unit "
                          "WHEN NEW.serial = 'SN-5' BEGIN "
                          "SELECT RAISE(ABORT, 'not this one'); END"
                        : "ALTER TABLE unit ADD CONSTRAINT not_this_one "
                          "CHECK (serial <> 'SN-5')");
    fill_jobs(jobs, 20, &done);
    for (int i = 0; i < 20; i++)
        assert_true(ledger_submit(fixture->ledger, &jobs[i]));
    ledger_close(&fixture->ledger);
    assert_int_equal(done, 19);
    assert_int_equal(jobs[5].outcome, LEDGER_FAILED);
    expect_text(&jobs[5].error, "nothing of this was recorded");
    for (int i = 0; i < 20; i++)
        clear(&jobs[i]);
    fixture->ledger = open_station(fixture, "line-1", NULL);
    assert_int_equal(used_of(fixture->ledger, "B1"), 19);
    expect_whole(fixture, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(a_slow_key_stops_nobody_and_seals_in_the_end),
        ON_A_LEDGER(a_key_that_fails_is_told_of_and_stops_no_job),
        ON_A_LEDGER(sixty_four_clients_get_the_quota_and_no_more),
        ON_A_LEDGER(one_unit_at_sixty_four_clients_is_one_unit),
        ON_A_LEDGER(closing_ends_what_waits),
        ON_A_LEDGER(a_full_queue_says_so_and_loses_nothing),
        ON_A_LEDGER(one_job_to_blame_does_not_take_the_others_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
