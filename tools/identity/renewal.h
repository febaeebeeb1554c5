/* SPDX-License-Identifier: Apache-2.0 */
/* What devid enroll and devid renew have in common. */
#ifndef DEVID_TOOLS_RENEWAL_H
#define DEVID_TOOLS_RENEWAL_H

#include <jansson.h>

#include "enrolment.h"

/* Run it, unless the CA wants to be asked later. */
enum exit_code renewal_attempt(struct enrolment *e);

/* What is known of an identity, for the end of the progress. */
json_t *renewal_report(const struct identity *identity);

/* The option --timeout of a command. */
enum exit_code renewal_patience(const struct args *args, const char *command,
                                int row, unsigned *patience_s);

#endif
