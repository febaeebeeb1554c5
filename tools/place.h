/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where in its device a key's certificate is kept, as a URI.
 */
#ifndef DEVID_TOOLS_PLACE_H
#define DEVID_TOOLS_PLACE_H

#include "command.h"
#include "devid.h"

#define PLACE_SIZE (DEVID_URI_SIZE + 16)

/*
 * The URI that devid_cert_write takes, and devid_cert_read. A TPM has it at
 * the NV index `nv` (as typed; NULL: not given), a token beside the key.
 * Prints the sentence on failure.
 */
enum exit_code place_to_write(const struct command *command,
                              const struct devid_key *key, const char *nv,
                              char uri[PLACE_SIZE]);
enum exit_code place_to_read(const struct command *command,
                             const struct devid_key *key, const char *nv,
                             char uri[PLACE_SIZE]);

/*
 * The URI of what a token has beside a key, by its id, or by its label where
 * the key's URI has no id.
 *
 * key   the key's URI, of DEVID_URI_SIZE at most
 * type  as RFC 7512 has it: "cert", "public"
 */
void place_beside(const char *key, const char *type, char uri[PLACE_SIZE]);

#endif
