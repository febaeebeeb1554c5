/* SPDX-License-Identifier: Apache-2.0 */
/* A TPM's properties among the facts. */
#ifndef DEVID_DOCTOR_TPM_H
#define DEVID_DOCTOR_TPM_H

#include "doctor.h"

/* TPM_PT_..., by the names of the specification: TPM 2.0 Part 2, 6.13. */
enum tpm_property {
    PT_REVISION = 0x102,
    PT_MANUFACTURER = 0x105,
    PT_VENDOR_STRING_1 = 0x106,
    PT_FIRMWARE_VERSION_1 = 0x10b,
    PT_FIRMWARE_VERSION_2 = 0x10c,
    PT_HR_PERSISTENT_MIN = 0x10f,
    PT_NV_INDEX_MAX = 0x117,
    PT_NV_BUFFER_MAX = 0x12c,
    PT_PERMANENT = 0x200,
    PT_STARTUP_CLEAR = 0x201,
    PT_HR_NV_INDEX = 0x202,
    PT_HR_TRANSIENT_AVAIL = 0x207,
    PT_HR_PERSISTENT = 0x208,
    PT_HR_PERSISTENT_AVAIL = 0x209,
    PT_LOCKOUT_COUNTER = 0x20e,
    PT_MAX_AUTH_FAIL = 0x20f,
    PT_LOCKOUT_INTERVAL = 0x210,
    PT_LOCKOUT_RECOVERY = 0x211,
};

/* False where the TPM, or the dump, does not have it. */
bool tpm_property(const json_t *tpm, enum tpm_property id, uint32_t *value);
/* "IFX", "STM", "NTC": without trailing blanks and zeros; size 8 will do. */
void tpm_manufacturer(const json_t *tpm, char *text, size_t size);
/* True for swtpm's and the reference implementation's TPMs. */
bool tpm_is_software(const json_t *tpm);

#endif
