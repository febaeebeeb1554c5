/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep: every operation, with every fault, at every command or call that
 * it makes, in one process on a real device. After each the operation has come
 * to the right result or has said why it did not, the next one succeeds,
 * nothing was left in the device and no memory was lost.
 */
#ifndef DEVID_TESTS_SWEEP_H
#define DEVID_TESTS_SWEEP_H

#include "support.h"

#include <stdbool.h>

/* What a stand does to one command or call. */
struct fault {
    const char *name; /* NULL ends a table */
    unsigned kind;
    unsigned long code;
    bool spoils; /* the answer is wrong, and looks like one */
    bool loses;  /* the device has done it, and the caller cannot know */
    bool denies; /* what the caller names is not there, it says */
};

struct trial;

struct operation {
    const char *name;      /* NULL ends the table */
    const char *algorithm; /* of the key that it uses or makes */
    const char *parent;    /* TPM: as in devid_key_spec */
    bool persist;          /* TPM: at a handle */
    bool decrypt;
    bool auth;    /* TPM: the key has an auth value */
    bool policy;  /* TPM: it signs as a signed policy says */
    bool by_uri;  /* found by its URI, not opened from its file */
    bool managed; /* TPM: behind a resource manager, it is said */
    bool makes;   /* what is there where it succeeds alone */
    bool trusts;  /* nobody can check what the device answers */
    bool tpm;     /* only a TPM has it */
    bool slice;   /* part of what ctest runs */
    /* Once the engine is open, on a device that works; may be NULL. */
    void (*prepare)(struct trial *t);
    enum devid_err (*run)(struct trial *t, struct devid_error *err);
    /* Whether what it came to is right, seen on a device that works. */
    bool (*right)(struct trial *t);
    /* Takes away what it has made, whole or half; may be NULL. */
    void (*undo)(struct trial *t);
    /* Takes away what prepare has made; may be NULL. */
    void (*end)(struct trial *t);
};
extern const struct operation operations[];

struct stand {
    const char *name;                   /* "tpm2" */
    const struct operation *operations; /* behind those that all have */
    const char *device;                 /* URI; NULL: the TPM */
    const char *secret;                 /* stands in no sentence */
    const char *const *words; /* one of which each names; NULL-ended */
    const struct fault *faults;
    void (*configure)(const struct trial *t);
    void (*arm)(const struct trial *t);
    /* How many were struck since; *what: the name of the first. */
    unsigned (*disarm)(const char **what);
    /* In words what is wrong with how it went, or ""; may be NULL. */
    void (*judge)(const struct trial *t, enum devid_err e,
                  const struct devid_error *err, char *text, size_t size);
    /* Can nobody know of what is left by then? May be NULL: of nothing. */
    bool (*excuses)(const struct trial *t);
    /* In words what is left in the device, or ""; takes it away. Asked while
       the engine is open, and again when all is closed. */
    void (*left)(const struct trial *t, bool closed, char *text, size_t size);
};

/* One operation with one fault at one command or call. */
struct trial {
    const struct stand *stand;
    const struct operation *op;
    const struct fault *fault; /* NULL: none */
    unsigned at;               /* from 1 */
    bool lasting;              /* and at all behind it */
    const char *struck;        /* the first that was, or "" */

    struct devid *engine;
    struct devid_key *key; /* own */
    char *pem;             /* own: of a key that was made */
    uint8_t *der;          /* own */
    size_t der_len;
    struct devid_sig sig;
    struct devid_plaintext plain;
    struct devid_shared shared;
    unsigned count;
};

/* What an operation came to is forgotten, but not the key that it opened. */
void trial_forget(struct trial *t);

/* ---- fixture.c: what operations start from, made once ---------------- */

#define FIXTURE_AUTH "correct horse"
/* The number, and on a token the label, of what is made. */
#define FIXTURE_NEW 250u
#define FIXTURE_NEW_LABEL "sweep-250"
#define FIXTURE_CLEAR "in the clear"
#define FIXTURE_PCRS "sha256:0,7"

/* The text of the operation's key file, and the URI of a key that stays. */
const char *fixture_pem(struct trial *t);
const char *fixture_uri(struct trial *t);
/* `number`, up to 255, makes handle and label. */
struct devid_key_spec fixture_spec(const struct trial *t, unsigned number);
/* Of what the operation keeps: below FIXTURE_NEW, another for each. */
unsigned fixture_number(const struct trial *t);
/* The URI of what is kept under that number; `more`: more of its path. */
void fixture_numbered(const struct trial *t, unsigned number, const char *more,
                      char uri[DEVID_URI_SIZE]);
/* The key with a policy for the PCRs of now, signed by the software key. */
enum devid_err fixture_policy(const struct devid_key *key,
                              struct devid_key **with, struct devid_error *err);
/* A digest, and a ciphertext, for a key. */
void fixture_tbs(const struct devid_key *key, struct devid_tbs *tbs);
void fixture_ciphertext(struct trial *t, struct devid_ciphertext *c);
EVP_PKEY *fixture_software_key(void); /* borrowed; ec-p256 */
const uint8_t *fixture_cert(size_t *len);
void fixture_free(void);

/* An error here ends the program: the sweep stands on it. */
void must(enum devid_err e, const struct devid_error *err, const char *what);

/* ---- sweep.c --------------------------------------------------------- */

struct sweep_options {
    bool whole;            /* not the slice alone */
    bool verbose;          /* each sentence */
    const char *operation; /* this alone; or NULL */
    const char *fault;
    /* Of the trials those whose fault, place and manner number part, modulo
       parts: at each place some faults, of each fault some places. */
    unsigned part;
    unsigned parts;     /* 0: all trials */
    const char *report; /* a file that figures are appended to; or NULL */
};

/* Takes the options off a command line; false where one is not known. */
bool sweep_options(int *argc, char ***argv, struct sweep_options *options);
/* Returns main's exit status. */
int sweep_run(const struct stand *stand, const struct sweep_options *options);

#endif
