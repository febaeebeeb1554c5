/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of TPM 2.0 commands, for logs that people read.
 */
#ifndef DEVID_SWTPM_CI_COMMANDS_H
#define DEVID_SWTPM_CI_COMMANDS_H

#include <stdint.h>

/*
 * The name of a TPM 2.0 command.
 *
 * code  command code, as it stands in the command's header
 *
 * Returns a static string such as "ReadPublic", or NULL for a code that this
 * table does not know (vendor commands, later revisions).
 * Source: TPM 2.0 Part 2, TPM_CC.
 */
const char *tpm_command_name(uint32_t code);

#endif
