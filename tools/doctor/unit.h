/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's units, as far as they stand between a program and a TPM. */
#ifndef DEVID_DOCTOR_UNIT_H
#define DEVID_DOCTOR_UNIT_H

#include "doctor.h"

/*
 * A unit and its drop-ins, by its name "nginx.service": name, file,
 * private_devices, device_policy, device_allow, openssl_conf, tcti.
 */
json_t *look_at_unit(const struct doctor *doctor, const char *name);

/* The folders of units, the one that wins first. */
#define UNIT_FOLDERS 4
extern const char *const unit_folders[UNIT_FOLDERS];

#endif
