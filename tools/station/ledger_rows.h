/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger keeps: units, the LDevIDs that they were given, batches. */
#ifndef DEVID_STATION_LEDGER_ROWS_H
#define DEVID_STATION_LEDGER_ROWS_H

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

/* RFC 5280, 5.3.1: those that fit a device, as the protocol calls them. */
bool revocation_reason(const char *name, int *number);
const char *revocation_reason_name(int number);

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
    /* it as tpm2_makecredential writes it, to be given again; empty: there is
     * none, or the device has its certificates */
    struct ledger_blob challenge;
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

/* How far a request for an LDevID has come; kept as these words. */
enum ldevid_state {
    LDEVID_PENDING,  /* a person is to look at it */
    LDEVID_APPROVED, /* one has: it is issued when the device asks again */
    LDEVID_ISSUED,
    LDEVID_REFUSED,
};
const char *ldevid_state_name(enum ldevid_state state);

#define LEDGER_NUMBER_SIZE 65 /* a certificate's serial number in hex */
#define LEDGER_SUBJECT_SIZE                                                    \
    256 /* a certificate's subject, cut where longer                           \
         */

/* An LDevID: a row for each certificate, from when it was asked for. */
struct ledger_ldevid {
    char id[LEDGER_ID_SIZE];       /* the ledger's, made by it */
    char unit[LEDGER_ID_SIZE];     /* whose it is */
    char serial[LEDGER_TEXT_SIZE]; /* that unit's */
    char label[LEDGER_TEXT_SIZE];  /* which kind of LDevID; "": the default */
    char key_digest[65];           /* sha256 of the SubjectPublicKeyInfo */
    char subject[LEDGER_SUBJECT_SIZE]; /* RFC 2253 */
    enum ldevid_state state;
    unsigned generation;             /* of the unit: for which of its owners */
    unsigned renewal;                /* 0; one more for each that it follows */
    char number[LEDGER_NUMBER_SIZE]; /* "" until it is issued */
    char renews[LEDGER_NUMBER_SIZE]; /* number of the one before; "": none */
    char station[LEDGER_TEXT_SIZE];  /* that was asked, then that issued it */
    int64_t asked_ms;                /* since 1970; so the next */
    int64_t changed_ms;
    int64_t issued_ms; /* 0 until it is issued; so the next two */
    int64_t not_before_ms;
    int64_t not_after_ms;
    int64_t revoked_ms;         /* 0; by itself, not with its unit */
    int reason;                 /* RFC 5280's number, of such a one */
    struct ledger_blob request; /* PKCS#10 in DER */
    struct ledger_blob cert;    /* in DER; empty until it is issued */
    int64_t revision;           /* the ledger's */
};
void ledger_ldevid_clear(struct ledger_ldevid *ldevid);

struct ledger_batch {
    char name[LEDGER_TEXT_SIZE];
    char product[LEDGER_TEXT_SIZE]; /* the model that its units have */
    char token_digest[65];          /* sha256 of the line's token in hex */
    uint64_t quota;                 /* units */
    uint64_t used;                  /* units enrolled; leased ones are not */
    bool closed;
    int64_t opened_ms;
};

#endif
