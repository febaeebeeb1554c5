/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_FUZZ_FAKE_TCTI_H
#define DEVID_FUZZ_FAKE_TCTI_H

/* The commands since the last call; every connection must be closed again. */
unsigned fake_tcti_commands(void);

#endif
