/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_STATION_OCSP_OPEN_H
#define DEVID_STATION_OCSP_OPEN_H

#include "context.h"

/*
 * Where the configuration has ocsp_url: context->ocsp, with a key and a
 * certificate in the folder, which are made where need be. Prints the sentence
 * on failure.
 */
enum exit_code ocsp_open(struct context *context);

#endif
