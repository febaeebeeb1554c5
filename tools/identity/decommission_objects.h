/* SPDX-License-Identifier: Apache-2.0 */
/* What an identity is in its device: keys and certificates, as URIs. */
#ifndef DEVID_TOOLS_DECOMMISSION_OBJECTS_H
#define DEVID_TOOLS_DECOMMISSION_OBJECTS_H

#include "place.h"

struct objects {
    bool on_token;
    char key[PLACE_SIZE]; /* the key by which the station knows the device */
    char uris[4][PLACE_SIZE]; /* in the order in which they go */
    size_t count;
    struct devid_public folders; /* whose the folder is */
    bool has_folder;             /* it says that */
};

/*
 * Those of the device, else of what the folder's key.pem names; where neither
 * says of a token: of a TPM. Prints the sentence on failure.
 *
 * args  with the device's URI, or without
 */
enum exit_code objects_find_out(const struct args *args, const char *folder,
                                struct objects *objects);

#endif
