/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the station's pages read of the ledger: lists by pages, and figures of
 * the whole. A page costs as much as it has rows, whatever stands before it;
 * figures go through all rows, and are for who keeps them.
 */
#ifndef DEVID_STATION_LEDGER_PAGES_H
#define DEVID_STATION_LEDGER_PAGES_H

#include "ledger.h"

/*
 * A page of units by serial number, those of a state in all batches by batch
 * and serial number, in the order of bytes. The next one begins behind the last
 * row of the one before, whatever was added or has gone since.
 */
struct ledger_unit_page {
    const char *prefix;           /* of the serial; "": all */
    const char *after;            /* the serial of the last row; "": begin */
    const char *after_batch;      /* and its batch */
    const char *batch;            /* "": all */
    const enum unit_state *state; /* NULL: all */
    unsigned limit;               /* rows */
};
DEVID_CHECK enum devid_err
ledger_unit_page(struct ledger *ledger, const struct ledger_unit_page *page,
                 bool (*each)(void *arg, const struct ledger_unit *unit),
                 void *arg, struct devid_error *err);

/* How many units of a batch are in a state. */
struct ledger_tally {
    const char *batch;
    enum unit_state state;
    uint64_t count;
};
DEVID_CHECK enum devid_err
ledger_tallies(struct ledger *ledger,
               bool (*each)(void *arg, const struct ledger_tally *tally),
               void *arg, struct devid_error *err);

/* When a unit of a batch came to the station, and when it last went on; those
 * that came since a moment, the newest first, so many at most. */
struct ledger_pace {
    int64_t enrolled_ms;
    int64_t ended_ms; /* 0: it has no certificates yet */
};
struct ledger_pace_query {
    const char *batch;
    int64_t since_ms;
    unsigned limit;
};
DEVID_CHECK enum devid_err
ledger_paces(struct ledger *ledger, const struct ledger_pace_query *query,
             bool (*each)(void *arg, const struct ledger_pace *pace), void *arg,
             struct devid_error *err);

/* How many units of a batch have certificates, although something was refused
 * of them. */
DEVID_CHECK enum devid_err ledger_stumbled(struct ledger *ledger,
                                           const char *batch, uint64_t *count,
                                           struct devid_error *err);

/* The batch of the unit that was enrolled last; "" where there is none. */
DEVID_CHECK enum devid_err ledger_newest_batch(struct ledger *ledger,
                                               char batch[LEDGER_TEXT_SIZE],
                                               struct devid_error *err);

/*
 * LDevIDs in force by when they are to be renewed, which is at two thirds of
 * their lifetime: so many days from now.
 */
enum {
    DUE_PENDING = -3, /* none yet: requests that wait for a person */
    DUE_EXPIRED = -2, /* over, within the last DUE_EXPIRED_DAYS */
    DUE_LATE = -1,    /* to have been renewed before now, and still valid */
    DUE_EXPIRED_DAYS = 30,
};
struct ledger_due {
    int64_t day; /* or one of those */
    uint64_t count;
};
DEVID_CHECK enum devid_err
ledger_renewals(struct ledger *ledger, int64_t now_ms,
                bool (*each)(void *arg, const struct ledger_due *due),
                void *arg, struct devid_error *err);

#endif
