/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TOOLS_OPEN_H
#define DEVID_TOOLS_OPEN_H

#include "args.h"
#include "devid.h"

/* True for the URI of a token, or of what is on it. */
bool is_token_uri(const char *text);

/*
 * The module that the device's URI names is the one for key files as well,
 * which may not name one by themselves: in engines from now on, and in the
 * provider where this program loads it. The functions below do so by
 * themselves.
 */
void engine_take_module(const struct args *args, const char *device);

/*
 * Make an engine with the settings that the command line gives. Prints the
 * sentence on failure. Touches no device.
 *
 * device  URI of the device, or of what is to be found in it; NULL: not given.
 *         A token's PIN is taken from --auth-source, and asked for where that
 *         says so
 */
enum exit_code engine_open(const struct args *args, const char *device,
                           struct devid **engine);

/*
 * The same for what no token lets happen without its PIN: where nothing says
 * where that is, it is asked for on the terminal, if there is one.
 */
enum exit_code engine_open_to_write(const struct args *args, const char *device,
                                    struct devid **engine);

/*
 * The same, and the key that `file_or_uri` names, with its authorisation value
 * where it has one. Both are freed by the caller.
 */
enum exit_code engine_open_key(const struct args *args, const char *file_or_uri,
                               struct devid **engine, struct devid_key **key);

#endif
