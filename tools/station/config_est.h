/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of station.conf that are about LDevIDs: [est], [est.LABEL]. */
#ifndef DEVID_STATION_CONFIG_EST_H
#define DEVID_STATION_CONFIG_EST_H

#include <openssl/conf.h>

#include "config.h"
#include "nearest.h"

#define EST "est"

/* Whether it is such a section, a setting of such a section. */
bool est_section(const char *section);
bool est_setting(const char *section, const char *name);
void est_offer_settings(struct nearest *nearest);

/* Fill in the labels. Prints the sentence on failure; freed either way. */
enum exit_code est_labels(CONF *conf, const char *file, struct config *config);
void est_labels_free(struct config *config);

#endif
