/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of devid; each stands in a file of its own. */
#ifndef DEVID_TOOLS_COMMANDS_H
#define DEVID_TOOLS_COMMANDS_H

#include "command.h"

extern const struct command keygen_command;
extern const struct command csr_command;
extern const struct command show_command;
extern const struct command list_command;
extern const struct command delete_command;
extern const struct command whoami_command;
extern const struct command token_command;
extern const struct command cert_command;
extern const struct command policy_command;
extern const struct command convert_command;
extern const struct command import_command;
extern const struct command conf_command;
extern const struct command test_command;
extern const struct command doctor_command;
extern const struct command request_command;
extern const struct command activate_command;
extern const struct command provision_command;
extern const struct command install_command;
extern const struct command decommission_command;
extern const struct command enroll_command;
extern const struct command renew_command;
extern const struct command revoke_command;
extern const struct command status_command;
extern const struct command trust_command;

#endif
