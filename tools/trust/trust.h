/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which device certificates an endpoint accepts: a list in a JSON file that
 * people read and edit, devid-trust(1). A certificate is accepted where one of
 * the CAs vouches for it, an entry names it, and no list of revoked ones has
 * it.
 */
#ifndef DEVID_TOOLS_TRUST_H
#define DEVID_TOOLS_TRUST_H

#include <jansson.h>
#include <openssl/x509.h>

#include "args.h"

#define TRUST_FILE "/var/lib/devid/trust.json"

struct trust {
    const char *path; /* borrowed */
    json_t *root;
    json_t *cas;     /* [{subject, sha256, certificate}]; borrowed from root */
    json_t *crls;    /* [URL]; the same */
    json_t *devices; /* [{by, ..., note}]; the same */
    STACK_OF(X509) * ca; /* those of `cas`, in their order */
    int lock;            /* -1: none is held */
};

/*
 * Read and check the list. Prints the sentence on failure; closed either way.
 *
 * to_change  nobody else changes it until it is closed; one that is not there
 *            yet is empty
 */
enum exit_code trust_open(const char *path, bool to_change,
                          struct trust *trust);
/* Write it, whole or not at all. */
enum exit_code trust_save(const struct trust *trust);
void trust_close(struct trust *trust);

/* The certificates of a CA as an entry of `cas`. */
json_t *trust_ca_entry(X509 *cert);
/* Whoever has signed: the first CA of that name whose key satisfies; or NULL.
 */
X509 *trust_issuer_of(const struct trust *trust, X509_CRL *crl);

/* The option --file of all actions, or the default. */
#define TRUST_FILE_ROW                                                         \
    {                                                                          \
        "file", "FILE", "the list; the default is " TRUST_FILE, false, false   \
    }
const char *trust_path(const struct args *args, int row);

/* ---- the actions, a file each ------------------------------------------- */

extern const struct command trust_add_action;
extern const struct command trust_remove_action;
extern const struct command trust_list_action;
extern const struct command trust_refresh_action;
extern const struct command trust_write_action;

#endif
