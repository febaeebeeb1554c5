/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger for a test of its own, in SQLite, or in the PostgreSQL that
 * DEVID_TEST_POSTGRES names: the same tests run on both.
 */
#ifndef DEVID_TEST_LEDGER_SUPPORT_H
#define DEVID_TEST_LEDGER_SUPPORT_H

#include "ledger.h"
#include "support.h"

struct fixture {
    struct ledger *ledger; /* of the station "line-1" */
    EVP_PKEY *key;         /* its key */
    EVP_PKEY *other_key;   /* that of "line-2" */
    char *url;
    char *directory; /* SQLite's; NULL */
    char database[32];
};

/* For cmocka: *state is a fixture, whose ledger is open, with a batch
 * "B1" of a hundred units. */
int set_up(void **state);
int tear_down(void **state);
#define ON_A_LEDGER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* Another ledger on the same tables, for the station of that name. */
struct ledger *open_station(const struct fixture *fixture, const char *station,
                            const struct ledger_spec *more);
/* Close and open that of the fixture. */
void reopen(struct fixture *fixture);

/* Run SQL behind the ledger's back. */
void behind(const struct fixture *fixture, const char *sql);
/* The one number that SQL gives; of PostgreSQL. */
int64_t number_of(const struct fixture *fixture, const char *sql);
/* Its tables as in version 4, or 3; the fixture's ledger is closed. */
void make_version_4(const struct fixture *fixture);
void make_version_3(const struct fixture *fixture);

void open_batch(struct ledger *ledger, const char *name, uint64_t quota);

/* A unit with a name in each place: SN-7, its EK, IAK, IDevID and MAC. */
void fill_unit(struct ledger_unit *unit, int number);
/* Enrol it into B1; the job's unit is the caller's to clear. */
enum ledger_outcome enrol(struct ledger *ledger, int number,
                          struct ledger_job *job);
/* And as if it had answered its challenge. */
enum ledger_outcome enrol_activated(struct ledger *ledger, int number,
                                    struct ledger_job *job);
/* A job about the unit of another job that is done. */
enum ledger_outcome follow(struct ledger *ledger, enum ledger_op op,
                           const struct ledger_unit *unit,
                           struct ledger_job *job);
/* Enrol and issue a unit. */
void make_issued(struct ledger *ledger, int number, struct ledger_job *job);
void clear(struct ledger_job *job);

/* A certificate with that serial number, in DER. */
void make_cert(struct ledger_blob *blob, int number);

/* The keys of both stations by their names, for ledger_verify. */
EVP_PKEY *key_of(void *fixture, const char *station);
/* How many of its entries are not yet signed. */
uint64_t unsealed(struct fixture *fixture, struct ledger *ledger);
/* The log is whole: so many entries. */
void expect_whole(struct fixture *fixture, uint64_t entries);
/* It is not: the sentence has that in it. */
void expect_fault(struct fixture *fixture, const char *fragment);

uint64_t used_of(struct ledger *ledger, const char *batch);

#endif
