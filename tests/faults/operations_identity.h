/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TESTS_FAULTS_OPERATIONS_IDENTITY_H
#define DEVID_TESTS_FAULTS_OPERATIONS_IDENTITY_H

#include "sweep.h"

/* Of a TPM that has an EK at 0x81010001. */
extern const struct operation identity_operations[];
void identity_free(void);

#endif
