/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a station judges and signs by: opened once, then shared by its threads,
 * none of which changes it.
 */
#ifndef DEVID_STATION_CONTEXT_H
#define DEVID_STATION_CONTEXT_H

#include <openssl/x509.h>

#include "attest.h"
#include "config.h"
#include "ledger.h"

struct ek_list;
struct guesses;
struct ocsp;

struct context {
    struct config config;
    struct ledger *ledger;
    struct devid_trust *trust; /* NULL: the list of EKs alone counts */
    struct ek_list *eks; /* NULL: none, any EK that a vendor vouches for */
    struct devid_issuer *issuer;
    EVP_PKEY *ca_key;
    X509 *ca;
    STACK_OF(X509) * chain; /* the CA's certificate, and those above it */
    X509 *escrow;           /* NULL: none */
    EVP_PKEY *chain_key;
    struct ocsp *ocsp;       /* NULL: none */
    struct guesses *guesses; /* of users' secrets */
};

/*
 * Open the station in the folder that --dir names, with its provider: in a
 * process once, before there are other threads. Prints the sentence on
 * failure; closed either way.
 */
enum exit_code context_open(const struct args *args, struct context *context);
void context_close(struct context *context);

/* The policy by which requests are judged. */
struct devid_attest_policy context_policy(const struct context *context);

/* ---- the list of EKs --------------------------------------------------- */

/* Read a file of digests. Prints the sentence on failure. */
enum exit_code ek_list_read(const char *path, struct ek_list **list);
void ek_list_free(struct ek_list **list);
bool ek_list_has(const struct ek_list *list, const char *digest);

#endif
