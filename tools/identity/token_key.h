/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token that holds a device's identity, in place of a TPM: what its keys are
 * called, and what its commands take.
 */
#ifndef DEVID_TOOLS_TOKEN_KEY_H
#define DEVID_TOOLS_TOKEN_KEY_H

#include "args.h"

#define TOKEN_KEY_LABEL "IDevID"

/*
 * The URI of what has that label on a token; OPENSSL_malloc.
 *
 * device  the token's, "pkcs11:token=factory?pin-source=file:/pin"
 * label   letters, digits, - and _
 * type    "private" or "public"
 */
char *token_key_uri(const char *device, const char *label, const char *type);

/*
 * Prints the sentence where the PIN is to be typed: the provider needs it as
 * well, in the handshake.
 */
enum exit_code token_check_pin(const struct args *args);

#endif
