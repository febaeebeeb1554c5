/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is printed onto a unit: its serial number, model and id, as text, JSON
 * or a QR code of that JSON.
 */
#ifndef DEVID_TOOLS_LABEL_H
#define DEVID_TOOLS_LABEL_H

#include <jansson.h>

#include "command.h"

/* Is the file's kind known by its name: .txt, .json, .png, .svg? */
bool label_kind_is_known(const char *path);

/*
 * Write the label of a unit, over one that is there.
 *
 * unit  members serial, model and id
 *
 * Prints the sentence on failure.
 */
enum exit_code label_write(const char *path, const json_t *unit);

#endif
