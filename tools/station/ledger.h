/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: a row for every unit that the station has certified, or is about
 * to, the batches that they belong to, the LDevIDs that they were given later,
 * and the audit log of what was done and refused. In SQLite, or in PostgreSQL
 * for several stations on one ledger.
 *
 * What is written goes through one queue, whose thread commits all that waits
 * there at once; a job is done only when it is committed. Any thread may
 * submit, and any thread may read; a read sees what was committed before it.
 *
 * The audit log is append-only and hash-chained, a chain a station: each entry
 * holds the hash of the one before it, the head is signed by the station's key.
 *
 * What the log promises. A job that was answered has its entry in the chain,
 * on disk. The head is signed once a commit, in that commit, by a key that
 * answers at once (LEDGER_SIGN_WAIT_MS). A slow chip stops nothing: it signs
 * the newest head, and again the newest, each signature is kept with the next
 * commit, so that what it covers is at most the time of two signatures old.
 * What is changed, inserted or taken away is found: anywhere by the hashes, at
 * the tail by the signed head, but for those newest entries (`unsealed` in
 * ledger_verdict; none once the ledger was closed in order). A whole database
 * put back to an older state is consistent in itself: only who kept a later
 * head finds that.
 */
#ifndef DEVID_STATION_LEDGER_H
#define DEVID_STATION_LEDGER_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger_rows.h"

/* ---- jobs -------------------------------------------------------------- */

enum ledger_op {
    LEDGER_ENROL,      /* a new row, or the one that is there: see ledger_job */
    LEDGER_ISSUE,      /* its certificates, once */
    LEDGER_ADVANCE,    /* its state; with an escrow where `unit` has one */
    LEDGER_RETIRE,     /* its state; all of its certificates are revoked */
    LEDGER_ASK_LDEVID, /* for a person to look at */
    LEDGER_ISSUE_LDEVID, /* its certificate, once for each key and renewal */
    LEDGER_APPROVE_LDEVID,
    LEDGER_REFUSE_LDEVID,
    LEDGER_REVOKE_LDEVID,
    LEDGER_REFUSE, /* nothing but an audit entry */
    LEDGER_OPEN_BATCH,
    LEDGER_CLOSE_BATCH,
};

enum ledger_outcome {
    LEDGER_DONE,
    LEDGER_AGAIN,     /* it was so already: `unit` is what the ledger has */
    LEDGER_DUPLICATE, /* of `column`; `unit` is the row that it collides with */
    LEDGER_NO_BATCH,  /* there is none such, or it is closed */
    LEDGER_QUOTA,     /* the batch is used up */
    LEDGER_STATE,     /* the unit is not where this could follow */
    LEDGER_NOT_FOUND,
    LEDGER_FAILED, /* the database; nothing of the job was kept */
};

/*
 * One change and its audit entry, in one transaction. The caller owns it, and
 * leaves it alone between submit and done.
 *
 * ENROL    unit: all but id, state's times and certificates; batch by name. A
 *          row of the same serial, EK, IAK and IDevID is that unit: AGAIN. A
 *          challenge of it that is open stays, so that who repeats a request
 *          takes it from nobody, and its time begins anew; one that is late is
 *          replaced. Nothing else changes, the quota is left alone.
 *          A retired row is enrolled anew where `new_owner`: one generation
 *          more. Serial, EK digest, IAK and IDevID Name and MAC are unique.
 * ISSUE    unit.id, iak_cert, idevid_cert: where the row has certificates
 *          already those stay, and come back: AGAIN. A certificate's serial
 *          number that the ledger has already is refused: DUPLICATE, "number".
 *          A unit with a TPM that is not activated: STATE.
 * ADVANCE  unit.id, state, escrow: only forward, beyond `issued` only what is
 *          issued; where it is there already: AGAIN, a new escrow is kept, and
 *          the one before it elsewhere: see ledger_former_escrows. Only
 *          a locked unit, whose TPM was cleared, may be tested again.
 * RETIRE   unit.id; reason: RFC 5280's number, 0: unspecified.
 *          Of these three, where unit.generation is not 0 and the row has
 *          another since, for a new owner: STATE.
 * ASK_LDEVID    ldevid: unit, label, key_digest, subject, request; of a later
 *          one renews and renewal. Where the newest row of that key has not
 *          the number that this one renews, that row comes back: AGAIN, however
 *          far it has come. A key that another unit, or another label, has:
 *          DUPLICATE, "key" or "label". A retired unit, a revoked key: STATE.
 * ISSUE_LDEVID  the same, and number, cert and its dates: into a new row, or
 *          into the one that was approved. What is pending or refused: STATE.
 * APPROVE_LDEVID, REFUSE_LDEVID  ldevid.id; what is issued: STATE.
 * REVOKE_LDEVID  ldevid.number; reason. Its unit's other certificates stay.
 * REFUSE   unit.serial, detail.
 * OPEN_BATCH  batch: name, product, token_digest, quota. CLOSE_BATCH: its name.
 *
 * Whatever the outcome but FAILED, an entry is in the log: a refused job's
 * says why.
 */
