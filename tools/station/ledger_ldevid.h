/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LDevIDs as rows of a database, and back.
 */
#ifndef DEVID_STATION_LEDGER_LDEVID_H
#define DEVID_STATION_LEDGER_LDEVID_H

#include "ledger_store.h"

/* The columns of an LDevID, in the order in which rows and values have them. */
#define LDEVID_COLUMNS                                                         \
    "id, unit, serial, label, key_digest, subject, state, generation, "        \
    "renewal, number, renews, station, asked_ms, changed_ms, issued_ms, "      \
    "not_before_ms, not_after_ms, revoked_ms, reason, request, certificate, "  \
    "revision"
enum {
    LDEVID_VALUES = 22
};
_Static_assert(LDEVID_VALUES + 3 <= LEDGER_VALUES_MAX, "rows are cut off");

/* The values borrow from the LDevID. */
void ldevid_to_values(const struct ledger_ldevid *ldevid,
                      struct ledger_value values[LDEVID_VALUES]);
/* False: out of memory. The caller clears the LDevID. */
bool ldevid_from_row(const struct ledger_row *row,
                     struct ledger_ldevid *ldevid);
/* A copy with bytes of its own. False: out of memory. */
bool ldevid_copy(const struct ledger_ldevid *from, struct ledger_ldevid *to);

#endif
