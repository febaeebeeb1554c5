/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `devid status` share. Members of its objects are documented
 * in devid-status(1). */
#ifndef DEVID_TOOLS_STATUS_H
#define DEVID_TOOLS_STATUS_H

#include <jansson.h>
#include <openssl/bio.h>

#include "command.h"
#include "devid.h"

/* ---- status_facts.c: identities ------------------------------------------ */

/*
 * An array of what is known of each NAME in ROOT that has a configuration, a
 * folder of files, or both. Asks no device. What is wrong with one is a fact
 * of it. Out of memory ends the program.
 */
enum exit_code status_all(struct devid *engine, const char *root,
                          json_t **identities);

/* ---- status_use.c: who uses them ----------------------------------------- */

/*
 * Add `used_by` to each: programs that run now and have a file of its folder
 * open, or name it on their command line or in their configuration. What this
 * user may not see of other users' programs is not found.
 */
void status_add_use(json_t *identities);

/* ---- status_prometheus.c ------------------------------------------------- */

/* Prometheus' text format, version 0.0.4. */
void status_print_prometheus(BIO *out, const json_t *identities);

#endif
