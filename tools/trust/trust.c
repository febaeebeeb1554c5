/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include "commands.h"

static const struct command *const actions[] = {
    &trust_add_action,     &trust_remove_action, &trust_list_action,
    &trust_refresh_action, &trust_write_action,  NULL,
};

const struct command trust_command = {
    .name = "trust",
    .operands = "",
    .help = "say which devices a server accepts, for nginx and haproxy",
    .example = "  devid trust add --cert unit.pem\n"
               "  devid trust write --nginx /etc/nginx/devid\n",
    .actions = actions,
};
