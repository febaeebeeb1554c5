/* SPDX-License-Identifier: Apache-2.0 */
/* How an identity speaks CMP with its CA, by its configuration. */
#ifndef DEVID_TOOLS_CMP_ENROLMENT_H
#define DEVID_TOOLS_CMP_ENROLMENT_H

#include <limits.h>

#include "cmp.h"
#include "handshake.h"
#include "identities.h"
#include "secret_input.h"

struct cmp_side {
    struct cmp_spec spec; /* for cmp_certify, cmp_revoke */
    struct handshake who;
    struct secret secret;
    char *url;
    char ca[PATH_MAX];
};

/*
 * In the provider's turn. Prints the sentence on failure; closed either way.
 *
 * by_itself  the identity signs; else the IDevID does, or there is a secret
 */
enum exit_code cmp_side_open(const struct args *args,
                             const struct identity *identity, bool by_itself,
                             struct cmp_side *side);
void cmp_side_close(struct cmp_side *side);

#endif