struct ledger_job {
    enum ledger_op op;
    struct ledger_unit unit; /* in and out; so the next two */
    struct ledger_ldevid ldevid;
    struct ledger_batch batch;
    bool new_owner;
    int reason;
    /* ISSUE: serial numbers of the IDevID's and the IAK's certificate,
     * borrowed; empty: looked for in the certificates */
    struct devid_bytes numbers[2];
    const char *peer; /* whence it came, for the log: an address; or NULL */
    /* why, for the log, in one sentence; or NULL. An ISSUE's is what serial
     * numbers its certificates have. */
    const char *detail;
    enum ledger_outcome outcome;
    char column[16];          /* of DUPLICATE: "serial" */
    struct devid_error error; /* the outcome as a sentence, but for DONE */
    void (*done)(struct ledger_job *job); /* in the ledger's thread */
    void *arg;                            /* the caller's */
    struct ledger_job *next;              /* the ledger's */
};

struct ledger;

struct ledger_spec {
    const char *url;     /* "postgresql://...", or a file of SQLite's */
    const char *station; /* whose chain is written: a name */
    EVP_PKEY *key;       /* signs its head, any provider; NULL: read only */
    bool create;         /* make the tables where there are none */
    unsigned queue_max;  /* jobs that may wait; 0: 4096 */
    unsigned lease;      /* of a quota at a time; 0: 64 */
};

/*
 * Open a ledger. Its tables' version is checked: an older program does not
 * write to a newer ledger.
 *
 * Returns DEVID_OK; DEVID_ERR_NOT_FOUND (no such file or database), _INPUT
 * (not a ledger, or of another version), _BUSY, _SYSTEM.
 */
DEVID_CHECK enum devid_err ledger_open(const struct ledger_spec *spec,
                                       struct ledger **ledger,
                                       struct devid_error *err);
/* Ends what waits first. NULL-safe; sets NULL. */
void ledger_close(struct ledger **ledger);

/*
 * Put a job into the queue; `done` is called once it is committed, or has
 * failed. False: the queue is full, and nothing was done: answer 503. So it is
 * also where the ledger was opened without a key.
 */
bool ledger_submit(struct ledger *ledger, struct ledger_job *job);
/* Submit and wait; a full queue is waited for. Not from `done`. */
enum ledger_outcome ledger_do(struct ledger *ledger, struct ledger_job *job);

/*
 * Whether the station's key signs the log's heads: DEVID_OK, or why the last
 * signature failed, DEVID_ERR_DEVICE; what was committed since is not sealed.
 */
enum devid_err ledger_signing(struct ledger *ledger, struct devid_error *err);

/* ---- reading ----------------------------------------------------------- */

enum unit_key {
    UNIT_BY_ID,
    UNIT_BY_SERIAL,
    UNIT_BY_EK,
    UNIT_BY_IAK,
    UNIT_BY_IDEVID,
    UNIT_BY_MAC,
};

/* Returns DEVID_OK, DEVID_ERR_NOT_FOUND, _BUSY, _SYSTEM. */
DEVID_CHECK enum devid_err ledger_find(struct ledger *ledger, enum unit_key key,
                                       const char *value,
                                       struct ledger_unit *unit,
                                       struct devid_error *err);

/* By its name, or by its token's digest where `name` is NULL. */
DEVID_CHECK enum devid_err ledger_batch(struct ledger *ledger, const char *name,
                                        const char *token_digest,
                                        struct ledger_batch *batch,
                                        struct devid_error *err);

/*
 * Call `each` with every unit that the filter takes, in the order in which
 * they were enrolled, until it returns false. Nothing of `unit` outlives the
 * call.
 */
struct ledger_filter {
    const char *batch; /* NULL: all; so the next */
    const char *model;
    const enum unit_state *state;
    int64_t since_ms; /* 0: all */
};
DEVID_CHECK enum devid_err
ledger_units(struct ledger *ledger, const struct ledger_filter *filter,
             bool (*each)(void *arg, const struct ledger_unit *unit), void *arg,
             struct devid_error *err);
DEVID_CHECK enum devid_err
ledger_batches(struct ledger *ledger,
               bool (*each)(void *arg, const struct ledger_batch *batch),
               void *arg, struct devid_error *err);

struct ledger_entry {
    const char *station;
    uint64_t seq; /* from 1, without gaps */
    int64_t time_ms;
    const char *event;  /* "enrol", "issue", "refuse", ... */
    const char *serial; /* of the unit; or "" */
    const char *peer;
    const char *detail;
    const char *hash; /* in hex */
};
/* serial: entries of that unit alone; NULL: all, by station and number. */
DEVID_CHECK enum devid_err
ledger_entries(struct ledger *ledger, const char *serial,
               bool (*each)(void *arg, const struct ledger_entry *entry),
               void *arg, struct devid_error *err);

/*
 * What the unit of that id had as its escrow before, the newest first: of its
 * former owners, too. Its row has the present one.
 */
