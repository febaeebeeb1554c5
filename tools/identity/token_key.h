/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TOOLS_TOKEN_KEY_H
#define DEVID_TOOLS_TOKEN_KEY_H

/*
 * The URI of what has that label on a token; OPENSSL_malloc.
 *
 * device  the token's, "pkcs11:token=factory?pin-source=file:/pin"
 * label   letters, digits, - and _
 * type    "private" or "public"
 */
char *token_key_uri(const char *device, const char *label, const char *type);

#endif
