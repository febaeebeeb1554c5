/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units and batches as rows of a database, and back.
 */
#ifndef DEVID_STATION_LEDGER_UNIT_H
#define DEVID_STATION_LEDGER_UNIT_H

#include "ledger_store.h"

/* The columns of a unit, in the order in which rows and values have them. */
#define UNIT_SEALED_COLUMNS                                                    \
    "id, serial, model, mac, batch, operator_name, station, ek_digest, "       \
    "iak_name, idevid_name, state, attested, generation, enrolled_ms, "        \
    "changed_ms, challenge_digest, challenge_expires_ms, ek_cert, iak_cert, "  \
    "idevid_cert, escrow, keys, hw_serial, reason, revision"
#define UNIT_COLUMNS UNIT_SEALED_COLUMNS ", challenge"
enum {
    UNIT_SEALED = 25, /* those that the row's entry vouches for; a challenge is
                         proven by what answers it */
    UNIT_VALUES
};
/* A row is read with the digest, station and number of its last entry. */
_Static_assert(UNIT_VALUES + 3 <= LEDGER_VALUES_MAX, "rows are cut off");

/* The values borrow from the unit. */
void unit_to_values(const struct ledger_unit *unit,
                    struct ledger_value values[UNIT_VALUES]);
/* Those of them that STMT_STEP_UNIT takes. */
enum {
    UNIT_STEP_VALUES = 11
};
void unit_step_values(const struct ledger_value values[UNIT_VALUES],
                      struct ledger_value step[UNIT_STEP_VALUES]);
/* False: out of memory. The caller clears the unit. */
bool unit_from_row(const struct ledger_row *row, struct ledger_unit *unit);
/* A copy with bytes of its own. False: out of memory. */
bool unit_copy(const struct ledger_unit *from, struct ledger_unit *to);

/* The first six columns of a batch that its entries vouch for. */
enum {
    BATCH_VALUES = 6
};
void batch_to_values(const struct ledger_batch *batch,
                     struct ledger_value values[BATCH_VALUES]);
/* A row of STMT_BATCH_BY_NAME and its like. */
void batch_from_row(const struct ledger_row *row, struct ledger_batch *batch);

/* Sixteen bytes in hex that begin with the time and a count, so that those of a
 * process lie in the order in which they were made; eight of them nobody can
 * guess. */
bool unit_new_id(int64_t now_ms, char id[LEDGER_ID_SIZE]);
/* How ids of a moment begin; ids of later ones are greater. Returns `text`. */
#define UNIT_MOMENT_SIZE 17
const char *unit_id_moment(int64_t ms, char text[UNIT_MOMENT_SIZE]);

#define CERT_NUMBER_SIZE 65
/* A certificate's serial number in hex: as its bytes, or out of it; "" where
 * it is none. */
void cert_number_text(const uint8_t *bytes, size_t len,
                      char number[CERT_NUMBER_SIZE]);
void cert_number(const struct ledger_blob *der, char number[CERT_NUMBER_SIZE]);

#endif
