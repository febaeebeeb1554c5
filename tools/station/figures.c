/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

enum {
    MINUTE_MS = 60 * 1000,
    RATE_MINUTES = 10
};

const unsigned figure_seconds[FIGURE_TIMES] = {1,  2,  5,  10,  15,  20,
                                               30, 45, 60, 120, 300, 3600};

/* ---- batches and states ------------------------------------------------ */

struct maker {
    struct figures *figures;
    size_t room; /* for batches */
    size_t last; /* that a tally was of */
    bool no_memory;
    int64_t *durations; /* FIGURE_RECENT */
    size_t duration_count;
};

static bool add_batch(void *arg, const struct ledger_batch *batch)
{
    struct maker *maker = arg;
    struct figures *figures = maker->figures;

    if (figures->batch_count == maker->room) {
        size_t room = maker->room ? 2 * maker->room : 16;
        void *more =
            realloc(figures->batches, room * sizeof(*figures->batches));
        maker->no_memory = !more;
        if (!more)
            return false;
        figures->batches = more;
        maker->room = room;
    }
    figures->batches[figures->batch_count++] =
        (struct figure_batch){.batch = *batch};
    return true;
}

/* Tallies of a batch come one behind the other. */
static struct figure_batch *find_batch(struct maker *maker, const char *name)
{
    struct figures *figures = maker->figures;

    for (size_t i = 0; i < figures->batch_count; i++) {
        size_t at = (maker->last + i) % figures->batch_count;
        if (strcmp(figures->batches[at].batch.name, name) != 0)
            continue;
        maker->last = at;
        return &figures->batches[at];
    }
    return NULL;
}

static bool add_tally(void *arg, const struct ledger_tally *tally)
{
    struct maker *maker = arg;
    struct figure_batch *batch = find_batch(maker, tally->batch);

    maker->figures->states[tally->state] += tally->count;
    maker->figures->units += tally->count;
    if (!batch)
        return true;
    batch->states[tally->state] += tally->count;
    batch->units += tally->count;
    if (tally->state >= UNIT_ISSUED)
        batch->passed += tally->count;
    return true;
}

static enum devid_err choose_running(struct maker *maker, struct ledger *ledger,
                                     struct devid_error *err)
{
    struct figures *figures = maker->figures;
    char name[LEDGER_TEXT_SIZE];
    enum devid_err code = ledger_newest_batch(ledger, name, err);
    const struct figure_batch *newest;

    if (code != DEVID_OK)
        return code;
    newest = find_batch(maker, name);
    if (newest && !newest->batch.closed)
        figures->running = newest;
    for (size_t i = figures->batch_count; !figures->running && i > 0; i--) {
        if (!figures->batches[i - 1].batch.closed)
            figures->running = &figures->batches[i - 1];
    }
    return DEVID_OK;
}

/* ---- rate and times ---------------------------------------------------- */

static bool add_pace(void *arg, const struct ledger_pace *pace)
{
    struct maker *maker = arg;
    struct figures *figures = maker->figures;
    int64_t took = pace->ended_ms - pace->enrolled_ms;
    int64_t ago = (figures->made_ms - pace->ended_ms) / MINUTE_MS;
    int class = 0;

    if (pace->ended_ms == 0 || took < 0)
        return true;
    if (ago >= 0 && ago < FIGURE_MINUTES)
        figures->minutes[FIGURE_MINUTES - 1 - ago]++;
    while (class + 1 < FIGURE_TIMES &&
           took > (int64_t)figure_seconds[class] * 1000)
        class ++;
    figures->times[class]++;
    figures->timed++;
    maker->durations[maker->duration_count++] = took;
    return true;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static enum devid_err measure(struct maker *maker, struct ledger *ledger,
                              struct devid_error *err)
{
    struct figures *figures = maker->figures;
    const struct ledger_pace_query query = {
        .batch = figures->running->batch.name,
        .since_ms = figures->made_ms - (int64_t)FIGURE_MINUTES * MINUTE_MS,
        .limit = FIGURE_RECENT,
    };
    enum devid_err code = ledger_paces(ledger, &query, add_pace, maker, err);
    unsigned recent = 0;

    if (code != DEVID_OK)
        return code;
    for (int i = FIGURE_MINUTES - RATE_MINUTES; i < FIGURE_MINUTES; i++)
        recent += figures->minutes[i];
    figures->per_minute = (double)recent / RATE_MINUTES;
    if (maker->duration_count == 0)
        return DEVID_OK;
    qsort(maker->durations, maker->duration_count, sizeof(int64_t), compare);
    figures->median_ms = maker->durations[maker->duration_count / 2];
    figures->slow_ms = maker->durations[maker->duration_count * 95 / 100];
    return DEVID_OK;
}

/* ---- renewals ---------------------------------------------------------- */

static bool add_due(void *arg, const struct ledger_due *due)
{
    struct figures *figures = arg;

    if (due->day == DUE_PENDING)
        figures->pending = due->count;
    else if (due->day == DUE_EXPIRED)
        figures->expired = due->count;
    else
        figures->in_force += due->count;
    if (due->day == DUE_LATE)
        figures->late = due->count;
    if (due->day >= 0 && due->day < FIGURE_DAYS)
        figures->days[due->day] = (unsigned)due->count;
    return true;
}

/* ---- the whole --------------------------------------------------------- */

static enum devid_err make(struct maker *maker, struct ledger *ledger,
                           struct devid_error *err)
{
    struct figures *figures = maker->figures;
    enum devid_err code = ledger_batches(ledger, add_batch, maker, err);

    if (code == DEVID_OK)
        code = ledger_tallies(ledger, add_tally, maker, err);
    if (code == DEVID_OK)
        code = choose_running(maker, ledger, err);
    if (code == DEVID_OK && figures->running)
        code = measure(maker, ledger, err);
    if (code == DEVID_OK && figures->running)
        code = ledger_stumbled(ledger, figures->running->batch.name,
                               &figures->stumbled, err);
    if (code == DEVID_OK)
        code = ledger_renewals(ledger, figures->made_ms, add_due, figures, err);
    return code;
}

struct figures *figures_make(struct ledger *ledger, struct devid_error *err)
{
    struct maker maker = {
        .figures = calloc(1, sizeof(*maker.figures)),
        .durations = calloc(FIGURE_RECENT, sizeof(*maker.durations)),
    };
    enum devid_err code = DEVID_ERR_SYSTEM;

    snprintf(err->text, sizeof(err->text), "out of memory");
    if (maker.figures && maker.durations) {
        atomic_init(&maker.figures->refs, 1);
        maker.figures->made_ms = now_ms();
        code = make(&maker, ledger, err);
    }
    free(maker.durations);
    if (code == DEVID_OK && !maker.no_memory)
        return maker.figures;
    figures_free(maker.figures);
    return NULL;
}

void figures_free(const struct figures *figures)
{
    struct figures *own = (struct figures *)(uintptr_t)figures;

    if (!own || atomic_fetch_sub(&own->refs, 1) != 1)
        return;
    free(own->batches);
    free(own);
}
