/* SPDX-License-Identifier: Apache-2.0 */
/* LDevIDs for the ledger's tests. */
#ifndef DEVID_TEST_LEDGER_LDEVID_SUPPORT_H
#define DEVID_TEST_LEDGER_LDEVID_SUPPORT_H

#include "ledger_support.h"

/* A unit that has its IDevID: three entries with the batch's. */
void make_unit(struct fixture *fixture, int number, struct ledger_unit *unit);

/* An LDevID of the unit, by the key of that number. */
void fill_ldevid(struct ledger_ldevid *ldevid, const struct ledger_unit *unit,
                 int key);
/* Ask for one by the key of that number. */
enum ledger_outcome ask_ldevid(struct ledger *ledger,
                               const struct ledger_unit *unit, int key,
                               struct ledger_job *job);
/* Issue one by that key, with that number; the job has when it is over, and
 * which it renews. */
enum ledger_outcome issue_ldevid(struct ledger *ledger,
                                 const struct ledger_unit *unit, int key,
                                 const char *number, struct ledger_job *job);
/* Approve, refuse or revoke one. */
enum ledger_outcome decide_ldevid(struct ledger *ledger, enum ledger_op op,
                                  const struct ledger_ldevid *ldevid,
                                  struct ledger_job *job);
/* What any of these left in the job. */
void drop_ldevid(struct ledger_job *job);

/* The numbers of all revoked certificates, a space behind each. */
void expect_revoked(struct fixture *fixture, const char *numbers);

#endif
