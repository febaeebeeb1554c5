/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands that work on the ledger alone have in common: they run
 * beside the station's server, or without it.
 */
#ifndef DEVID_STATION_DESK_H
#define DEVID_STATION_DESK_H

#include "config.h"
#include "ledger.h"

struct desk {
    struct config config;
    EVP_PKEY *key; /* signs the audit log; NULL where it is only read */
    struct ledger *ledger;
    char who[LEDGER_TEXT_SIZE]; /* "root here": the peer of its jobs */
};

/*
 * Open the ledger of the station in the folder that --dir names; to write
 * also where there is none yet. Prints the sentence on failure; closed either
 * way.
 */
enum exit_code desk_open(const struct args *args, bool write,
                         struct desk *desk);
void desk_close(struct desk *desk);

/* The unit of that serial number. Prints the sentence on failure. */
enum exit_code desk_find(const struct desk *desk, const char *serial,
                         struct ledger_unit *unit);

#define DESK_TIME_SIZE 24
/* "2026-11-22T08:00:00Z"; "" for 0. */
const char *desk_time(int64_t ms, char text[DESK_TIME_SIZE]);

/* The filter that --batch, --model, --state and --since make: rows in this
 * order, from `first` on. Prints the sentence on failure. */
#define DESK_FILTER_ROWS(first)                                                \
    [(first)] = {"batch", "NAME", "only units of this batch", false, false},   \
    [(first) + 1] = {"model", "NAME", "only units of this model", false,       \
                     false},                                                   \
    [(first) + 2] = {"state", "STATE",                                         \
                     "only units in this state, such as issued", false,        \
                     false},                                                   \
    [(first) + 3] = {"since", "DATE",                                          \
                     "only units enrolled from this day (UTC) on, such as "    \
                     "2026-11-22",                                             \
                     false, false}
struct desk_filter {
    struct ledger_filter filter;
    enum unit_state state;
};
enum exit_code desk_filter(const struct args *args, int first,
                           struct desk_filter *filter);

/* A DER certificate's fingerprint and serial number, in hex; "" for none. */
struct desk_cert {
    char sha256[65];
    char number[65];
};
void desk_cert(const struct ledger_blob *der, struct desk_cert *cert);

#endif
