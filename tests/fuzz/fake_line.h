/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A station in memory, with a CA that everybody has the key of, and one unit of
 * its line. It has no TCP: exchanges are driven as its offline commands do.
 */
#ifndef DEVID_FUZZ_FAKE_LINE_H
#define DEVID_FUZZ_FAKE_LINE_H

#include "exchange.h"
#include "fleet.h"

#define LINE_TOKEN "token"   /* of the batch B1, whose product is M1 */
#define LINE_SERIAL "SN1"    /* the unit's */
#define LINE_USER "u:secret" /* one of [est]'s users */

struct fake_line {
    struct context context;
    struct fleet *fleet;
    X509 *operator_cert;
    struct ledger_unit unit;
    struct ledger_ldevid ldevid;  /* of the unit, under [est] */
    char pending[LEDGER_ID_SIZE]; /* of another, under [est.manual] */
};

/* The line as it was on its first day; what was done on it before is gone. */
struct fake_line *fake_line_begin(void);

#endif
