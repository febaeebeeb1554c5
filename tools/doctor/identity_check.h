/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_DOCTOR_IDENTITY_CHECK_H
#define DEVID_DOCTOR_IDENTITY_CHECK_H

#include "doctor.h"

void judge_identity(struct doctor *doctor, const json_t *facts);

/* identity_cert.c: its certificate against its key, the clock and its chain. */
void judge_identity_certificate(struct doctor *doctor, const json_t *identity);

#endif
