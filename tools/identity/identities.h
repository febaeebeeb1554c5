/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities that a network's CA gives and that are renewed: what is known of
 * each, in the directory that is their root:
 *
 *   NAME        the folder with key and certificate: a link, see folder.h
 *   NAME.conf   its configuration, for people too: devid.conf(5)
 *   NAME.state  what became of it, in JSON; devid's own
 *   NAME.lock   held by who is at work on it
 *
 * Where a function returns an exit_code it has printed the sentence.
 */
#ifndef DEVID_TOOLS_IDENTITIES_H
#define DEVID_TOOLS_IDENTITIES_H

#include <openssl/x509.h>
#include <stdint.h>

#include "command.h"
#include "devid.h"

#define IDENTITIES_ROOT "/var/lib/devid"

/* Of devid.conf(5); OPENSSL_malloc each, NULL: not there. */
struct identity_conf {
    char *protocol;      /* "est" or "cmp" */
    char *url;           /* "https://ca.example/.well-known/est" */
    char *label;         /* of the CA, or of a profile of it */
    char *ca;            /* PEM file that vouches for the server */
    char *fingerprint;   /* sha256 of a CA's certificate, in hex */
    char *device;        /* "tpm2:" or a token's URI; NULL: "tpm2:" */
    char *algorithm;     /* a name of devid_algorithms(); NULL: ec-p256 */
    char *parent;        /* TPM: as struct devid_key_spec has it */
    char *subject;       /* "/CN=unit-0001" */
    char *san;           /* "DNS:a.local, DNS:a" */
    char *user;          /* HTTP Basic's, or CMP's reference */
    char *secret_source; /* file:PATH or env:NAME: the user's secret */
    char *idevid;        /* folder of the identity that authenticates */
    char *after;         /* command to run after a renewal */
    bool same_key;       /* renew the certificate and keep the key */
};

/* Times are seconds since 1970; 0: never. Texts as in struct identity_conf. */
struct identity_state {
    int64_t last_attempt;
    int64_t last_success;
    char *last_error; /* the sentence; NULL: the last attempt succeeded */
    int64_t next_renewal;
    bool hook_pending; /* `after` is still to be run */
    /* The key of an enrolment that is not done yet. */
    char *pending_label;   /* token: its label there, known before it is made */
    char *pending_key;     /* its file, PEM */
    char *pending_request; /* what the CA was sent, in base64 */
    int64_t retry_at;      /* the CA wants to be asked again then */
    char *retired; /* token: the URI of a key that is to be deleted there */
};

struct identity {
    char *name;
    char *folder; /* ROOT/NAME */
    struct identity_conf conf;
    struct identity_state state;
    int lock; /* descriptor; -1: not held */
};

/* ---- identities.c -------------------------------------------------------- */

/* Names of letters, digits, - and _, 64 at most. EXIT_WRONG_USE. */
enum exit_code identity_check_name(const char *name);

/* An identity of which nothing is known yet. `name` is one that was checked. */
void identity_init(struct identity *identity, const char *root,
                   const char *name);
/* NULL-safe in its parts; lets go of the lock. */
void identity_clear(struct identity *identity);

/* Configuration and state; without a configuration it fails. */
enum exit_code identity_load(const char *root, const char *name,
                             struct identity *identity);

/*
 * The names of a root's configurations in their order, to be freed with
 * identities_free_names(); an empty list where there is no such directory.
 * To be loaded one by one: one that is wrong does not hide the others.
 */
enum exit_code identities_names(const char *root, char ***names);
void identities_free_names(char **names);

/* Be the only one at work on it; who is busy with it is told of. */
enum exit_code identity_lock(struct identity *identity);

/* cert.pem of its folder, the caller's; NULL: it has none, nothing is said. */
X509 *identity_certificate(const struct identity *identity);

/* key.pem of its folder, the caller's. */
enum exit_code identity_key(struct devid *engine,
                            const struct identity *identity,
                            struct devid_key **key);

/* ---- identity_conf.c ----------------------------------------------------- */

/* False in *there: there is no configuration, which is no error here. */
enum exit_code identity_conf_read(struct identity *identity, bool *there);
/* Atomically, for all to read. */
enum exit_code identity_conf_write(const struct identity *identity);
/* Do the settings make sense together? */
enum exit_code identity_conf_check(const struct identity *identity);
void identity_conf_clear(struct identity_conf *conf);

/* ---- identity_state.c ---------------------------------------------------- */

/* A state that cannot be read is said in a note, and begun anew. */
void identity_state_read(struct identity *identity);
enum exit_code identity_state_write(const struct identity *identity);
void identity_state_clear(struct identity_state *state);
/* Copies `text` over *member; NULL: there is nothing. */
void identity_set(char **member, const char *text);

/* ---- identity_due.c: when to renew --------------------------------------- */

struct identity_validity {
    int64_t not_before; /* seconds since 1970 */
    int64_t not_after;
};

/* The wall clock's now: a timer that counts uptime misses a suspend. */
int64_t identity_now(void);

struct identity_validity identity_validity(const X509 *cert);

/*
 * When the certificate is to be renewed: at two thirds of its lifetime, less up
 * to a twelfth of it, by a digest of `id`: always the same for one device, and
 * other ones for others, so that a fleet does not come at once.
 */
int64_t identity_due(const struct identity_validity *validity, const char *id);

/*
 * What tells this device from others: the SHA-256 of its IDevID's public key in
 * hex, as devid-whoami(1) has it; without an IDevID of its certificate's
 * subject.
 */
#define IDENTITY_ID_SIZE 65
void identity_device_id(const struct identity *identity, const X509 *cert,
                        char id[IDENTITY_ID_SIZE]);

#endif
