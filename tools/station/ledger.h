/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: a row for every unit that the station has certified, or is about
 * to, the batches that they belong to, and the audit log of what was done and
 * refused. In SQLite, or in PostgreSQL for several stations on one ledger.
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

#include "attest.h"

#define LEDGER_TEXT_SIZE 128 /* of a name, serial, model, with its NUL */
#define LEDGER_NAME_SIZE 133 /* of a TPM Name in hex */
#define LEDGER_ID_SIZE 33 /* of what numbers a unit: 16 random bytes in hex */

/* How far a unit has come; kept as these words, "ek-verified". */
enum unit_state {
    UNIT_SEEN,        /* a request without a TPM's proofs (PKCS#10) */
    UNIT_EK_VERIFIED, /* its EK alone (a request without IAK proof) */
    UNIT_CERTIFIED,   /* all that a request can show holds */
    UNIT_ACTIVATED,   /* its TPM answered the challenge */
    UNIT_ISSUED,      /* certificates are made and recorded */
    UNIT_INSTALLED,   /* the device has them in its NV or on disk */
    UNIT_TESTED,      /* a handshake under the new identity succeeded */
    UNIT_LOCKED,      /* its authorisations are escrowed and set */
    UNIT_RETIRED,     /* decommissioned or revoked */
};
const char *unit_state_name(enum unit_state state);
bool unit_state_parse(const char *name, enum unit_state *state);

/* Bytes of its own; `data` by OPENSSL_malloc, NULL: none. */
struct ledger_blob {
    uint8_t *data;
    size_t len;
};

struct ledger_unit {
    char id[LEDGER_ID_SIZE]; /* the ledger's, made by it */
    char serial[LEDGER_TEXT_SIZE];
    char model[LEDGER_TEXT_SIZE];
    char mac[LEDGER_TEXT_SIZE];   /* "" where the device named none */
    char batch[LEDGER_TEXT_SIZE]; /* its name */
    char operator_name[LEDGER_TEXT_SIZE];
    char station[LEDGER_TEXT_SIZE];       /* that enrolled it */
    char ek_digest[DEVID_EK_DIGEST_SIZE]; /* "" without a TPM */
    char iak_name[LEDGER_NAME_SIZE];      /* "" without a TPM */
    char idevid_name[LEDGER_NAME_SIZE];   /* PKCS#10: sha256 of the SPKI */
    enum unit_state state;
    bool attested;       /* false: "asserted by the operator" */
    unsigned generation; /* 1; one more for each new owner */
    int64_t enrolled_ms; /* since 1970; so the next */
    int64_t changed_ms;
    /* the challenge that is open: sha256 of its secret in hex, "": none */
    char challenge_digest[65];
    int64_t challenge_expires_ms;
    struct ledger_blob ek_cert; /* DER, as all of these; empty: none */
    /* SubjectPublicKeyInfo of the IDevID, and behind it of the IAK */
    struct ledger_blob keys;
    char hw_serial[160]; /* the TPM's in certificates, struct devid_hw_module */
    struct ledger_blob iak_cert;
    struct ledger_blob idevid_cert;
    struct ledger_blob escrow; /* CMS EnvelopedData of the unit's auth values */
    int reason;                /* RFC 5280's number, of a retired one */
    int64_t revision;          /* the ledger's: one more for each change */
};
void ledger_unit_clear(struct ledger_unit *unit);

struct ledger_batch {
    char name[LEDGER_TEXT_SIZE];
    char product[LEDGER_TEXT_SIZE]; /* the model that its units have */
    char token_digest[65];          /* sha256 of the line's token in hex */
    uint64_t quota;                 /* units */
    uint64_t used;                  /* units enrolled; leased ones are not */
    bool closed;
    int64_t opened_ms;
};

/* ---- jobs -------------------------------------------------------------- */

enum ledger_op {
    LEDGER_ENROL,   /* a new row, or the one that is there: see ledger_job */
    LEDGER_ISSUE,   /* its certificates, once */
    LEDGER_ADVANCE, /* its state; with an escrow where `unit` has one */
    LEDGER_RETIRE, /* its state; its certificates go onto the list of revoked */
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
 *          row of the same serial, EK, IAK and IDevID is that unit: its
 *          challenge is replaced, nothing else, the quota is left alone: AGAIN.
 *          A retired row is enrolled anew where `new_owner`: one generation
 *          more. Serial, EK digest, IAK and IDevID Name and MAC are unique.
 * ISSUE    unit.id, iak_cert, idevid_cert: where the row has certificates
 *          already those stay, and come back: AGAIN. A certificate's serial
 *          number that the ledger has already is refused: DUPLICATE, "number".
 * ADVANCE  unit.id, state, escrow: only forward, beyond `issued` only what is
 *          issued; where it is there already: AGAIN, a new escrow is kept.
 * RETIRE   unit.id; reason: RFC 5280's number, 0: unspecified.
 * REFUSE   unit.serial, detail.
 * OPEN_BATCH  batch: name, product, token_digest, quota. CLOSE_BATCH: its name.
 *
 * Whatever the outcome but FAILED, an entry is in the log: a refused job's
 * says why.
 */
struct ledger_job {
    enum ledger_op op;
    struct ledger_unit unit; /* in and out */
    struct ledger_batch batch;
    bool new_owner;
    int reason;
    /* ISSUE: serial numbers of the IDevID's and the IAK's certificate,
     * borrowed; empty: looked for in the certificates */
    struct devid_bytes numbers[2];
    const char *peer;   /* whence it came, for the log: an address; or NULL */
    const char *detail; /* why, for the log, in one sentence; or NULL */
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
 * The certificates that are revoked, for a list of them: those of retired
 * units, and of the owners before the present one.
 */
struct ledger_revoked {
    const char *number; /* the certificate's, in hex */
    const char *unit;   /* the unit's id */
    int reason;         /* RFC 5280's number */
    int64_t revoked_ms;
};
DEVID_CHECK enum devid_err
ledger_revoked(struct ledger *ledger,
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
 * signatures, and whether each unit's row is what its last entry says.
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
