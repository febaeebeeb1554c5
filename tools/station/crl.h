/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of revoked certificates, signed by the CA in a thread of their own:
 * when a unit is retired, and before they run out.
 */
#ifndef DEVID_STATION_CRL_H
#define DEVID_STATION_CRL_H

#include <stdatomic.h>

#include "context.h"

struct crl;

/* A list; counted, so that one that is being sent may be replaced. */
struct crl_list {
    atomic_uint refs;
    size_t len;
    uint8_t der[];
};

/* Make all lists, and the thread. Prints the sentence on failure. */
enum exit_code crl_open(const struct context *context, struct crl **crl);
/* A unit was retired: make anew what that changes. Any thread. */
void crl_renew(struct crl *crl);
/* The list of that number, which the caller frees; NULL: there is none. */
struct crl_list *crl_get(struct crl *crl, unsigned long number);
void crl_list_free(struct crl_list *list);
/* NULL-safe; sets NULL. */
void crl_close(struct crl **crl);

#endif
