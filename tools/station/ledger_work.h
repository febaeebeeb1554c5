/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job on its way through the database: a chain of statements, each of which
 * says which is the next. Jobs of one transaction take these steps together:
 * the first statements of all are sent at once, then the second ones.
 */
#ifndef DEVID_STATION_LEDGER_WORK_H
#define DEVID_STATION_LEDGER_WORK_H

#include "ledger_chain.h"
#include "ledger_ldevid.h"
#include "ledger_unit.h"

/* What the jobs of one transaction may enrol into a batch. */
struct allotment {
    const char *batch; /* borrowed from a job */
    bool known;
    bool closed;
    int64_t wanted;
    int64_t left;
};

struct work {
    struct ledger_job *job;
    const char *station;         /* borrowed */
    struct allotment *allotment; /* of an ENROL */
    int64_t now_ms;

    /* The next statement, and what is to be done with its row; NULL: none. */
    enum devid_err (*send)(struct work *work, struct ledger_db *db,
                           struct devid_error *err);
    enum devid_err (*take)(struct work *work, const struct ledger_row *row,
                           struct devid_error *err);

    struct ledger_unit unit; /* as it was found, then as it is to be */
    struct ledger_ldevid
        ldevid; /* likewise; then `unit` is what of it counts */
    struct ledger_batch batch;
    enum unit_key key; /* by which it is being looked for */
    bool renewing;     /* a retired unit has a new owner */
    int tries;
    char numbers[2][CERT_NUMBER_SIZE]; /* of certificates, to be recorded */
    int certificate;                   /* which of them is next */

    /* What came of it. */
    enum ledger_outcome outcome;
    char column[16];
    struct devid_error error;
    bool changed; /* the row, whose digest this is */
    char row_digest[CHAIN_HASH_SIZE];
};

/* Begin a job anew, with nothing done. */
void work_begin(struct work *work);
void work_clear(struct work *work);
/* Where it has come to: for the next statement, or for good. */
void work_next(struct work *work,
               enum devid_err (*send)(struct work *work, struct ledger_db *db,
                                      struct devid_error *err),
               enum devid_err (*take)(struct work *work,
                                      const struct ledger_row *row,
                                      struct devid_error *err));
/* Ends it; the sentence is empty where all is well. */
enum devid_err work_end(struct work *work, enum ledger_outcome outcome,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Nothing can be done: the transaction is rolled back. */
enum devid_err work_changed_meanwhile(struct devid_error *err);

/* The first step of each kind of job, by enum ledger_op. */
void enrol_begin(struct work *work);
void unit_begin(struct work *work);   /* ISSUE, ADVANCE, RETIRE */
void ldevid_begin(struct work *work); /* all that are about LDevIDs */
void open_batch_begin(struct work *work);
void close_batch_begin(struct work *work);

/* ---- steps that several jobs take -------------------------------------- */

/* Send STMT_UNIT_BY_...: work->key of the job's unit. */
enum devid_err send_find(struct work *work, struct ledger_db *db,
                         struct devid_error *err);
/* Then: set the row of work->unit to what that says, and end with the outcome
 * that work has; take_set is its last step. */
void work_set_unit(struct work *work);
enum devid_err take_set(struct work *work, const struct ledger_row *row,
                        struct devid_error *err);

/* ---- a job's entry ----------------------------------------------------- */

#define ENTRY_DETAIL_SIZE 1024
#define ENTRY_SUBJECT_SIZE (LEDGER_TEXT_SIZE + 8)

/* The texts that an entry's values borrow. */
struct entry_texts {
    char subject[ENTRY_SUBJECT_SIZE];
    char serial[LEDGER_TEXT_SIZE];
    char peer[LEDGER_TEXT_SIZE];
    char detail[ENTRY_DETAIL_SIZE];
    char hash[CHAIN_HASH_SIZE];
};
/* All values but the hash. */
void work_entry(const struct work *work, int64_t seq, struct entry_texts *texts,
                struct ledger_value values[ENTRY_VALUES]);

/* Hand the outcome to the job, which is committed; does not call `done`. */
void work_hand_over(struct work *work);

#endif
