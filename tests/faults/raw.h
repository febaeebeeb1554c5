/* SPDX-License-Identifier: Apache-2.0 */
/* Two ways to one TPM: through the faults, and past them in raw commands. */
#ifndef DEVID_TESTS_FAULTS_RAW_H
#define DEVID_TESTS_FAULTS_RAW_H

#include "tcti_fault.h"

#include <stdbool.h>

#include <tss2/tss2_tpm2_types.h>

/*
 * Open both: `module` is libtss2-tcti-fault.so, `inner` the TPM. Returns the
 * TCTI string of the way through the faults. Ends the program where that fails.
 */
const char *raw_open(const char *module, const char *inner,
                     struct tcti_fault_plan **plan);
void raw_close(void);

/* A command past the faults; *answer_len: the room, then what is used. */
void raw_ask(const uint8_t *command, size_t len, uint8_t *answer,
             size_t *answer_len);
/* Four bytes at `at`, and a command's header; they return where they end. */
size_t raw_put(uint8_t *to, size_t at, uint32_t value);
size_t raw_header(uint8_t *command, uint32_t len, TPM2_CC code);

/* The first that a capability has from there on: a handle, 0 where there is
   none; or a property's value. */
uint32_t raw_capability(uint32_t capability, uint32_t first);
bool raw_has(uint32_t handle);

/* The authorisations that devid_lock_apply() sets, in its order. */
#define RAW_VALUES 3
#define RAW_VALUE_SIZE 64
/* Where what they come from is kept meanwhile. */
#define RAW_SEED_INDEX 0x01800d1du

/* Those that are set, or-ed: DEVID_LOCK_OWNER, ... */
unsigned raw_authorisations(void);
/* Empty again, what is set by its value; no seed. Ends the program where a
   value is not the one that was set. */
void raw_unlock(char values[RAW_VALUES][RAW_VALUE_SIZE]);

#endif
