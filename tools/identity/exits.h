/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the exit codes of commands mean that speak to a station or to a CA. A
 * line's or a fleet's software acts by them.
 */
#ifndef DEVID_TOOLS_EXITS_H
#define DEVID_TOOLS_EXITS_H

#include "command.h"

extern const struct exit_row provision_exits[];
extern const struct exit_row decommission_exits[];
extern const struct exit_row install_exits[];
extern const struct exit_row enrolment_exits[]; /* of enroll and renew */
extern const struct exit_row revoke_exits[];

#endif
