/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_BENCH_LEDGER_LOAD_H
#define DEVID_BENCH_LEDGER_LOAD_H

#define LEDGER_LOAD_CERT_LEN 1024 /* any certificate, and the bare row */

_Noreturn void die(const char *why);

/* So many units, as a line has left them, into a ledger that has its tables. */
void fill_rows(const char *url, long rows);
/* The loop that ledger_load.c's head tells of. */
void bare(const char *url, double seconds);

#endif
