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
/*
 * While the station runs: another certificate where half of its time is over,
 * which is little work where it is not. One thread's; prints what it did, and
 * the sentence on failure, after which the old one stays.
 */
enum exit_code ocsp_refresh(const struct context *context);

#endif
