/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An identity gets its certificate, the first one or the next: a key is made, a
 * protocol has the CA certify it, the new identity is tried, and only then it
 * takes the place of the old one, which serves until then. Killed at any point,
 * the next run carries on or cleans up.
 *
 * A device may admit one program at a time, and the provider in this process
 * counts as one beside the engine: each has its turn.
 */
#ifndef DEVID_TOOLS_ENROLMENT_H
#define DEVID_TOOLS_ENROLMENT_H

#include "args.h"
#include "certificates.h"
#include "handshake.h"
#include "identities.h"
#include "progress.h"

struct enrolment {
    const struct args *args;
    struct identity *identity;
    struct progress *progress;
    const struct enrolment_protocol *protocol;
    unsigned patience_s; /* for one request, all its tries */
    bool anew;           /* who authenticates is not the identity itself */
    bool disowned; /* nor can it: the CA or its own key does not want to */
    X509 *old;     /* its certificate; NULL: it has none yet */
    struct devid *engine;
    struct devid_key *key; /* the new one, for the engine's turn */
    char *key_pem;
    uint8_t *request; /* PKCS#10, DER; OPENSSL_malloc */
    size_t request_len;
    const char *wanted; /* kind of key that the CA wants; NULL: any */
    struct certificates certificates; /* idevid: the new certificate */
};

/* How a CA is asked: a row of enrolment.c's table. */
struct enrolment_protocol {
    const char *name; /* as in the configuration */
    /*
     * In the provider's turn: have `request` certified. Fills certificates, and
     * `ca` and `anchors` of it with all that the CA says are its own, in any
     * order. Where the CA wants another kind of key: sets `wanted`, and fills
     * nothing. Where the CA has to think about it: sets state.retry_at, and
     * fails as EXIT_UNREACHABLE.
     */
    enum exit_code (*obtain)(struct enrolment *e);
    /*
     * In the provider's turn: a handshake with the CA under the new identity.
     *
     * done  out: false where there was none to be had
     */
    enum exit_code (*prove)(struct enrolment *e,
                            const struct http_identity *identity, bool *done);
};

extern const struct enrolment_protocol cmp_protocol;
extern const struct enrolment_protocol est_protocol;

/*
 * What a run left behind that was killed is cleaned up: first of all, and also
 * where nothing is due. e: args, identity and progress are set, locked.
 */
enum exit_code enrolment_tidy(struct enrolment *e);

/* All of it, with what it came to in the identity's state. */
enum exit_code enrolment_run(struct enrolment *e);

/* Run the command that is to follow; its failure is remembered. */
enum exit_code enrolment_hook(struct enrolment *e);

void enrolment_clear(struct enrolment *e);

/* Is the certificate that is there still good to authenticate with? */
bool enrolment_by_itself(const struct enrolment *e);

/* ---- enrolment_key.c: in the engine's turn --------------------------------
 */

enum exit_code enrolment_engine(struct enrolment *e);
/* The key of the run before, or a new one; the request. */
enum exit_code enrolment_key(struct enrolment *e);
/* It is of no use: remove it. */
enum exit_code enrolment_discard(struct enrolment *e);
/* Delete what was used before; never what is used. */
enum exit_code enrolment_retire(struct enrolment *e);
/* URI of the key that is at work, on a token; "": it lives in its file. */
enum exit_code enrolment_current_uri(struct enrolment *e,
                                     char uri[DEVID_URI_SIZE]);

/* ---- enrolment_check.c ----------------------------------------------------
 */

/*
 * Is it a certificate of the new key, with a chain to a root of the CA's? Puts
 * `ca` in order, issuer first, and what else is a root into `anchors`.
 */
enum exit_code enrolment_check(struct enrolment *e);
/* A TLS handshake under the new identity, with the CA or with ourselves. */
enum exit_code enrolment_prove(struct enrolment *e);

#endif
