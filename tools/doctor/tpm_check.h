/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_DOCTOR_TPM_CHECK_H
#define DEVID_DOCTOR_TPM_CHECK_H

#include "doctor.h"

void judge_tpm(struct doctor *doctor, const json_t *tpm);

/* ---- tpm_parent.c ------------------------------------------------------- */

void judge_storage_key(struct doctor *doctor, const json_t *tpm);

#endif