struct ledger_escrow {
    int64_t replaced_ms;
    struct ledger_blob cms; /* borrowed */
};
DEVID_CHECK enum devid_err ledger_former_escrows(
    struct ledger *ledger, const char *unit,
    bool (*each)(void *arg, const struct ledger_escrow *escrow), void *arg,
    struct devid_error *err);

/* ---- LDevIDs ----------------------------------------------------------- */

enum ldevid_key {
    LDEVID_BY_ID,
    LDEVID_BY_NUMBER,
    LDEVID_BY_KEY, /* the newest row of that key_digest, in any state */
};

/* Returns DEVID_OK, DEVID_ERR_NOT_FOUND, _BUSY, _SYSTEM. */
DEVID_CHECK enum devid_err ledger_find_ldevid(struct ledger *ledger,
                                              enum ldevid_key key,
                                              const char *value,
                                              struct ledger_ldevid *ldevid,
                                              struct devid_error *err);
/* The newest that was issued to a unit under a label. */
DEVID_CHECK enum devid_err
ledger_newest_ldevid(struct ledger *ledger, const char *unit, const char *label,
                     struct ledger_ldevid *ldevid, struct devid_error *err);

/*
 * A page of LDevIDs. The next one begins behind the last row of the one
 * before: behind its time and its id, whatever was added or has gone since.
 */
enum ldevid_list {
    LDEVIDS_OF_UNIT, /* all of `unit`, the newest first */
    LDEVIDS_PENDING, /* by asked_ms */
    /* By not_after_ms, from from_ms until before it is before_ms: those in
     * force that are to be renewed by then, or that were not and are over.
     * None that a later one has followed, that is revoked, or whose unit is
     * retired. */
    LDEVIDS_ENDING,
};
struct ldevid_query {
    enum ldevid_list list;
    const char *unit;
    int64_t from_ms;
    int64_t before_ms;
    int64_t after_ms;     /* asked_ms or not_after_ms of the last row; or 0 */
    const char *after_id; /* its id; NULL: from the beginning */
    unsigned limit;       /* rows; 0: 100 */
};
DEVID_CHECK enum devid_err
ledger_ldevids(struct ledger *ledger, const struct ldevid_query *query,
               bool (*each)(void *arg, const struct ledger_ldevid *ldevid),
               void *arg, struct devid_error *err);

/* What a list of revoked certificates has of one, and of one that is none. */
struct ledger_certificate {
    char unit[LEDGER_ID_SIZE];
    int reason;
    int64_t revoked_ms; /* 0: it is not */
};
/* By its number in hex. Returns DEVID_OK, DEVID_ERR_NOT_FOUND, _BUSY, _SYSTEM.
 */
DEVID_CHECK enum devid_err
ledger_find_certificate(struct ledger *ledger, const char *number,
                        struct ledger_certificate *certificate,
                        struct devid_error *err);

/* A number that changes when something was revoked; cheap to ask for. */
DEVID_CHECK enum devid_err ledger_revocations(struct ledger *ledger,
                                              uint64_t *mark,
                                              struct devid_error *err);

/*
 * The certificates that are revoked, without those that expired before
 * `expired_ms`, for a list of them:
 * those of retired units, of the owners before the present one, and LDevIDs
 * that were revoked by themselves.
 */
struct ledger_revoked {
    const char *number; /* the certificate's, in hex */
    const char *unit;   /* the unit's id */
    int reason;         /* RFC 5280's number */
    int64_t revoked_ms;
};
DEVID_CHECK enum devid_err
ledger_revoked(struct ledger *ledger, int64_t expired_ms,
               bool (*each)(void *arg, const struct ledger_revoked *revoked),
               void *arg, struct devid_error *err);

/* Where each chain ends; who keeps that elsewhere can tell later whether the
 * whole was put back to an older state. */
struct ledger_head {
    const char *station;
    uint64_t seq;
    const char *hash; /* of that entry, in hex */
};
DEVID_CHECK enum devid_err
ledger_heads(struct ledger *ledger,
             bool (*each)(void *arg, const struct ledger_head *head), void *arg,
             struct devid_error *err);

struct ledger_verdict {
    uint64_t entries;  /* that were read */
    uint64_t unsealed; /* of them, behind the signed heads */
    unsigned chains;
    char station[LEDGER_TEXT_SIZE]; /* of the first fault */
    uint64_t seq;
};

/*
 * Go through every chain: hashes, numbers without gaps, heads and their
 * signatures; whether the row of each unit, batch and LDevID is what its last
 * entry says, and that of each certificate what was issued and revoked; and
 * whether more is left of a batch than its units leave of its quota.
 *
 * key  gives the public key of a station by its name, for the ledger to free;
 *      NULL: not known, which is a fault
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (the log was changed: the sentence says
 * what and where), _SYSTEM.
 */
DEVID_CHECK enum devid_err
ledger_verify(struct ledger *ledger,
              EVP_PKEY *(*key)(void *arg, const char *station), void *arg,
              struct ledger_verdict *verdict, struct devid_error *err);

#endif
