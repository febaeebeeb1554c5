/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device holds: persistent keys and certificates, as reports.
 */
#ifndef DEVID_TOOLS_OBJECT_H
#define DEVID_TOOLS_OBJECT_H

#include "command.h"
#include "devid.h"
#include "report.h"

/*
 * An array of all objects of a device (NULL: the default), whose members are
 * documented in devid-list(1). Prints the sentence on failure, where *objects
 * is NULL.
 */
enum exit_code objects_list(struct devid *engine, const char *device,
                            json_t **objects);

/* The one that a URI names, however it is spelt; NULL: none. Borrowed. */
json_t *objects_find(const json_t *objects, const char *uri);

#endif
