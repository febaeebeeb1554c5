/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of devid-station; each stands in a file of its own. */
#ifndef DEVID_STATION_COMMANDS_H
#define DEVID_STATION_COMMANDS_H

#include "command.h"

extern const struct command init_command;
extern const struct command serve_command;
extern const struct command batch_command;
extern const struct command show_command;
extern const struct command report_command;
extern const struct command manifest_command;
extern const struct command pending_command;
extern const struct command approve_command;
extern const struct command refuse_command;
extern const struct command operator_command;
extern const struct command renew_server_command;
extern const struct command revoke_command;
extern const struct command verify_log_command;
extern const struct command import_command;
extern const struct command challenge_command;
extern const struct command issue_command;

#endif
