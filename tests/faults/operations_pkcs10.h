/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TESTS_FAULTS_OPERATIONS_PKCS10_H
#define DEVID_TESTS_FAULTS_OPERATIONS_PKCS10_H

#include "sweep.h"

extern const struct operation pkcs10_operations[];

/* Objects labelled FIXTURE_NEW_LABEL that the token shows: sweep_token.c. */
unsigned long token_new_objects(void);

#endif
