/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TOOLS_OPEN_H
#define DEVID_TOOLS_OPEN_H

#include "args.h"
#include "devid.h"

/*
 * Make an engine with the settings that the command line gives. Prints the
 * sentence on failure. Touches no device.
 */
enum exit_code engine_open(const struct args *args, struct devid **engine);

/*
 * The same, and the key that `file_or_uri` names, with its authorisation value
 * where it has one. Both are freed by the caller.
 */
enum exit_code engine_open_key(const struct args *args, const char *file_or_uri,
                               struct devid **engine, struct devid_key **key);

#endif
