/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of the whole ledger, which go through all of its rows: made by a
 * thread of their own, where somebody asks, and kept for a moment, so that a
 * page does not wait for them.
 */
#ifndef DEVID_STATION_FIGURES_H
#define DEVID_STATION_FIGURES_H

#include <stdatomic.h>

#include "ledger_pages.h"

enum {
    FIGURE_STATES = UNIT_RETIRED + 1,
    FIGURE_MINUTES = 60,
    FIGURE_TIMES = 12,    /* classes of provisioning time */
    FIGURE_RECENT = 4096, /* units at most that rate and times are made of */
    FIGURE_DAYS = 30
};

/* Of these seconds; the last class has no end. */
extern const unsigned figure_seconds[FIGURE_TIMES];

struct figure_batch {
    struct ledger_batch batch;
    uint64_t states[FIGURE_STATES];
    uint64_t units;  /* that began */
    uint64_t passed; /* of them, those that have certificates */
};

struct figures {
    atomic_uint refs;
    int64_t made_ms;
    uint64_t states[FIGURE_STATES];
    uint64_t units;
    size_t batch_count;
    struct figure_batch *batches; /* the newest last */
    /* Of the running batch: an open one, of the last unit, else the newest. */
    const struct figure_batch *running; /* NULL: none */
    uint64_t stumbled;                  /* passed, with something refused */
    unsigned minutes[FIGURE_MINUTES];   /* units that ended; the last is the one
                                         * before now */
    double per_minute;                  /* of the last ten */
    unsigned times[FIGURE_TIMES];       /* units by provisioning time */
    unsigned timed;                     /* those above in total */
    int64_t median_ms;
    int64_t slow_ms; /* which one in twenty exceeds */
    /* LDevIDs, as struct ledger_due has them. */
    unsigned days[FIGURE_DAYS]; /* to be renewed on that day from now */
    uint64_t in_force;          /* not expired */
    uint64_t late;
    uint64_t expired;
    uint64_t pending;
};

/* Go through the ledger. NULL with the sentence on failure. */
struct figures *figures_make(struct ledger *ledger, struct devid_error *err);
void figures_free(const struct figures *figures);

struct figure_keeper;

/* NULL: no thread, or no memory. */
struct figure_keeper *figures_open(struct ledger *ledger);
void figures_close(struct figure_keeper **keeper);
/*
 * What was made last, for figures_free; where that is older than a few seconds
 * the next are begun, where there are none or only old ones they are waited
 * for. NULL with the sentence where they cannot be made.
 */
const struct figures *figures_get(struct figure_keeper *keeper,
                                  struct devid_error *err);
/* What is kept is over: the next to ask waits. */
void figures_changed(struct figure_keeper *keeper);

#endif
