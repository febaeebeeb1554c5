/* SPDX-License-Identifier: Apache-2.0 */
/* What both files that verify a ledger have in common. */
#ifndef DEVID_STATION_LEDGER_VERIFY_H
#define DEVID_STATION_LEDGER_VERIFY_H

#include "ledger_store.h"

struct check;

/* Ends it with a sentence; false: for `return check_fault(...)` of a function
 * that reads on else. */
bool check_fault(struct check *check, const char *station, int64_t seq,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What a row of STMT_CHECK_CERTIFICATES, and of STMT_CHECK_ISSUED, says. */
bool check_certificate(void *check, const struct ledger_row *row);
bool found_issued(void *check, const struct ledger_row *row);

#endif
