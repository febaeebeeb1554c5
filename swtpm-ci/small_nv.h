/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chip whose NV buffer is smaller than that of the TPM behind the proxy: it
 * says so among its properties, and refuses larger reads and writes.
 * Source: TPM 2.0 Part 2, TPM2_PT_NV_BUFFER_MAX; Part 3, TPM2_NV_Read and
 * TPM2_NV_Write.
 */
#ifndef DEVID_SWTPM_CI_SMALL_NV_H
#define DEVID_SWTPM_CI_SMALL_NV_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes it takes, of the command line. */
uint32_t small_nv_parse(const char *text);

/*
 * What the chip makes of a command of at least a header's length: a response
 * code, or 0: it goes to the TPM.
 */
uint32_t small_nv_refuses(uint32_t buffer_max, const uint8_t *command,
                          size_t len);

/* The answer to a TPM2_GetCapability with the chip's own size in it. */
void small_nv_answer(uint32_t buffer_max, const uint8_t *command,
                     uint8_t *response, size_t len);

#endif
