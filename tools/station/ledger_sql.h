/* SPDX-License-Identifier: Apache-2.0 */
/* What both files of statements have in common. */
#ifndef DEVID_STATION_LEDGER_SQL_H
#define DEVID_STATION_LEDGER_SQL_H

#include "ledger_store.h"

#define BOTH(text)                                                             \
    {                                                                          \
        text, text                                                             \
    }

/* Those from STMT_CHECKS on. */
const char *ledger_sql_check(enum ledger_dialect dialect,
                             enum ledger_stmt stmt);

#endif
