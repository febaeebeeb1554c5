/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "exchange.h"
#include "figures.h"

enum {
    FRESH_MS = 2000, /* as long as nobody wants newer ones */
    OLD_MS = 300000, /* too old to be shown */
    COST_FACTOR = 20 /* of the time at most one in so many is theirs */
};

struct figure_keeper {
    struct ledger *ledger;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wanted_change;
    pthread_cond_t made_change;
    bool wanted;
    bool ending;
    uint64_t changes; /* that were told of */
    uint64_t covered; /* those that what is kept has */
    uint64_t rounds;  /* that were made, or failed */
    int64_t cost_ms;
    struct figures *kept; /* NULL: none, and why */
    struct devid_error why;
};

/* Under the lock, which it lets go of meanwhile. */
static void renew(struct figure_keeper *keeper)
{
    struct devid_error err = {0};
    const uint64_t covered = keeper->changes;
    const int64_t began = now_ms();
    struct figures *made;
    struct figures *old;

    keeper->wanted = false;
    pthread_mutex_unlock(&keeper->lock);
    made = figures_make(keeper->ledger, &err);
    pthread_mutex_lock(&keeper->lock);
    old = keeper->kept;
    keeper->kept = made;
    keeper->why = err;
    keeper->cost_ms = now_ms() - began;
    keeper->covered = covered;
    keeper->rounds++;
    figures_free(old);
    pthread_cond_broadcast(&keeper->made_change);
}

static void *keep(void *arg)
{
    struct figure_keeper *keeper = arg;

    pthread_mutex_lock(&keeper->lock);
    while (!keeper->ending) {
        if (keeper->wanted)
            renew(keeper);
        else
            pthread_cond_wait(&keeper->wanted_change, &keeper->lock);
    }
    pthread_mutex_unlock(&keeper->lock);
    return NULL;
}

struct figure_keeper *figures_open(struct ledger *ledger)
{
    struct figure_keeper *keeper = calloc(1, sizeof(*keeper));

    if (!keeper)
        return NULL;
    keeper->ledger = ledger;
    keeper->wanted = true; /* the first to ask is to find some */
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_cond_init(&keeper->wanted_change, NULL);
    pthread_cond_init(&keeper->made_change, NULL);
    if (pthread_create(&keeper->thread, NULL, keep, keeper) == 0)
        return keeper;
    free(keeper);
    return NULL;
}

void figures_close(struct figure_keeper **out)
{
    struct figure_keeper *keeper = *out;

    *out = NULL;
    if (!keeper)
        return;
    pthread_mutex_lock(&keeper->lock);
    keeper->ending = true;
    pthread_cond_signal(&keeper->wanted_change);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    figures_free(keeper->kept);
    pthread_cond_destroy(&keeper->made_change);
    pthread_cond_destroy(&keeper->wanted_change);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}

static void want(struct figure_keeper *keeper)
{
    keeper->wanted = true;
    pthread_cond_signal(&keeper->wanted_change);
}

/* A round that is being made may have begun before the last change. */
static void wait_for_new(struct figure_keeper *keeper)
{
    const uint64_t changes = keeper->changes;
    const uint64_t rounds = keeper->rounds;

    while (!keeper->ending &&
           (keeper->rounds == rounds || keeper->covered < changes)) {
        want(keeper);
        pthread_cond_wait(&keeper->made_change, &keeper->lock);
    }
}

const struct figures *figures_get(struct figure_keeper *keeper,
                                  struct devid_error *err)
{
    struct figures *figures;
    int64_t age;

    pthread_mutex_lock(&keeper->lock);
    age = keeper->kept ? now_ms() - keeper->kept->made_ms : OLD_MS;
    if (keeper->covered < keeper->changes || age < 0 || age >= OLD_MS)
        wait_for_new(keeper);
    else if (age > FRESH_MS && age > COST_FACTOR * keeper->cost_ms)
        want(keeper);
    figures = keeper->kept;
    if (figures)
        atomic_fetch_add(&figures->refs, 1);
    else
        *err = keeper->why;
    pthread_mutex_unlock(&keeper->lock);
    return figures;
}

void figures_changed(struct figure_keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->changes++;
    pthread_mutex_unlock(&keeper->lock);
}
