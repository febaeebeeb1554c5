/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of devid-station; each stands in a file of its own. */
#ifndef DEVID_STATION_COMMANDS_H
#define DEVID_STATION_COMMANDS_H

#include "command.h"

extern const struct command init_command;
extern const struct command serve_command;

#endif
